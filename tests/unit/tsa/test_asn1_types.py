"""The types are rfc3161ng's own, and its network library stays out."""

from __future__ import annotations

import subprocess
import sys

import rfc3161ng

from tsa.asn1_types import TimeStampReq, TSTInfo


def test_types_are_those_of_the_package():
    assert TSTInfo().componentType.keys() == rfc3161ng.TSTInfo().componentType.keys()
    assert TimeStampReq().componentType.keys() == rfc3161ng.TimeStampReq().componentType.keys()


def test_verifying_loads_no_network_library():
    program = (
        "import sys, tsa.verify, evidence_desk.verifier\n"
        "print(sorted({'requests', 'urllib3', 'httpx', 'aiohttp', 'sqlcipher3', 'pyrage'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
