"""The printable record of a founding ceremony: what was read aloud, and room for signatures."""

from __future__ import annotations

from collections.abc import Sequence

from evidence_desk.court.node.ceremony import Founding, GenesisFile, Member, fingerprint
from evidence_desk.texts import Language, sentence


def ceremony_record(
    made: Founding, genesis: GenesisFile, members: Sequence[Member], language: Language
) -> str:
    """Text of the record in one language."""

    def say(code: str, **facts: str | int) -> str:
        return sentence(code, facts, language)

    lines = [
        say("ceremony.record.title"),
        "",
        say("ceremony.record.chain", chain_id=made.chain_id),
        say("ceremony.record.time", time=genesis.time.text()),
        say("ceremony.record.count", count=len(members), needed=2 * len(members) // 3 + 1),
        "",
        say("ceremony.genesis_fingerprint", fingerprint=fingerprint(made.genesis)),
        say("ceremony.network_fingerprint", fingerprint=fingerprint(made.network)),
        "",
        say("ceremony.record.read_aloud"),
    ]
    for number, item in enumerate(sorted(members, key=lambda member: member.institution), 1):
        lines += [
            "",
            say("ceremony.record.member", number=number, name=item.name, institution=item.institution),
            "   " + say("ceremony.record.node", node_id=item.node_id, peer=item.peer or "—"),
            "   " + say("ceremony.record.consensus", fingerprint=fingerprint(item.consensus_key)),
            "   " + say("ceremony.record.governance", fingerprint=fingerprint(item.governance_key)),
            "   " + say("ceremony.record.sign"),
        ]
    return "\n".join([*lines, "", say("ceremony.record.end")]) + "\n"
