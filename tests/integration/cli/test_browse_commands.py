from __future__ import annotations

import pytest


@pytest.fixture
def number(run, prepared):
    return sealed(run, prepared, "合同.txt", "--case", "案一", "--purpose", "证明借款")


def sealed(run, prepared, name, *options) -> str:
    said = run("seal", prepared.files / name, *options, "--json")
    assert said.status == 0, said.out
    return str(said.document["exhibits"][0]["number"])


def listed(run, *options) -> list[str]:
    said = run("list", *options, "--json")
    assert said.status == 0, said.out + said.err
    return [item["number"] for item in said.document["exhibits"]]


def test_list_by_words_tags_kinds_and_states(run, prepared, number):
    other = sealed(run, prepared, "聊天记录/一.txt", "--case", "案二", "--kind", "communication")
    assert run("tag", number, "重要", "已核对", "--json").document["tags"] == ["已核对", "重要"]
    assert listed(run, "--search", "借款") == [number]
    assert listed(run, "--search", "借款 没有") == []
    assert listed(run, "--tag", "重要", "--tag", "已核对") == [number]
    assert listed(run, "--kind", "communication", "--case", "案二") == [other]
    assert number in listed(run, "--state", "timestamped", "--state", "not-certified")
    assert listed(run, "--state", "logged") == []
    assert listed(run, "--search", '"*NEAR(') == []
    (shown,) = run("list", "--search", "借款", "--json").document["exhibits"]
    assert shown["tags"] == ["已核对", "重要"]
    assert run("list", "--state", "x").status == 64


def test_tags(run, number):
    assert "重要" in run("tag", number, "重要").out
    assert "没有改动" in run("tag", number, "重要").out
    assert run("tag", number, "--json").document["tags"] == ["重要"]
    assert run("tag", number, "重要", "--remove", "--json").document["tags"] == []
    assert run("tag", number, "坏\x1b[31m").status == 64
    assert run("tag", number).status == 0


def test_notes(run, number):
    written = run("note", number, "原告未到庭\n第二行", "--operator", "钱知微", "--json").document["notes"]
    (note,) = written
    assert (note["text"], note["author"], note["edited"]) == ("原告未到庭\n第二行", "钱知微", False)
    key = str(note["note"])
    assert run("note", number, "原告已到庭", "--edit", key).status == 0
    said = run("note", number)
    assert "原告已到庭" in said.out
    assert "原告未到庭" not in said.out
    assert [item["text"] for item in run("note", number, "--json").document["notes"][0]["versions"]] == [
        "原告未到庭\n第二行", "原告已到庭",
    ]  # fmt: skip
    assert "原告已到庭" in run("show", number).out
    assert run("note", number, "x", "--remove", key).status == 64
    removed = run("note", number, "--remove", key, "--json").document
    assert removed["removed"]["text"] == "原告已到庭"
    assert removed["notes"] == []
    assert run("note", number, "--remove", key).status == 66


def test_archive(run, prepared, number):
    assert run("archive", "案一", "--json").document == {"case": "案一", "archived": True, "changed": True}
    assert listed(run, "--case", "案一") == []
    assert listed(run, "--archived") == [number]
    assert "archived" in run("list", "--lang", "en").out
    said = run("seal", prepared.files / "聊天记录", "--case", "案一")
    assert said.status == 64
    assert "案一" in said.err
    assert run("archive", "案一", "--undo", "--json").document["changed"] is True
    assert number in listed(run)
    assert run("archive", "没有").status == 66


def test_seal_what_was_derived(run, prepared, number):
    copy = sealed(
        run,
        prepared,
        "聊天记录/二.txt",
        "--case",
        "案一",
        "--derived-from",
        f"{number}:1",
        "--relation",
        "redacted",
    )
    (link,) = run("show", copy, "--json").document["links"]
    assert (link["source"], link["derived"], link["relation"], link["position"]) == (
        number,
        copy,
        "redacted",
        1,
    )
    assert copy in run("show", number).out
    assert number in run("show", copy).out
    path = prepared.files / "合同.txt"
    assert run("seal", path, "--derived-from", number).status == 64
    assert run("seal", path, "--relation", "redacted").status == 64
    assert run("seal", path, "--derived-from", f"{number}:2", "--relation", "transcript").status == 64
    assert run("seal", path, "--derived-from", "ED-1:x", "--relation", "transcript").status == 65
