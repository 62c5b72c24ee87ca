"""Which session a resumed one goes back to: the first of the chain, where the server showed its certificate."""

from __future__ import annotations

from collections.abc import Mapping

from evidence_desk.wacz.tls.facts import TlsFacts


def first_sessions(sessions: Mapping[int, TlsFacts]) -> dict[int, int | None]:
    """For each resumed session the number of the first one, None when that is not among `sessions`.

    A session is linked to the one that gave out its ticket (or session ID) to the same server name. The link is as good
    as the key log: the secret behind a ticket is not in it, so the binder cannot be checked.
    """
    issuers: dict[bytes, int] = {}
    for number, facts in sessions.items():
        for ticket in facts.issued:
            issuers.setdefault(ticket, number)
    return {number: _first(number, sessions, issuers) for number, facts in sessions.items() if facts.resumed}


def _first(number: int, sessions: Mapping[int, TlsFacts], issuers: Mapping[bytes, int]) -> int | None:
    name = sessions[number].sni
    passed = set()
    while sessions[number].resumed:
        link = sessions[number].resumed_from
        found = None if link is None else issuers.get(link)
        if found is None or found in passed or found == number or sessions[found].sni != name:
            return None
        passed.add(number)
        number = found
    return number
