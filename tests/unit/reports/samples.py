"""Certificates of every shape, and a demo PKI with its own in-process authority."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from asn1crypto import tsp

from evidence_desk.core.certificate import (
    CaseFacts,
    Certificate,
    CheckpointFacts,
    ClockFacts,
    CourtFacts,
    CustodyEvent,
    DemoReason,
    Exhibit,
    FileFacts,
    Person,
    SourceFacts,
    TokenFacts,
    Tool,
    certificate_number,
)
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.crypto import pki
from evidence_desk.crypto.oids import DEMO_TSA_POLICY, SHA256
from evidence_desk.texts import Language
from evidence_desk.verify.certificate import CertificateTrust, CertificateVerdict, verify_certificate
from reports.certificate import Attachment, render_certificate
from reports.signing import PdfSigner, sign_certificate
from tests.unit.core.capture.samples import a_manifest
from tsa.authority.issue import Issuer, issue
from tsa.policy import TokenTrust
from tsa.request import build_request

NOW = datetime(2026, 11, 21, 8, 30, 15, tzinfo=UTC)
RARE = "䶮㛃𬱖𬭎𠮷"


def a_file(index: int, name: str | None = None) -> FileFacts:
    return FileFacts(
        name=name
        or f"证据材料/聊天记录 {index:03d}{'与被告关于货款支付期限的往来沟通记录' * (index % 4)}.pdf",
        size=12_345 * index + 7,
        media_type="application/pdf",
        digests=DigestPair.of(b"file %d" % index),
        modified=NOW - timedelta(days=index),
    )


def a_token() -> TokenFacts:
    return TokenFacts(
        tsa="CN=演示时间戳机构,O=演示 DEMO – not a third party,C=CN",
        policy=DEMO_TSA_POLICY,
        serial=917_263_548_192,
        gen_time=NOW + timedelta(seconds=2, milliseconds=340),
        accuracy_us=500_000,
        token_sha256=sha256(b"token"),
        certificate_sha256=sha256(b"certificate"),
    )


def a_court() -> CourtFacts:
    return CourtFacts(
        chain_id="court-cq-1",
        height=120,
        block_hash=sha256(b"block"),
        time=NOW + timedelta(seconds=9),
        validators=(("重庆市渝中区人民法院", True), ("重庆市第五中级人民法院", False)),
    )


def an_exhibit(index: int = 1, *, files: tuple[FileFacts, ...] | None = None, **changes: object) -> Exhibit:
    leaf_hash = sha256(b"leaf %d" % index)
    facts: dict[str, object] = {
        "number": format_number(Prefix.EVIDENCE, leaf_hash),
        "leaf_hash": leaf_hash,
        "seq": 41 + index,
        "statement": DigestPair.of(b"statement"),
        "files": files or (a_file(1), a_file(2)),
        "checkpoint": CheckpointFacts(origin="desk.example/7KQ2M3", size=99, root=sha256(b"root")),
        "registered": NOW,
        "logged": NOW + timedelta(milliseconds=12),
        "token": a_token(),
        "exhibit_no": "原告证据 3",
        "title": "2026 年 3 月与被告的微信聊天记录及附件",
        "kind": "communication",
        "purpose": "证明被告于 2026 年 3 月 5 日确认欠付货款 132,000 元",
        "clock": ClockFacts(zone="Asia/Shanghai", offset_ms=-14, sources=("ntp.ntsc.ac.cn",)),
        "operator": Person(name="张㛃", role="原告代理律师", identification="执业证号核对"),
        "witness": Person(name="李𬱖", role="律师助理", signed=True),
        "interest": "操作人为原告代理人，与本案有利害关系",
        "source": SourceFacts(obtained="由原告手机导出", from_whom="原告 王䶮", is_original=False),
        "tools": (
            Tool(name="证据台", version="0.1.0", sha256=sha256(b"tool")),
            Tool(name="adb", version="1"),
        ),
        "custody": (CustodyEvent(at=NOW, action="sealed", operator="张㛃"),),
        "last_recheck": NOW,
        "attachments": (f"proof-{index:03d}.json", f"statement-{index:03d}.json"),
    }
    return Exhibit(**(facts | changes))  # type: ignore[arg-type]


def a_certificate(*exhibits: Exhibit, **changes: object) -> Certificate:
    items = exhibits or (an_exhibit(),)
    facts: dict[str, object] = {
        "number": certificate_number(
            exhibits=[item.leaf_hash for item in items], version=1, issued=NOW, origin="desk.example/7KQ2M3"
        ),
        "version": 1,
        "issued": NOW,
        "language": "zh",
        "issuer": "演示签署人 𠮷",
        "exhibits": items,
        "case": CaseFacts(
            number="(2026)渝0103民初1号",
            court="重庆市渝中区人民法院",
            parties=("原告 王䶮", "被告 𬭎盛商贸有限公司"),
            cause="买卖合同纠纷",
        ),
        "demo": (DemoReason.TOKEN, DemoReason.SIGNER),
        "program": "证据台 0.1.0",
        "keys": (("日志签名密钥", "某律师事务所"),),
        "commands": ("pdfdetach -saveall certificate.pdf", "sha256sum 原始文件"),
    }
    return Certificate(**(facts | changes))  # type: ignore[arg-type]


CAPTURE = an_exhibit(
    2,
    capture=a_manifest(NOW - timedelta(minutes=3)),
    court=a_court(),
    blinded=True,
    files_root=sha256(b"files"),
)


@dataclass(frozen=True)
class Signing:
    """A demo CA, its signer and its authority."""

    ca: pki.Identity
    identity: pki.Identity
    signer: PdfSigner
    issuer: Issuer
    serials: count = field(default_factory=lambda: count(1))

    def timestamp(self, digest: bytes) -> bytes:
        request = build_request(hash_oid=SHA256, imprint=digest, nonce=None)
        response = issue(self.issuer, request, serial=next(self.serials), time=datetime.now(UTC))
        return bytes(tsp.TimeStampResp.load(response)["time_stamp_token"].dump())

    def sign(self, pdf: bytes, *, language: Language = Language.ZH) -> bytes:
        return sign_certificate(
            pdf, signer=self.signer, timestamp=self.timestamp, moment=datetime.now(UTC), language=language
        )

    def issue_certificate(self, certificate: Certificate) -> bytes:
        language = Language(certificate.language)
        return self.sign(render(certificate).pdf, language=language)

    def verify(self, pdf: bytes, *, trusted: bool = True) -> CertificateVerdict:
        roots = (self.ca.certificate,) if trusted else ()
        crls = (self.ca.crl,) if trusted else ()
        return verify_certificate(
            pdf,
            trust=CertificateTrust(roots=roots, crls=crls),
            token_trust=TokenTrust(roots=roots, crls=crls),
            now=datetime.now(UTC) + timedelta(seconds=2),
        )


def render(certificate: Certificate):
    attachments = {"proof-001.json": Attachment(data=b'{"v":"proof/1"}', media_type="application/json")}
    return render_certificate(certificate, attachments=attachments, language=Language(certificate.language))


def make_signing(
    now: datetime, *, name: str = "演示签署人 𠮷", kind: pki.KeyKind = pki.KeyKind.P256
) -> Signing:
    start = now - timedelta(days=1)
    ca = pki.make_ca("演示根", pki.generate_key(kind), not_before=start, years=10)
    identity = pki.make_signer_certificate(name, pki.generate_key(kind), ca, not_before=start, years=5)
    authority = pki.make_tsa_certificate("演示时间戳", pki.generate_key(kind), ca, not_before=start, years=5)
    issuer = Issuer(authority, policy=DEMO_TSA_POLICY, accuracy=timedelta(milliseconds=500))
    return Signing(ca=ca, identity=identity, signer=PdfSigner(identity), issuer=issuer)
