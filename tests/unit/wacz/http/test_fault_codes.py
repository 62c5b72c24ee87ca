"""Every fault of HTTP has its sentences."""

import ast
import re
from pathlib import Path

import pytest

from evidence_desk.texts import Language, has, sentences

SOURCE = Path(__file__).parents[4] / "evidence_desk" / "wacz" / "http"
CODE = re.compile(r"(http|http1|http2|websocket|content)\.[a-z_]+\Z")


def codes() -> set[str]:
    return {
        node.value
        for path in SOURCE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.match(node.value)
    }


@pytest.mark.parametrize("language", Language)
def test_each_has_its_sentence_and_no_sentence_is_left_over(language):
    assert {"http.truncated", "http2.hpack", "websocket.malformed", "content.ratio"} <= codes()
    assert sorted(code for code in codes() if not has(code, language)) == []
    assert sorted(code for code in sentences(language) if CODE.match(code) and code not in codes()) == []
