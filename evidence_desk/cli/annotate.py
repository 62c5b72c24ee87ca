"""``evidence-desk tag``, ``note`` and ``archive``: the desk's own order of things, no part of the evidence."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from evidence_desk.cli.describe import note_json, print_notes
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.core.browse_ports import Note
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services import annotate
from evidence_desk.services.desk import Desk
from evidence_desk.services.find import one_exhibit
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

NumberArgument = Annotated[str, typer.Argument(help="存证编号或完整条目哈希 / evidence number or leaf hash")]


def tag(
    number: NumberArgument,
    tags: Annotated[list[str] | None, typer.Argument(help="标签；不给出则列出 / tags; none: list")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="去掉标签 / take tags away")] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """给证据加标签、去标签、列出标签 / Tag an exhibit."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=not tags) as opened:
        row = one_exhibit(opened.desk, number)
        for name in [annotate.tag_name(item) for item in tags or ()]:
            if remove:
                changed = annotate.remove_tag(opened.desk, row.leaf_hash, name)
                out.say("tag.removed" if changed else "tag.absent", tag=name)
            else:
                changed = annotate.add_tag(opened.desk, row.leaf_hash, name)
                out.say("tag.added" if changed else "tag.there", tag=name)
        found = opened.vault.browse.tags(row.leaf_hash)
        out.say("tag.list" if found else "tag.none", tags=printable("  ".join(found)))
        out.document({"number": row.number, "tags": list(found)})


def note(
    number: NumberArgument,
    text: Annotated[str, typer.Argument(help="备注；不给出则列出 / the note; none: list")] = "",
    edit: Annotated[int | None, typer.Option("--edit", help="改写此序号的备注 / reword this note")] = None,
    remove: Annotated[
        int | None, typer.Option("--remove", help="删除此序号的备注 / remove this note")
    ] = None,
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """给证据写备注、改写、删除、列出备注 / Write, reword, remove or list notes on an exhibit."""
    changing = bool(text) or edit is not None or remove is not None
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=not changing) as opened:
        if remove is not None and (text or edit is not None):
            raise UsageError("cli.usage", message="--remove")
        row = one_exhibit(opened.desk, number)
        document: dict[str, Any] = {"number": row.number}
        if remove is not None:
            removed = annotate.remove_note(opened.desk, _own(opened.desk, row, remove).id)
            out.say("note.removed", note=remove)
            print_notes(out, [removed])
            document["removed"] = note_json(removed)
        elif edit is not None:
            before = _own(opened.desk, row, edit)
            after = annotate.edit_note(opened.desk, edit, text, author=operator)
            out.say("note.same" if after == before else "note.edited", note=edit)
        elif text:
            written = annotate.add_note(opened.desk, row.leaf_hash, text, author=operator)
            out.say("note.added", note=written.id)
        notes = opened.vault.browse.notes(row.leaf_hash)
        if not changing:
            print_notes(out, notes)
            if not notes:
                out.say("note.none")
        out.document({**document, "notes": [note_json(item) for item in notes]})


def archive(
    case: Annotated[str, typer.Argument(help="案号 / case number")],
    undo: Annotated[bool, typer.Option("--undo", help="取消归档 / take it out of the archive")] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """将案件归档，或者取消归档；不删除任何内容 / Archive a case, or bring it back; nothing is deleted."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        if undo:
            changed = annotate.unarchive_case(opened.desk, case)
            out.say("archive.undone" if changed else "archive.not_there", case=case)
        else:
            changed = annotate.archive_case(opened.desk, case)
            out.say("archive.done" if changed else "archive.there", case=case)
        out.document({"case": case, "archived": not undo, "changed": changed})


def _own(desk: Desk, row: ExhibitRow, note_id: int) -> Note:
    found = next((item for item in desk.store.browse.notes(row.leaf_hash) if item.id == note_id), None)
    if found is None:
        raise NotFoundError("annotate.no_note", note=note_id)
    return found
