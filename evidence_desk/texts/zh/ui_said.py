"""Sentences of the area ui_said, zh: ``ui_said.CODE`` stands for CODE in the window, where CODE names commands or options."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "ui_said.annotate.archived.advice": "请先在“案件”页取消归档，或者存入另一案件。归档不删除任何内容。",
    "ui_said.certify.no_signer.advice": "请在“出证”页的“密钥与人员”中设置签名密钥。",
    "ui_said.revoke.no_reason.advice": "请写明撤销的理由。",
    "ui_said.correct.no_note.advice": "请写明更正的内容。",
    "ui_said.output.exists.advice": "请换一个文件名，或者存到别的文件夹。",
    "ui_said.authority_setting.exists.advice": "请另取名称，或先移除原有的机构。",
    "ui_said.vault.no_secret.advice": "密钥不进入备份。请重新设置：时间戳机构在“设置”页，签名密钥在“出证”页的“密钥与人员”。",
    "ui_said.certify.two_person.advice": "请在“出证”页送交复核，由第二人以本人凭据复核后签发；或者在“密钥与人员”中关闭双人出证。",
    "ui_said.confirm.no_first.advice": "请填写承办人姓名。",
    "ui_said.confirm.no_second.advice": "请选择复核人。",
    "ui_said.person.no_key.advice": "从备份恢复的存证库不含密钥：请在“密钥与人员”中停用原有登记后重新登记；凭据在 PKCS#12 文件中的，请选择该文件。",
    "ui_said.signer.ask_pin_last": "注意：设备提示只剩最后一次机会，再输错将被锁定；没有把握时请点“取消”。",
    "ui_said.network.no_trust.advice": "请选择含有该网络信任根的文件夹（其中的 trust.json 须列出网络）。",
    "ui_said.network.not_joined.advice": "请在“设置”页的“网络”中加入网络。",
    "ui_said.network.no_gateways.advice": "请在“设置”页的“网络”中增加网关；不能联网的终端可用文件往返上链，做法见使用手册“上链”。",
    "ui_said.anchor.not_registered.advice": "请在“设置”页的“网络”中加入网络并申请登记；登记之前存证照常进行。",
    "ui_said.anchor.ahead.advice": "请勿继续写入此存证库：请使用最新的存证库，或按使用手册“备份与恢复”恢复，并开启后继日志。网络的答复已保存备查。",
    "ui_said.anchor.conflict.advice": "不会覆盖网络的记录。请停止使用此存证库，保留现状；可在“设置”页的“安全”中核查整个日志，并联系网络的运营机构。",
    "ui_said.anchor.refused.advice": "请在“状态”页点“立即检查”查看原因；存证不受影响，待发内容会继续等待。",
    "ui_said.erase.no_reason.advice": "请写明事由；它会记入日志的删除记录。",
    "ui_said.erase.already.advice": "无须再次删除；各网关的密钥包副本在下次上链时更换。",
    "ui_said.keyring.stale.advice": "请输入现在的口令；需要时再保存一次。",
    "ui_said.trust.missing.advice": "请选择含有 trust.json 的文件夹，例如存证库中的 trust 文件夹。",
    "ui_said.verify.unrecognized.advice": "请确认文件是否选错；要核对原件，请先核验证书或证明文件，再添加原件。",
    "ui_said.capture_disclose.nothing.advice": "请选择要略去或公开的内容；要交出全部内容，请导出证据包。",
    "ui_said.capture_disclose.needed.advice": "如要略去网页内容，请填写要略去记录的网址。",
    "ui_said.capture_disclose.no_capture.advice": "请选择网页取证的存证。",
    "ui_said.capture_disclose.unsound.advice": "请先在“核验”页核对这次取证的 .wacz 文件；如果取证本身有误，请保留现状并联系技术支持。",
    "ui_said.capture_replay.no_display.advice": "请在桌面环境中运行本程序。",
}
