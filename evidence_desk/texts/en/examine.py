"""Sentences of the area examine, en: what a judge drops, types or scans, and the answer to it."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    # What was asked.
    "question.empty": "Nothing was entered.",
    "question.empty.advice": "Enter an evidence number (ED-…), a certificate number (EC-…), a digest of 64 hexadecimal digits (SHA-256 or SM3), or the content of a QR code; or drop a file.",
    "question.too_long": "The text is too long (more than {limit} characters) to be a number, a digest or the content of a QR code; nothing was done with it.",
    "question.too_long.advice": "Enter only the number, digest or content of the QR code. To check a text, save it as a file and drop the file.",
    "question.unknown": "The text is not recognized.",
    "question.unknown.advice": "Accepted are: an evidence number (ED-XXXX-XXXX-XXXX-XXXX-X), a certificate number (EC-…), a digest of 64 hexadecimal digits (SHA-256 or SM3), and the content of a certificate's QR code (begins with ED1).",
    "question.digest": "This looks like a digest but does not have 64 hexadecimal digits: digits are missing or too many, or it is of another algorithm.",
    "question.digest.advice": "Only SHA-256 and SM3 digests are accepted, of 64 digits each; check for missing digits. MD5 and SHA-1 digests cannot be looked up.",
    "malformed.code": "The content of the QR code is not that of an evidence certificate, or it is incomplete or altered.",
    "malformed.code.advice": "The code of a certificate begins with “ED1 leaf=” and holds the full digest of the log entry and the name of the network. Scan again, or enter the evidence number printed on the certificate. Do not open an address in the code: the program reads only the digest and believes no web site.",
    "lookup.certificate_number": "The certificate number {number} is written correctly, but certificate numbers are not on chain: the court network cannot be asked by it.",
    "lookup.certificate_number.advice": "Submit the certificate PDF, or enter the evidence number (ED-…) printed on the certificate.",
    "lookup.other_chain": "The QR code names another network ({chain}), not the one that can be asked here ({ours}); nothing was asked.",
    "lookup.other_chain.advice": "Ask with the trust roots and gateways of that network, or at its portal.",
    "stage.codes": "Reading QR codes",
    "verdict.answer.passed.lookup/1": "Passed: the file is the one that a log entry on the court network names.",
}
