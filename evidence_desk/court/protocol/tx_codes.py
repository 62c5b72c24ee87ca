"""Why the network refuses a transaction, as numbers: they enter the next header (last_results_hash), meanings never change."""

from __future__ import annotations

from enum import IntEnum


class TxCode(IntEnum):
    """Codes of transactions, version 1."""

    OK = 0
    MALFORMED = 1
    """No transaction of this network in canonical form."""
    EXPIRED = 2
    KNOWN = 3
    """Executed before, or without any effect left to have: a success for who sent it again."""
    SIGNATURE = 4
    """A signature is wrong, or one that is needed is missing."""
    APPROVAL = 5
    """Not more than two thirds of the institutions."""
    DESK_UNKNOWN = 6
    """No such origin, or a checkpoint signed by a key that no desk ever had."""
    DESK_INACTIVE = 7
    """Closed, or revoked."""
    CONFLICT = 8
    """The network's log has another size than the transaction starts from, or it grew in the block that rotates keys."""
    FORK = 9
    """A root other than that of the log the network knows."""
    LEAF = 10
    """A leaf that is malformed, not at its place, or one event too many about another."""
    QUOTA = 11
    """Too large, or too many look-up occurrences in this block."""
    ORIGIN = 12
    """Origin registered already, or not the successor of the log before it."""
    KEYS = 13
    """Keys in use elsewhere, or not those whose digests were registered."""
    PROPOSAL = 14
    """Unknown, lapsed or executed proposal."""
    VALIDATORS = 15
    """A change of the validator set that cannot be made, or not in this block."""
    VALUE = 16
    """A number out of its range."""
    UNPROVEN = 17
    """A report that does not prove itself."""
