"""Sentences of the area examine, zh: what a judge drops, types or scans, and the answer to it."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    # What was asked.
    "question.empty": "没有输入内容。",
    "question.empty.advice": "请输入存证编号（ED-…）、证书编号（EC-…）、64 位十六进制摘要（SHA-256 或 SM3），或二维码的内容；也可以直接拖入文件。",
    "question.too_long": "输入的内容过长（超过 {limit} 个字符），不是编号、摘要或二维码内容，未作处理。",
    "question.too_long.advice": "请只输入编号、摘要或二维码的内容；要核对一段文字，请先存为文件，再拖入该文件。",
    "question.unknown": "无法识别输入的内容。",
    "question.unknown.advice": "可以输入：存证编号（ED-XXXX-XXXX-XXXX-XXXX-X）、证书编号（EC-…）、64 位十六进制摘要（SHA-256 或 SM3），或证书二维码的内容（以 ED1 开头）。",
    "question.digest": "这像是摘要，但不是 64 位十六进制数字：位数不对，或者是别的算法的摘要。",
    "question.digest.advice": "只接受 SHA-256 或 SM3 摘要，各为 64 位；请核对有无漏字、多字，MD5、SHA-1 摘要不能用于查询。",
    "malformed.code": "二维码的内容不是存证证书的二维码，或者残缺、被改动。",
    "malformed.code.advice": "证书二维码的内容以“ED1 leaf=”开头，载有完整的日志条目摘要和网络名称；请重新扫描，或改为输入证书上印的存证编号。不要打开二维码里的网址：程序只读取其中的摘要，不采信任何网站的说法。",
    "lookup.certificate_number": "证书编号 {number} 书写正确，但证书编号不上链，不能凭它向法院节点网络查询。",
    "lookup.certificate_number.advice": "请送验证书 PDF 文件，或输入证书上印的存证编号（ED-…）。",
    "lookup.other_chain": "二维码指的是另一个网络（{chain}），不是现在可以查询的网络（{ours}），未予查询。",
    "lookup.other_chain.advice": "请用该网络的信任根和网关查询，或到该网络的查验门户查询。",
    "stage.codes": "识读二维码",
    "verdict.answer.passed.lookup/1": "通过：该文件与法院节点网络所载日志条目登记的文件一致。",
}
