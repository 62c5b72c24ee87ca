"""Sentences of the area selftest, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "selftest.begin": "Self-test: every part by itself, then the whole job with demo keys (demo, no third party; your vault is not touched, no"
    " network is used)",
    "selftest.result.passed": "[passed]",
    "selftest.result.failed": "[FAILED]",
    "selftest.result.skipped": "[left out]",
    "selftest.result.not_tried": "[not tried]",
    "selftest.sqlcipher": "Encrypted database (SQLCipher, Chinese path)",
    "selftest.guomi": "National algorithms (SM2 by two implementations, SM3)",
    "selftest.ciphers": "Symmetric encryption (AES-GCM)",
    "selftest.certificates": "Certificates and signatures (RSA, P-256, SM2)",
    "selftest.age": "Encryption of originals (age)",
    "selftest.pdf": "PDF (made, rewritten, drawn, text taken out, Chinese font)",
    "selftest.pictures": "Pictures and QR codes",
    "selftest.archives": "Compression (Brotli, Zstandard, HPACK)",
    "selftest.connections": "Secure connections (nothing is sent)",
    "selftest.tokens": "Key tokens (PKCS#11; none needs to be plugged in)",
    "selftest.window": "Window (Qt, not shown on the screen)",
    "selftest.vault": "Make a vault and open it again",
    "selftest.seal": "Seal",
    "selftest.token": "Timestamp (embedded demo authority)",
    "selftest.certificate": "Certificate",
    "selftest.package": "Evidence package",
    "selftest.verify": "Verify package and certificate: must pass",
    "selftest.flipped": "Verify with one byte changed: must fail",
    "selftest.capture": "Web capture (the capture browser opens a test page on this machine)",
    "selftest.passed": "The self-test passed in all parts.",
    "selftest.skipped": "The self-test passed but for the {count} steps left out.",
    "selftest.failed": "{count} steps of the self-test did not pass. Save the result with --output and give it to whoever maintains this machine.",
    "selftest.step": "There is no step {step}",
    "selftest.step.advice": "The steps are: {steps}",
}
