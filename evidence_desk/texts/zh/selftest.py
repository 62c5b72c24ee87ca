"""Sentences of the area selftest, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "selftest.begin": "自检：逐项试用程序的各部分，再以演示密钥走一遍整个流程（演示/非第三方；不接触您的存证库，不连接外网）",
    "selftest.result.passed": "[通过]",
    "selftest.result.failed": "[失败]",
    "selftest.result.skipped": "[略过]",
    "selftest.result.not_tried": "[未试]",
    "selftest.sqlcipher": "加密数据库（SQLCipher，中文路径）",
    "selftest.guomi": "国密算法（SM2 两种实现互验、SM3）",
    "selftest.ciphers": "对称加密（AES-GCM）",
    "selftest.certificates": "证书与签名（RSA、P-256、SM2）",
    "selftest.age": "原件加密（age）",
    "selftest.pdf": "PDF（生成、重写、绘制、取字，中文字体）",
    "selftest.pictures": "图片与二维码",
    "selftest.archives": "压缩格式（Brotli、Zstandard、HPACK）",
    "selftest.connections": "安全连接组件（不发出请求）",
    "selftest.tokens": "密码钥匙组件（PKCS#11，不需要插入钥匙）",
    "selftest.window": "窗口（Qt，不显示在屏幕上）",
    "selftest.vault": "建立并重新打开存证库",
    "selftest.seal": "存证",
    "selftest.token": "取时间戳（内置演示机构）",
    "selftest.certificate": "出具存证证书",
    "selftest.package": "导出证据包",
    "selftest.verify": "核验证据包与证书：应当通过",
    "selftest.flipped": "改动一个字节后核验：应当未通过",
    "selftest.capture": "网页取证（取证浏览器打开本机的一个测试网页）",
    "selftest.passed": "自检全部通过。",
    "selftest.skipped": "除略过的 {count} 项外，自检全部通过。",
    "selftest.failed": "自检有 {count} 项没有通过。请用 --output 保存结果，交给维护人员。",
    "selftest.step": "没有名为 {step} 的自检项",
    "selftest.step.advice": "自检项有：{steps}",
}
