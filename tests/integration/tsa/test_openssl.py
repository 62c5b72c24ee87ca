"""The openssl command in both directions: its client at our authority, our client at its responder.

``openssl ts`` (3.0) has no way to give the signer ID 1234567812345678, so it can't verify SM2 tokens at all; for SM2
its ``dgst -verify`` checks the signature by hand instead.
"""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import rfc3161_client
from asn1crypto import cms, tsp
from cryptography import x509

from evidence_desk.core.digests import sha256
from evidence_desk.core.verdict import Status
from evidence_desk.crypto import der, oids, pki
from evidence_desk.errors import RemoteError
from tests.integration.tsa.program import Done, evidence_tsa, openssl, process, serving
from tests.unit.tsa.liars import Answer, http_server
from tsa.client import HttpAuthority
from tsa.policy import TokenTrust
from tsa.verify import verify_token

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")

QUERY = {"Content-Type": "application/timestamp-query"}
DATA = "电子证据：合同.pdf\n".encode()


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def ask(folder: Path, url: str, *options: str) -> None:
    """Query made by openssl, sent as it stands; reply, roots and revocation list are kept as files."""
    (folder / "data").write_bytes(DATA)
    assert openssl("ts", "-query", "-data", "data", *options, "-out", "q.tsq", cwd=folder).status == 0
    with httpx.Client(trust_env=False) as http:
        answer = http.post(url, content=(folder / "q.tsq").read_bytes(), headers=QUERY)
        assert answer.status_code == 200
        (folder / "r.tsr").write_bytes(answer.content)
        (folder / "ca.pem").write_bytes(http.get(f"{url}ca.pem").content)
        (folder / "crl.der").write_bytes(http.get(f"{url}crl.der").content)


def judged(folder: Path, *options: str) -> Done:
    return evidence_tsa(
        "verify", "--response", "r.tsr", "--request", "q.tsq", "--trust", "ca.pem", "--crl", "crl.der", "--json",
        *options, cwd=folder,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["rsa3072", "p256"])
def test_openssl_client_at_our_authority(kind, tmp_path):
    with serving(tmp_path / "state", "--key", kind) as server:
        for options in (["-sha256", "-cert"], ["-sha512", "-cert", "-no_nonce"], ["-sha384", "-cert"]):
            ask(tmp_path, server.url, *options)
            verify = ["ts", "-verify", "-in", "r.tsr", "-CAfile", "ca.pem"]
            for subject in (["-queryfile", "q.tsq"], ["-data", "data"]):
                done = openssl(*verify, *subject, cwd=tmp_path)
                assert "Verification: OK" in done.out + done.err
            ours = judged(tmp_path, "--data", "data")
            assert (ours.status, ours.document["overall"]) == (0, "passed")
            (tmp_path / "other").write_bytes(b"other")
            assert "Verification: OK" not in openssl(*verify, "-data", "other", cwd=tmp_path).out
            assert judged(tmp_path, "--data", "other").status == 1


@pytest.mark.parametrize("kind", ["rsa3072", "p256"])
def test_rfc3161_client_at_our_authority(kind, tmp_path):
    with serving(tmp_path / "state", "--key", kind) as server, httpx.Client(trust_env=False) as http:
        request = rfc3161_client.TimestampRequestBuilder().data(DATA).build()
        answer = http.post(server.url, content=request.as_bytes(), headers=QUERY)
        root = x509.load_pem_x509_certificate(http.get(f"{server.url}ca.pem").content)
    response = rfc3161_client.decode_timestamp_response(answer.content)
    verifier = rfc3161_client.VerifierBuilder().add_root_certificate(root).build()
    assert verifier.verify_message(response, DATA)


@pytest.mark.parametrize("national", [False, True])
def test_sm2_token_by_hand_with_openssl(tmp_path, national):
    options = ["--national"] if national else []
    with serving(tmp_path / "state", "--key", "sm2", *options) as server:
        ask(tmp_path, server.url, "-sm3", "-cert")
    ours = judged(tmp_path, "--data", "data")
    assert (ours.status, ours.document["overall"]) == (0, "passed")
    token = tsp.TimeStampResp.load((tmp_path / "r.tsr").read_bytes())["time_stamp_token"]
    signed = signed_data(token)
    signer = signed["signer_infos"][0]
    (tmp_path / "attributes").write_bytes(signer["signed_attrs"].untag().dump())
    (tmp_path / "signature").write_bytes(signer["signature"].native)
    (tmp_path / "tsa.pem").write_text(pki.to_pem(signed["certificates"][0].chosen.dump(), "CERTIFICATE"))
    public = openssl("x509", "-in", "tsa.pem", "-pubkey", "-noout", cwd=tmp_path).out
    (tmp_path / "public.pem").write_text(public)
    check = ["dgst", "-sm3", "-verify", "public.pem", "-signature", "signature"]
    distid = ["-sigopt", "distid:1234567812345678"]
    assert "Verified OK" in openssl(*check, *distid, "attributes", cwd=tmp_path).out
    assert "Verified OK" not in openssl(*check, "attributes", cwd=tmp_path).out
    chain = ["verify", "-vfyopt", "distid:1234567812345678", "-purpose", "timestampsign", "-CAfile", "ca.pem"]
    assert openssl(*chain, "tsa.pem", cwd=tmp_path).status == 0


