"""Sentences of the area ui_said, en: ``ui_said.CODE`` stands for CODE in the window, where CODE names commands or options."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "ui_said.annotate.archived.advice": "Take it out of the archive on the page Cases first, or seal into another case. Archiving deletes nothing.",
    "ui_said.certify.no_signer.advice": "Set up a signing key on the page Certify, under “Key and persons”.",
    "ui_said.revoke.no_reason.advice": "State the reason for the revocation.",
    "ui_said.correct.no_note.advice": "State the correction.",
    "ui_said.output.exists.advice": "Choose another name or another folder.",
    "ui_said.authority_setting.exists.advice": "Choose another name, or remove that authority first.",
    "ui_said.vault.no_secret.advice": "Keys are not in backups. Set it up again: timestamp authorities on the page Settings, the signing key on the page Certify under “Key and persons”.",
    "ui_said.certify.two_person.advice": "Hand the draft over for review on the page Certify, so that a second person confirms it with a credential of their own; or turn two-person mode off under “Key and persons”.",
    "ui_said.confirm.no_first.advice": "Enter the name of the person who handles the certificate.",
    "ui_said.confirm.no_second.advice": "Choose the person who confirms.",
    "ui_said.person.no_key.advice": "A vault restored from a backup has no keys: retire the entry under “Key and persons” and enroll anew; for a credential in a PKCS#12 file, choose that file.",
    "ui_said.signer.ask_pin_last": "Caution: the token says that only one try is left before it locks; if you are not sure, choose Cancel.",
    "ui_said.network.no_trust.advice": "Choose the folder with the network's trust root (its trust.json must list the network).",
    "ui_said.network.not_joined.advice": "Join a network on the page Settings, under “Network”.",
    "ui_said.network.no_gateways.advice": "Add a gateway on the page Settings, under “Network”; a desk without network connection anchors by files, see the manual on anchoring.",
    "ui_said.anchor.not_registered.advice": "Join the network and ask for registration on the page Settings, under “Network”; sealing goes on meanwhile.",
    "ui_said.anchor.ahead.advice": "Do not write to this vault any more: use the newest one, or restore it as the manual says on backups, which opens a successor log. The network's answer is kept.",
    "ui_said.anchor.conflict.advice": "The network's record is not overwritten. Stop using this vault and keep everything as it is; check the whole log on the page Settings, under “Security”, and contact the operators of the network.",
    "ui_said.anchor.refused.advice": "“Check now” on the page Status tells the reason; what is sealed is not affected, what waits goes on waiting.",
    "ui_said.erase.no_reason.advice": "State the reason; it goes into the log's record of the erasure.",
    "ui_said.erase.already.advice": "Nothing is left to erase; the copies of the keybag at gateways are replaced with the next anchoring.",
    "ui_said.keyring.stale.advice": "Enter the present passphrase; store it again if wanted.",
    "ui_said.trust.missing.advice": "Choose a folder with trust.json, such as the folder trust of a vault.",
    "ui_said.verify.unrecognized.advice": "Check that this is the right file. To check an original, verify the certificate or proof first, then add the original.",
    "ui_said.capture_disclose.nothing.advice": "Choose what is left out or opened; to hand over everything, export the package.",
    "ui_said.capture_disclose.needed.advice": "To leave out what pages hold, give the addresses of the records to be left out.",
    "ui_said.capture_disclose.no_capture.advice": "Choose an exhibit that is a web capture.",
    "ui_said.capture_disclose.unsound.advice": "Put the capture's .wacz file before the page Verify first; if the capture itself is wrong, leave everything as it is and ask for help.",
    "ui_said.capture_replay.no_display.advice": "Run this program in a desktop environment.",
}
