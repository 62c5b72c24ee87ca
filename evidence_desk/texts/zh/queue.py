"""Sentences of the area queue, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "seal.duplicate": "“{path}”与本案证据 {number} 的文件完全相同，未重复存证。",
    "stage.enqueue": "检查文件",
    "input.gone": "读取“{path}”时，其所在的设备或网络位置已断开（{reason}），未予存证。",
    "input.gone.advice": "请重新插好 U 盘或移动硬盘、恢复网络连接，确认文件能打开，然后点“重试”；其他文件不受影响。",
    "queue.busy": "待存证队列正在处理中。",
    "queue.busy.advice": "请等待当前处理完成，或先取消它。",
    "queue.state.waiting": "等待存证",
    "queue.state.working": "正在存证",
    "queue.state.sealed": "已存证",
    "queue.state.duplicate": "与已有证据相同",
    "queue.state.failed": "未存证",
    "queue.state.canceled": "已取消",
    "queue.interrupted": "上次程序意外中断，队列已恢复：还有 {waiting} 项等待存证，其中 {interrupted} 项自 {since} 起正在处理，将重新处理。已存证的不受影响。",
    "queue.left": "上次还有 {waiting} 项没有存证，仍在队列中。",
    "queue.draft": "表单已恢复为 {saved} 保存的内容，存证前请核对。",
    "queue.repeated": "有 {count} 项已在队列中，没有重复加入。",
    "queue.stopped": "存证库无法继续写入，队列已停止；还有 {waiting} 项等待，排除原因后可继续。",
}