def signed_data(token: cms.ContentInfo) -> cms.SignedData:
    content = der.parse(token.dump(), what="token", limit=1 << 16).children()[1]
    return cms.SignedData.load(content.content)


def test_pkcs12_made_by_openssl(tmp_path):
    authority_of_openssl(tmp_path)
    export = [
        "pkcs12",
        "-export",
        "-in",
        "tsa.pem",
        "-inkey",
        "tsa.key",
        "-certfile",
        "ca.pem",
        "-out",
        "tsa.p12",
    ]
    assert openssl(*export, "-passout", "pass:密码", cwd=tmp_path).status == 0
    options = ["--key", tmp_path / "tsa.p12", "--policy", "1.2.3.4.5"]
    variables = {"EVIDENCE_TSA_PASSPHRASE": "密码"}
    with serving(tmp_path / "state", *options, variables=variables) as server:
        page = httpx.get(server.url, trust_env=False).text
        assert "非第三方" not in page
        (tmp_path / "data").write_bytes(DATA)
        openssl("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q.tsq", cwd=tmp_path)
        answer = httpx.post(
            server.url, content=(tmp_path / "q.tsq").read_bytes(), headers=QUERY, trust_env=False
        )
        (tmp_path / "r.tsr").write_bytes(answer.content)
    done = openssl("ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "ca.pem", cwd=tmp_path)
    assert "Verification: OK" in done.out + done.err
    assert not any((tmp_path / "state").rglob("*.identity"))
    wrong = process(
        "serve", "--key", "tsa.p12", "--state", "state", cwd=tmp_path,
        variables={"EVIDENCE_TSA_PASSPHRASE": "wrong"},
    )  # fmt: skip
    assert wrong.status == 77


# --- our client, their responder ------------------------------------------------------------------------------

CONFIG = """
[ tsa ]
default_tsa = tsa_config
[ tsa_config ]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = {certs}
signer_key = tsa.key
signer_digest = {digest}
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.5
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = {tsa_name}
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
"""


def authority_of_openssl(folder: Path) -> tuple[pki.Identity, pki.Identity]:
    now = datetime.now(UTC) - timedelta(minutes=1)
    ca = pki.make_ca("根", pki.generate_key(pki.KeyKind.RSA), not_before=now, years=3)
    tsa = pki.make_tsa_certificate("TSA", pki.generate_key(pki.KeyKind.RSA), ca, not_before=now, years=2)
    (folder / "ca.pem").write_text(pki.to_pem(ca.certificate, "CERTIFICATE"))
    (folder / "tsa.pem").write_text(pki.to_pem(tsa.certificate, "CERTIFICATE"))
    (folder / "tsa.key").write_text(pki.to_pem(tsa.key.pkcs8, "PRIVATE KEY"))
    return ca, tsa


def responder(folder: Path, body: bytes) -> Answer:
    (folder / "query").write_bytes(body)
    done = subprocess.run(
        ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-out", "reply"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Answer(body=(folder / "reply").read_bytes())


@pytest.mark.parametrize("ess", ["sha256", "sha1", "sha512"])
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_our_client_at_the_responder_of_openssl(tmp_path, ess, digest):
    ca, tsa = authority_of_openssl(tmp_path)
    config = CONFIG.format(certs="ca.pem", digest=digest, tsa_name="yes", ess=ess)
    (tmp_path / "ts.cnf").write_text(config)
    (tmp_path / "serial").write_text("01\n")
    trust = TokenTrust(roots=(ca.certificate,), crls=(ca.crl,))
    with (
        http_server(lambda _, body: responder(tmp_path, body)) as (url, _),
        httpx.Client(trust_env=False) as http,
    ):
        asked = HttpAuthority("openssl", url, trust, http, RealClock(), policy="1.2.3.4.5")
        reply = asked.timestamp(sha256(DATA))
        refusing = HttpAuthority("openssl", url, trust, http, RealClock(), policy="1.9.9")
        with pytest.raises(RemoteError, match=r"client\.rejected"):
            refusing.timestamp(sha256(DATA))
    assert reply.tsa == sha256(tsa.key.spki())
    verdict = verify_token(
        reply.token, hash_oid=oids.SHA256, imprint=sha256(DATA), trust=trust, now=datetime.now(UTC)
    )
    assert verdict.status is Status.PASSED
