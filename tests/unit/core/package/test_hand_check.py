"""Every command that verify/README.txt prints is run on an unpacked package with a token made by ``openssl ts``."""

import hashlib
import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from evidence_desk.core.package import PackageRecord, write_package
from evidence_desk.core.package.hand_check import hand_check_readme
from evidence_desk.core.time_record import build_batch, issue_record, path_text

ORIGIN = "desk.demo.evidence/0b8f3c0e-4a6e-4c55-9d3c-7d4b6a1f0e21/1"
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("openssl", "bash", "xxd", "sha256sum"))),
    reason="needs openssl, bash, xxd, sha256sum",
)

TSA_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test CA
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[tsa_extensions]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[revocation]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 30
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid
[tsa]
default_tsa = config
[config]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("authority")
    (folder / "tsa.cnf").write_text(TSA_CONFIG)
    (folder / "serial").write_text("01")
    (folder / "crlnumber").write_text("01")
    (folder / "index.txt").touch()
    new = ("req", "-config", "tsa.cnf", "-newkey", "rsa:2048", "-nodes")
    openssl(folder, *new, "-x509", "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30")
    openssl(folder, *new, "-subj", "/CN=Test TSA", "-keyout", "tsa.key", "-out", "tsa.csr")
    openssl(
        folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "30", "-extfile", "tsa.cnf", "-extensions", "tsa_extensions", "-out", "tsa.pem",
    )  # fmt: skip
    openssl(
        folder, "ca", "-config", "tsa.cnf", "-name", "revocation", "-gencrl", "-keyfile", "ca.key",
        "-cert", "ca.pem", "-out", "crl.pem",
    )  # fmt: skip
    openssl(folder, "crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der")
    return folder


@pytest.fixture
def packed(authority, make_content, keys, tmp_path) -> bytes:
    content = make_content()
    hashes = [hashlib.sha256(content.statement).digest()]
    for item in content.files:
        with item.source() as source:
            hashes.append(hashlib.sha256(source.read()).digest())
    batch = build_batch([[b"\1" * 32], hashes, [b"\2" * 32]])
    (tmp_path / "preimage").write_bytes(batch.preimage)
    openssl(tmp_path, "ts", "-query", "-data", "preimage", "-sha256", "-cert", "-out", "query")
    openssl(
        authority,
        "ts",
        "-reply",
        "-config",
        "tsa.cnf",
        "-queryfile",
        f"{tmp_path}/query",
        "-out",
        f"{tmp_path}/tsr",
    )
    verify = {
        "timestamp.tsr": (tmp_path / "tsr").read_bytes(),
        "timestamp.preimage": batch.preimage,
        "timestamp.path.txt": path_text(batch.trees[1], batch.root).encode(),
        "ca.pem": (authority / "ca.pem").read_bytes(),
        "crl.pem": (authority / "crl.pem").read_bytes(),
        "desk.vkey": keys.encode().encode(),
        "README.txt": hand_check_readme(number="ED-0000", origin=ORIGIN, demo=True),
    }
    openssl(tmp_path, "ts", "-reply", "-in", "tsr", "-token_out", "-out", "token")
    record = issue_record(
        batch.trees[1], (tmp_path / "token").read_bytes(), crls=[(authority / "crl.der").read_bytes()]
    )
    names = ("statement.json", *(item.name for item in content.files))
    out = io.BytesIO()
    write_package(out, make_content(verify=verify, records=[PackageRecord(der=record, objects=names)]))
    return out.getvalue()


@pytest.fixture
def unpacked(packed, tmp_path) -> Path:
    folder: Path = tmp_path / "unpacked"
    with zipfile.ZipFile(io.BytesIO(packed)) as container:
        container.extractall(folder)
    return folder


