import pytest

from evidence_desk.court.node import engine
from evidence_desk.court.node.engine import ENGINE_VERSION, check_version, find_engine
from evidence_desk.errors import ConfigurationError


@pytest.fixture
def program(tmp_path):
    """A program that answers as the engine would."""

    def make(answer: str, *, name: str = "cometbft"):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{answer}\n")
        path.chmod(0o700)
        return path

    return make


@pytest.mark.parametrize("told", [ENGINE_VERSION, f"v{ENGINE_VERSION}", f"{ENGINE_VERSION}+0a1b2c3d"])
def test_the_pinned_version_is_taken(program, told):
    check_version(program(f"echo {told}"))


@pytest.mark.parametrize(
    "answer", ["echo 1.0.1", f"echo {ENGINE_VERSION}9", "exit 1", "printf '\\377\\376'", "echo"]
)
def test_another_version_is_refused(program, answer):
    with pytest.raises(ConfigurationError) as caught:
        check_version(program(answer))
    assert caught.value.code == "node.engine_version"
    assert caught.value.parameters["wanted"] == ENGINE_VERSION


def test_a_named_engine_is_the_only_one_looked_for(program, monkeypatch, tmp_path):
    right = program(f"echo {ENGINE_VERSION}")
    monkeypatch.setenv(engine.VARIABLE, str(right))
    assert find_engine() == right.resolve()
    monkeypatch.setenv(engine.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError) as caught:
        find_engine()
    assert caught.value.code == "node.engine_missing"


def test_the_engine_on_the_path(program, monkeypatch, tmp_path):
    right = program(f"echo {ENGINE_VERSION}")
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    monkeypatch.setattr(engine, "cached_engine", lambda: tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(right.parent))
    assert find_engine() == right.resolve()
    right.chmod(0o600)
    with pytest.raises(ConfigurationError):
        find_engine()
