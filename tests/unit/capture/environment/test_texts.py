"""Every reason, check, outcome and fact of the environment report has its words in both languages."""

from __future__ import annotations

import ast

import pytest

from evidence_desk.capture import environment
from evidence_desk.core.capture.environment import Check, Outcome, When
from evidence_desk.texts import Language, has, sentences
from tests import codes
from tests.unit.test_texts import fields

PACKAGE = f"{environment.__name__}."


def reasons() -> dict[str, set[frozenset[str]]]:
    """Codes given to `because` here, with the facts beside them."""
    found: dict[str, set[frozenset[str]]] = {}
    for module in codes.modules():
        if not f"{module.name}.".startswith(PACKAGE):
            continue
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.startswith("environment.")
            ):
                found.setdefault(node.value, set())
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "because" and node.keywords:
                given = frozenset(item.arg for item in node.keywords if item.arg)
                spread = any(item.arg is None for item in node.keywords)
                if isinstance(node.args[0], ast.Constant) and not spread:
                    found.setdefault(str(node.args[0].value), set()).add(given)
    return found


def test_the_scan_sees_them():
    assert {"environment.clock.agree", "environment.profile.left", "environment.late"} <= set(reasons())
    assert len(reasons()) > 90


@pytest.mark.parametrize("language", Language)
def test_every_reason_has_a_sentence_that_asks_for_facts_it_is_given(language):
    for code, given in reasons().items():
        assert has(code, language), code
        for facts in given:
            assert fields(sentences(language)[code]) <= facts, code


@pytest.mark.parametrize("language", Language)
def test_names_are_whole(language):
    wanted = [f"environment.item.{check.value}" for check in Check]
    wanted += [f"environment.outcome.{outcome.value}" for outcome in Outcome]
    wanted += [f"environment.when.{when.value}" for when in When]
    wanted += [f"environment.fact.{name}" for name in facts()]
    assert [code for code in wanted if not has(code, language)] == []


def facts() -> set[str]:
    """Names put into ``found.facts[…]``."""
    return {
        node.slice.value
        for module in codes.modules()
        if f"{module.name}.".startswith(PACKAGE)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "facts"
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }


def test_the_scan_sees_facts():
    assert {"servers", "added", "answers", "signatures"} <= facts()


@pytest.mark.parametrize("language", Language)
def test_no_sentence_is_left_over(language):
    used = set(reasons()) | {"environment.ntp", "environment.ntp.advice"}
    prefixes = (
        "environment.item.",
        "environment.outcome.",
        "environment.when.",
        "environment.fact.",
        "environment.report.",
    )
    left = {
        code
        for code in sentences(language)
        if code.startswith("environment.") and not code.startswith(prefixes)
    } - used
    assert left == set()
