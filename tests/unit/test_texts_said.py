"""Sentences that programs ask for by code: each exists, wants no fact it is not given, and lists are whole."""

from fnmatch import fnmatchcase

import pytest

from evidence_desk.core import verdict
from evidence_desk.core.verdict import Dimension, Policy, Status, Vouches
from evidence_desk.settings import AuthorityKind
from evidence_desk.texts import Language, has, sentences
from tests import codes
from tests.unit.test_texts import fields


@pytest.mark.parametrize("language", Language)
def test_every_sentence_asked_for_exists(language):
    missing = [
        f"{use.code}  ({use.place})"
        for use in codes.said()
        if not any(fnmatchcase(code, use.code) for code in sentences(language))
    ]
    assert not missing, "without sentence:\n" + "\n".join(missing)


def test_sentences_ask_only_for_facts_they_are_given():
    wanting = [
        f"{code} wants {sorted(fields(template) - use.facts)}  ({use.place})"
        for use in codes.said()
        if use.facts is not None
        for code, template in sentences(Language.ZH).items()
        if code == use.code and fields(template) - use.facts
    ]
    assert not wanting, "\n".join(wanting)


def test_the_scan_sees_them():
    """So that an empty scan cannot pass for a clean one."""
    seen = {use.code for use in codes.said()}
    assert {"init.done", "audit.faults", "audit.sound", "cli.new_passphrase", "report.*", "custody.*"} <= seen
    assert {"state.*.done", "state.*.waiting"} <= seen
    assert {"hash", "backup"} <= set(codes.literals("step", argument=0)) | set(
        codes.literals("progress", argument=1)
    )


def wanted() -> set[str]:
    """Members of lists that the source puts together from a prefix and a variable."""
    stages = codes.literals("step", argument=0) | codes.literals("progress", argument=1)
    states = ("registered", "logged", "timestamped", "anchored", "certified")
    return {
        *(f"stage.{name}" for name in stages),
        *(f"custody.{name}" for name in codes.literals("CustodyNote", argument="action")),
        *(f"custody.{name}" for name in ("damaged", "rechecked", "sealed")),
        *(f"state.{name}.{form}" for name in states for form in ("done", "waiting")),
        *(f"report.dimension.{item.value}" for item in Dimension),
        *(f"report.status.{item.value}" for item in Status),
        *(f"report.vouches.{item.value}" for item in Vouches),
        *(f"authority_setting.kind.{item.value}" for item in AuthorityKind),
        *(
            f"verdict.answer.passed.{item.name}"
            for item in vars(verdict).values()
            if isinstance(item, Policy)
        ),
    }


@pytest.mark.parametrize("language", Language)
def test_lists_are_whole(language):
    assert sorted(code for code in wanted() if not has(code, language)) == []


@pytest.mark.parametrize("language", Language)
def test_every_check_of_doctor_has_its_outcomes(language):
    names = codes.literals("Check", argument="name")
    assert {"packages", "vault", "clock"} <= set(names)
    lacking = [name for name in names if not has(f"doctor.{name}", language)]
    lacking += [name for name in names if not has(f"doctor.{name}.wrong", language) and name != "log"]
    assert lacking == []
