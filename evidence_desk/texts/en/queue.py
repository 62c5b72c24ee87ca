"""Sentences of the area queue, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "seal.duplicate": "“{path}” has exactly the files of exhibit {number} of this case; it was not sealed again.",
    "stage.enqueue": "examining files",
    "input.gone": "The device or network place of “{path}” went away while it was read ({reason}); it was not sealed.",
    "input.gone.advice": "Plug the stick or disk in again or restore the network, make sure that the file opens, then choose “Retry”; other files are not affected.",
    "queue.busy": "The queue is being worked on.",
    "queue.busy.advice": "Wait until that is done, or cancel it first.",
    "queue.state.waiting": "Waiting",
    "queue.state.working": "Being sealed",
    "queue.state.sealed": "Sealed",
    "queue.state.duplicate": "Sealed before",
    "queue.state.failed": "Not sealed",
    "queue.state.canceled": "Canceled",
    "queue.interrupted": "The program ended without warning last time. The queue was restored: {waiting} items still wait, of which {interrupted} were in hand since {since} and are done anew. What was sealed is not affected.",
    "queue.left": "{waiting} items were not sealed last time; they are still in the queue.",
    "queue.draft": "The form is again as it was kept at {saved}; check it before you seal.",
    "queue.repeated": "{count} items were in the queue already and were not added again.",
    "queue.stopped": "The vault could take no more and the queue stopped; {waiting} items wait and can go on once the cause is removed.",
}
