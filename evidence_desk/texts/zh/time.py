"""Sentences of the area time, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.time_record": "时间证据记录的格式不正确（位置：{where}），不是严格编码的 RFC 4998 证据记录。",
    "malformed.time_record.advice": "请重新取得该记录的原始文件；不要用文本编辑器打开或另存。",
    "integrity.time_record": "时间戳所覆盖的哈希值与本批次哈希树的根不一致，未生成时间证据记录。",
    "integrity.time_record.advice": "本批次的时间戳不可用，请重新申请时间戳；如再次出现，请联系时间戳服务机构。",
    "bug.time_record": "程序内部错误：无法构建时间证据记录（{what}）。",
    "bug.time_record.advice": "请将此信息连同运行日志提交给软件维护人员。",
    "record.form.passed": "时间证据记录的格式符合 RFC 4998，共含 {stamps} 个存档时间戳。",
    "record.form.wrong": "时间证据记录的格式不正确（位置：{where}），无法采信其内容。",
    "record.algorithm.passed": "记录所用的哈希算法均已列明，且与各时间戳一致。",
    "record.algorithm.unknown": "第 {stamp} 个存档时间戳使用的哈希算法（{oid}）未知或已不安全，无法判断。",
    "record.algorithm.other_in_token": "第 {stamp} 个存档时间戳的哈希算法与其时间戳所载算法（{oid}）不一致。",
    "record.algorithm.unlisted": "第 {stamp} 个存档时间戳使用了记录未列明的哈希算法（{oid}）。",
    "record.algorithm.changed": "第 {stamp} 个存档时间戳在同一链中更换了哈希算法（{oid}），不符合 RFC 4998。",
    "record.group.passed": "记录首个列表中的哈希值与所核验的 {objects} 个对象相符。",
    "record.group.missing": "所核验的 {objects} 个对象中，有 {count} 个不在时间证据记录之内。",
    "record.group.extra": "时间证据记录中另有 {count} 个哈希值，不属于所核验的 {objects} 个对象。",
    "record.group.unknown": "所核验的 {objects} 个对象中，有 {count} 个缺少所需的哈希值，无法判断其是否在记录之内。",
    "record.group.nothing": "没有可供核验的对象，无法判断时间证据记录覆盖的是什么。",
    "record.renewed_group.passed": "第 {stamp} 个存档时间戳（哈希树续期）重新覆盖了全部 {objects} 个对象及此前的记录。",
    "record.renewed_group.missing": "第 {stamp} 个存档时间戳（哈希树续期）未覆盖 {objects} 个对象中的 {count} 个，或未覆盖此前的记录。",
    "record.renewed_group.extra": "第 {stamp} 个存档时间戳（哈希树续期）另有 {count} 个哈希值，不属于所核验的 {objects} 个对象。",
    "record.renewed_group.unknown": "缺少 {count} 个对象按续期所用算法计算的哈希值，无法判断第 {stamp} 个存档时间戳是否覆盖它们。",
    "record.renewed_group.nothing": "没有可供核验的对象，无法判断第 {stamp} 个存档时间戳（哈希树续期）。",
    "record.renewal.passed": "第 {stamp} 个存档时间戳覆盖了前一个时间戳（时间戳续期）。",
    "record.renewal.wrong": "第 {stamp} 个存档时间戳未覆盖前一个时间戳，续期中断。",
    "record.renewal.unknown": "第 {stamp} 个存档时间戳的哈希算法未知，无法判断其是否覆盖前一个时间戳。",
    "record.tree.passed": "第 {stamp} 个存档时间戳的哈希路径可计算至其时间戳所覆盖的根哈希值。",
    "record.tree.wrong": "第 {stamp} 个存档时间戳的哈希路径不能得到其时间戳所覆盖的哈希值。",
    "record.tree.unknown": "第 {stamp} 个存档时间戳的哈希算法未知，无法计算其哈希路径。",
    "record.order.passed": "各存档时间戳按时间先后排列。",
    "record.order.wrong": "第 {stamp} 个存档时间戳早于其前一个，时间次序不成立。",
}