def run_commands(folder: Path) -> str:
    text = (folder / "verify/README.txt").read_text("utf-8")
    script = "".join(re.findall(r"^    (.*\n)", text, re.MULTILINE))
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def test_every_command_of_the_readme_works(unpacked):
    output = run_commands(unpacked)
    assert "FAILED" not in output
    assert "NOT COVERED" not in output
    listed = (
        "files/0001.pdf",
        "files/0002.txt",
        "files/0003",
        "statement.json",
        "proof.json",
        "certificate.pdf",
    )
    for name in listed:
        assert f"\n{name}: OK\n" in f"\n{output}"
        assert f"\n{name}: SM3 OK\n" in output
    for name in ("files/0001.pdf", "files/0002.txt", "files/0003", "statement.json"):
        assert f"{name}: covered OK\n" in output
    for line in ("index.json: OK", "Signature Verified Successfully", "Verified OK", "Verification: OK", "verify OK",
                 "verify/timestamp.path.txt: path OK", "Policy OID: 1.3.6.1.4.1.99999.1"):  # fmt: skip
        assert line in output
    assert re.search(r"sha256 Fingerprint=[0-9A-F:]{95}", output)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("files/0001.pdf", "files/0001.pdf: NOT COVERED"),
        ("files/0002.txt", "files/0002.txt: SM3 FAILED"),
        ("index.json", "index.json: FAILED"),
        ("index.note", "(?s)Signature Verification Failure.*Verification failure"),
        ("verify/timestamp.preimage", "path FAILED"),
        ("verify/timestamp.tsr", "Verification: FAILED"),
        ("verify/desk.vkey", "[Cc]ould not|[Uu]nable"),
    ],
)
def test_the_commands_notice_a_changed_byte(unpacked, name, complaint):
    path = unpacked / name
    data = bytearray(path.read_bytes())
    data[5 if len(data) < 100 or name == "index.note" else -30] ^= 1
    path.write_bytes(data)
    assert re.search(complaint, run_commands(unpacked))


def test_demo_and_waiting_are_said():
    text = hand_check_readme(number="ED-1", origin=ORIGIN, demo=True, timestamped=False).decode()
    assert "演示/非第三方" in text
    assert "尚未取得时间戳" in text
    assert "openssl ts" not in text
    assert "演示" not in hand_check_readme(number="ED-1", origin=ORIGIN, demo=False).decode()
    sm2 = hand_check_readme(number="ED-1", origin=ORIGIN, demo=False, sm2_token=True).decode()
    assert "    openssl ts" not in sm2
    chain = hand_check_readme(number="ED-1", origin=ORIGIN, demo=False, chain=True).decode()
    assert "-CAfile verify/ca.pem -untrusted verify/chain.pem\n" in chain


@pytest.mark.full
@pytest.mark.timeout(900)
def test_eu_dss_accepts_the_container(packed, authority, tmp_path):
    """EU DSS finds the record through our manifest, and every object of it present and intact."""
    if not shutil.which("mvn"):
        pytest.skip("needs Maven")
    project = tmp_path / "dss"
    shutil.copytree(Path(__file__).parent / "dss", project)
    built = subprocess.run(
        ["mvn", "-q", "-B", "compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath"],
        cwd=project, capture_output=True, text=True, check=False, timeout=800,
    )  # fmt: skip
    if built.returncode:
        pytest.skip("EU DSS is not to be had from Maven Central: " + built.stdout[-200:])
    (tmp_path / "a.asice").write_bytes(packed)
    done = subprocess.run(
        ["java", "-cp", f"target/classes:{(project / 'classpath').read_text()}", "Check",
         f"{tmp_path}/a.asice", f"{authority}/ca.pem"],
        cwd=project, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert "container ASiC-E" in done.stdout, done.stderr
    assert "record META-INF/evidencerecord001.ers PASSED" in done.stdout
    for name in ("statement.json", "files/0001.pdf", "files/0002.txt", "files/0003"):
        assert re.search(rf"EVIDENCE_RECORD_ARCHIVE_OBJECT {name} found=true intact=true", done.stdout)
    assert "timestamp intact=true signature=true trusted=true" in done.stdout
