"""Checkpoints of a long log are read by their Ed25519 signature alone."""

from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.log import ed25519_checkpoint
from evidence_desk.core.note import sign_note
from evidence_desk.errors import IntegrityError
from tests.fixed import KEYS, SIGNER, FixedSigner, refusal

STRANGER = FixedSigner(b"stranger")
CHECKPOINT = Checkpoint(origin=KEYS.name, size=3, root=b"\1" * 32)


def note(
    *, ed25519: FixedSigner = SIGNER, sm2: FixedSigner = SIGNER, checkpoint: Checkpoint = CHECKPOINT
) -> bytes:
    return sign_note(checkpoint.text(), KEYS, ed25519=ed25519.sign_ed25519, sm2=sm2.sign_sm2).encode()


def test_only_the_ed25519_signature_counts():
    assert ed25519_checkpoint(note(), KEYS) == CHECKPOINT
    assert ed25519_checkpoint(note(sm2=STRANGER), KEYS) == CHECKPOINT
    with refusal("log.checkpoint_signature", IntegrityError):
        ed25519_checkpoint(note(ed25519=STRANGER), KEYS)


def test_another_origin_is_refused():
    other = Checkpoint(origin=KEYS.name.replace("/1", "/2"), size=3, root=b"\1" * 32)
    with refusal("log.checkpoint_origin", IntegrityError):
        ed25519_checkpoint(note(checkpoint=other), KEYS)
