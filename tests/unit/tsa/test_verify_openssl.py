"""Tokens made by `openssl ts -reply` pass our verifier, and OpenSSL passes what our forger makes."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence_desk.core.verdict import Status
from tests.unit.tsa import forge
from tests.unit.tsa.judge import not_passed, told
from tsa.policy import TokenTrust
from tsa.request import build_request, parse_request
from tsa.verify import verify_response

CONFIG = """
[tsa]
default_tsa = t
[t]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.7
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = {chain}
ess_cert_id_alg = {ess}
"""


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def responder(tmp_path: Path) -> Path:
    """A CA and a timestamping certificate made by OpenSSL, RSA."""
    (tmp_path / "serial").write_text("01\n")
    extensions = tmp_path / "leaf.ext"
    extensions.write_text("keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n")
    run(
        tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
        "-subj", "/CN=CA", "-days", "3650", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    run(
        tmp_path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr",
        "-subj", "/O=T/CN=TSA",
    )  # fmt: skip
    run(
        tmp_path, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "tsa.pem", "-days", "365", "-extfile", "leaf.ext",
    )  # fmt: skip
    (tmp_path / "index.txt").write_text("")
    (tmp_path / "ca.cnf").write_text(
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n"
    )
    run(
        tmp_path, "ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-out", "crl.pem"
    )  # fmt: skip
    run(tmp_path, "crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der")
    run(tmp_path, "x509", "-in", "ca.pem", "-outform", "DER", "-out", "ca.der")
    return tmp_path


@pytest.mark.parametrize("ess", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("chain", ["no", "yes"])
def test_openssl_reply_to_our_request(responder: Path, ess: str, chain: str) -> None:
    (responder / "tsa.cnf").write_text(CONFIG.format(ess=ess, chain=chain))
    imprint = forge.digest(forge.SHA256, forge.DATA)
    query = build_request(hash_oid=forge.SHA256, imprint=imprint, nonce=1 << 63)
    (responder / "query.tsq").write_bytes(query)
    sent = datetime.now(UTC)
    run(
        responder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-signer", "tsa.pem",
        "-inkey", "tsa.key", "-chain", "ca.pem", "-out", "reply.tsr",
    )  # fmt: skip
    verdict = told(
        verify_response(
            (responder / "reply.tsr").read_bytes(),
            hash_oid=forge.SHA256,
            imprint=imprint,
            trust=TokenTrust(
                roots=((responder / "ca.der").read_bytes(),), crls=((responder / "crl.der").read_bytes(),)
            ),
            now=datetime.now(UTC) + timedelta(milliseconds=1),
            request=parse_request(query),
            sent=sent,
        )
    )
    assert not_passed(verdict) == {}
    assert verdict.status is Status.PASSED
    assert verdict.facts is not None
    assert verdict.facts.tsa_name == "O=T, CN=TSA"


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa"])
def test_openssl_accepts_what_the_forger_makes(tmp_path: Path, kind: str) -> None:
    """Or the faults would prove nothing: the forger's good token must be good to others too."""
    pki = forge.pki(kind)
    (tmp_path / "data").write_bytes(forge.DATA)
    (tmp_path / "token.der").write_bytes(forge.token(pki=pki))
    (tmp_path / "root.der").write_bytes(pki.root)
    run(tmp_path, "x509", "-inform", "DER", "-in", "root.der", "-out", "root.pem")
    shown = run(
        tmp_path, "ts", "-verify", "-data", "data", "-in", "token.der", "-token_in", "-CAfile", "root.pem"
    )
    assert "OK" in shown


@pytest.mark.parametrize("kind", ["p256", "rsa", "pss"])
def test_openssl_cms_accepts_what_the_forger_signs(tmp_path: Path, kind: str) -> None:
    """`openssl ts` does not know PSS, `openssl cms` does."""
    pki = forge.pki(kind)
    (tmp_path / "token.der").write_bytes(forge.token(pki=pki))
    (tmp_path / "root.der").write_bytes(pki.root)
    run(tmp_path, "x509", "-inform", "DER", "-in", "root.der", "-out", "root.pem")
    run(
        tmp_path, "cms", "-verify", "-inform", "DER", "-in", "token.der", "-CAfile", "root.pem", "-out", "content",
        "-purpose", "timestampsign", "-binary", "-attime", str(int(forge.GEN.timestamp())),
    )  # fmt: skip
    assert (tmp_path / "content").read_bytes() == forge.tst_info()
