import string
from collections import defaultdict
from importlib import import_module

import pytest

from evidence_desk import texts
from evidence_desk.errors import BugError, MalformedError
from evidence_desk.texts import AREAS, Language, error_sentences, has, sentence, sentences
from tests import codes


def area(language: Language, name: str) -> dict[str, str]:
    return dict(import_module(f"{texts.__name__}.{language.value}.{name}").SENTENCES)


def fields(template: str) -> set[str]:
    """Names in braces; positions, attributes and indexes are no names and show up as they are."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("name", AREAS)
def test_both_languages_say_the_same(name):
    zh, en = area(Language.ZH, name), area(Language.EN, name)
    assert set(zh) - set(en) == set(), "only in zh"
    assert set(en) - set(zh) == set(), "only in en"
    assert {code for code in zh if fields(zh[code]) != fields(en[code])} == set(), "other parameters"


def test_no_code_belongs_to_two_areas():
    homes = defaultdict(list)
    for name in AREAS:
        for code in area(Language.ZH, name):
            homes[code].append(name)
    assert {code: names for code, names in homes.items() if len(names) > 1} == {}


@pytest.mark.parametrize("language", Language)
def test_templates_are_sound(language):
    for code, template in sentences(language).items():
        assert template.strip() == template or template.strip() in {",", ";"}, code
        assert template, code
        assert all(name.isidentifier() for name in fields(template)), code
        template.format_map(defaultdict(str))


FORBIDDEN = {
    Language.ZH: (
        "具有法律效力", "法律效力", "不可篡改", "无法篡改", "不能篡改", "防篡改", "可信时间戳", "区块链", "绝对", "权威认证",
        "司法认可", "法院认可", "确保真实", "真实有效", "证明真实", "公证",
    ),
    Language.EN: (
        "legally binding", "legal effect", "legally valid", "immutable", "tamper-proof", "unforgeable", "court-approved",
        "trusted timestamp", "blockchain", "notarized", "notarised",
    ),
}  # fmt: skip
ALLOWED = {
    Language.ZH: ("不是公证", "并非公证", "不等于公证", "不代替公证", "不构成公证", "公证机构", "公证员", "公证处", "不具有法律效力", "不表示具有法律效力"),
    Language.EN: ("not notarized", "no legal effect"),
}  # fmt: skip
"""Denials, and the names of institutions and people."""


@pytest.mark.parametrize("language", Language)
def test_no_sentence_claims_what_we_must_not(language):
    offenders = []
    for code, template in sentences(language).items():
        said = template.lower()
        for allowed in ALLOWED[language]:
            said = said.replace(allowed, "")
        offenders += [f"{code}: {word}" for word in FORBIDDEN[language] if word in said]
    assert offenders == []


def places(uses: list[codes.Use]) -> dict[str, str]:
    return {use.code: use.place for use in uses}


@pytest.mark.parametrize("language", Language)
def test_every_error_has_a_sentence_and_an_advice(language):
    missing = []
    for code, place in sorted(places(codes.errors()).items()):
        shared = code.startswith("bug.") and not has(code, language)
        name = "bug" if shared else code
        missing += [
            f"{wanted}  ({place})" for wanted in (name, f"{name}.advice") if not has(wanted, language)
        ]
    assert not missing, "without sentence:\n" + "\n".join(missing)


@pytest.mark.parametrize("language", Language)
def test_every_finding_caveat_and_fault_has_a_sentence(language):
    missing = [
        f"{code}  ({place})"
        for code, place in sorted(places(codes.findings()).items())
        if not has(code, language)
    ]
    assert not missing, "without sentence:\n" + "\n".join(missing)


def test_sentences_ask_only_for_facts_that_errors_carry():
    wanting = []
    for use in codes.errors():
        if use.facts is None:
            continue
        for code in (use.code, f"{use.code}.advice"):
            lacking = fields(sentences(Language.ZH).get(code, "")) - use.facts - {"code"}
            wanting += [f"{code} wants {sorted(lacking)}  ({use.place})"] if lacking else []
    assert not wanting, "\n".join(wanting)


def test_the_scan_sees_errors_and_findings():
    """So that an empty scan cannot pass for a clean one."""
    assert {"malformed.leaf", "log.root_mismatch", "bug.canonical"} <= set(places(codes.errors()))
    assert {"statement.digest.wrong", "token.signature.passed"} <= set(places(codes.findings()))


@pytest.mark.parametrize("language", Language)
def test_filling(language):
    what, advice = error_sentences(MalformedError("malformed.too_large", what="{x}", limit=5), language)
    assert "{x}" in what
    assert "5" in what
    assert advice
    lacking = sentence("malformed.too_large", {}, language)
    assert "—" in lacking
    assert "{" not in lacking
    assert sentence("no.such", {}, language) == "no.such"
    assert sentence("no.such", {"a": 1}, language) == "no.such {'a': 1}"
    assert error_sentences(MalformedError("no.such"), language) == ("no.such", "")


@pytest.mark.parametrize("language", Language)
def test_bugs_share_their_sentences(language):
    what, advice = error_sentences(BugError("bug.never_heard_of", size=3), language)
    assert "bug.never_heard_of (size=3)" in what
    assert advice
