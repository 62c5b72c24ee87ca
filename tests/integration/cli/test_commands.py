"""The command-line contract, command by command: JSON shapes, exit statuses, states; right and wrong input."""

import re

import pytest

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.texts import Language, sentences
from tests.integration.cli.conftest import SECRET

STATES = ["registered", "logged", "timestamped", "anchored", "certified"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def test_seal_json_is_the_contract(run, prepared):
    said = run("seal", prepared.files / "合同.txt", "--title", "合同", "--json")
    assert said.status == 0
    (exhibit,) = said.document["exhibits"]
    assert re.fullmatch(r"ED(-[0-9A-Z]{4}){4}-.", exhibit["number"])
    assert exhibit["title"] == "合同"
    assert re.fullmatch("[0-9a-f]{64}", exhibit["leaf_sha256"])
    (item,) = exhibit["objects"]
    assert (item["path"], item["size"]) == ("合同.txt", 13)
    assert set(exhibit["states"]) == set(STATES)
    for name in ("registered", "logged", "timestamped"):
        assert MOMENT.fullmatch(exhibit["states"][name])
    assert exhibit["states"]["anchored"] is None
    assert exhibit["states"]["certified"] is None
    assert exhibit["states"]["registered"] <= exhibit["states"]["logged"]


def test_a_folder_is_one_exhibit_or_with_each_file_many(run, prepared):
    folder = prepared.files / "聊天记录"
    (one,) = run("seal", folder, "--json").document["exhibits"]
    assert [item["path"] for item in one["objects"]] == ["一.txt", "二.txt"]
    many = run("seal", folder, "--each-file", "--json").document["exhibits"]
    assert [len(item["objects"]) for item in many] == [1, 1]


def test_sealing_goes_on_when_one_path_fails(run, prepared, tmp_path):
    said = run("seal", tmp_path / "没有", prepared.files / "合同.txt", "--json")
    assert said.status == 3
    assert len(said.document["exhibits"]) == 1
    (error,) = said.document["errors"]
    assert error["code"] == "input.missing"
    alone = run("seal", tmp_path / "没有")
    assert alone.status == 66
    assert "没有”" in alone.err


def test_sealing_succeeds_while_the_authority_is_away(run, prepared):
    assert run("authority", "remove", "演示时间戳 demo").status == 0
    said = run("seal", prepared.files / "合同.txt", "--json")
    assert said.status == 0
    (exhibit,) = said.document["exhibits"]
    assert exhibit["states"]["timestamped"] is None
    assert [item["code"] for item in said.document["warnings"]] == ["client.no_authority"]
    shown = run("show", exhibit["number"])
    assert "待时间戳" in shown.out
    waiting = run("timestamp", "--json")
    assert waiting.status == 69
    assert waiting.document["error"]["code"] == "client.no_authority"


def test_timestamp_takes_what_waits(run, prepared, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("evidence_desk.cli.seal.timestamp_now", lambda *_: None)
        (exhibit,) = run("seal", prepared.files / "合同.txt", "--json").document["exhibits"]
    assert exhibit["states"]["timestamped"] is None
    said = run("timestamp", "--json")
    assert said.status == 0
    (taken,) = said.document["exhibits"]
    assert taken["number"] == exhibit["number"]
    assert MOMENT.fullmatch(taken["states"]["timestamped"])
    assert run("timestamp", "--json").document["exhibits"] == []
    assert "没有等待时间戳" in run("timestamp").out


def test_list_and_show(run, number):
    (listed,) = run("list", "--json").document["exhibits"]
    assert listed["number"] == number
    shown = run("show", number, "--json").document
    assert shown["leaf_sha256"] == listed["leaf_sha256"]
    assert shown["certificates"] == []
    by_leaf = run("show", listed["leaf_sha256"], "--json").document
    assert by_leaf["number"] == number
    assert run("list", "--case", "另案", "--json").document == {"exhibits": []}
    assert "没有证据" in run("list", "--case", "另案").out


@pytest.mark.parametrize("language", Language)
def test_states_in_words(run, number, language):
    out = run("show", number, "--lang", language.value).out
    texts = sentences(language)
    assert texts["state.timestamped.done"] in out
    assert texts["state.anchored.absent"] in out
    assert texts["state.certified.waiting"] in out


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (format_number(Prefix.EVIDENCE, bytes(32)), 66, "find.exhibit"),
        ("nonsense", 65, "malformed.number"),
        ("0" * 64, 66, "find.exhibit"),
    ],
)
@pytest.mark.parametrize("command", ["show", "custody"])
def test_numbers_that_lead_nowhere(run, command, given, status, code):
    said = run(command, given, "--json")
    assert said.status == status
    assert said.document["error"]["code"] == code


def test_a_mistyped_or_swapped_character_is_caught(run, number):
    position = next(
        at for at in range(3, 20) if number[at] not in {"-", number[at + 1]} and number[at + 1] != "-"
    )
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    mistyped = number[:4] + ("0" if number[4] != "0" else "1") + number[5:]
    for wrong in (swapped, mistyped):
        said = run("show", wrong, "--json")
        assert (said.status, said.document["error"]["code"]) == (65, "malformed.number_check")


def test_certify_and_revoke(run, number, certified):
    path, certificate = certified
    assert path.read_bytes().startswith(b"%PDF-")
    assert certificate.startswith("EC-")
    shown = run("show", number, "--json").document
    assert MOMENT.fullmatch(shown["states"]["certified"])
    assert [item["number"] for item in shown["certificates"]] == [certificate]
    assert run("revoke", certificate, "--why", " ", "--json").document["error"]["code"] == "revoke.no_reason"
    revoked = run("revoke", certificate, "--why", "姓名有误", "--json")
    assert revoked.status == 0
    assert MOMENT.fullmatch(revoked.document["certificate"]["revoked"])
    assert "姓名有误" in run("show", number).out
    again = run("revoke", certificate, "--why", "姓名有误", "--json")
    assert (again.status, again.document["error"]["code"]) == (64, "revoke.already")
    unknown = run("revoke", format_number(Prefix.CERTIFICATE, bytes(32)), "--why", "x", "--json")
    assert (unknown.status, unknown.document["error"]["code"]) == (66, "find.certificate")


def test_certify_refuses_repeats_and_existing_files(run, number, tmp_path):
    path = tmp_path / "c.pdf"
    repeated = run("certify", number, number, "-o", path, "--json")
    assert (repeated.status, repeated.document["error"]["code"]) == (64, "certify.repeated")
    assert list(tmp_path.glob("*.pdf*")) == list(tmp_path.glob(".*.part")) == []
    path.write_bytes(b"mine")
    existing = run("certify", number, "-o", path, "--json")
    assert (existing.status, existing.document["error"]["code"]) == (64, "output.exists")
    assert path.read_bytes() == b"mine"
    nowhere = run("certify", number, "-o", tmp_path / "no" / "c.pdf", "--json")
    assert (nowhere.status, nowhere.document["error"]["code"]) == (74, "output.unwritable")


def test_export_and_force(run, number, package):
    existing = run("export", number, "-o", package, "--json")
    assert (existing.status, existing.document["error"]["code"]) == (64, "output.exists")
    forced = run("export", number, "-o", package, "--force", "--json")
    assert forced.status == 0
    assert forced.document["path"] == str(package)
    assert forced.document["exhibit"]["number"] == number


def test_lookup_by_file_digest_and_number(run, prepared, certified, number):
    _, certificate = certified
    original = prepared.files / "聊天记录" / "一.txt"
    sha256 = run("show", number, "--json").document["objects"][0]["sha256"]
    for what in (original, sha256, f"sha256:{sha256}", number, certificate):
        said = run("lookup", what, "--json")
        assert said.status == 0
        assert [item["number"] for item in said.document["exhibits"]] == [number]
    assert [item["number"] for item in run("lookup", certificate, "--json").document["certificates"]] == [
        certificate
    ]
    nothing = run("lookup", prepared.files / "合同.txt", "--json")
    assert (nothing.status, nothing.document["error"]["code"]) == (66, "lookup.nothing")


@pytest.mark.usefixtures("package")
def test_custody_and_correction(run, number):
    assert run("correct", number, "--note", " ", "--json").document["error"]["code"] == "correct.no_note"
    assert run("correct", number, "--note", "第3页为2025年", "--operator", "李某").status == 0
    events = run("custody", number, "--json").document["events"]
    assert [item["action"] for item in events] == ["sealed", "exported", "corrected"]
    assert events[-1]["operator"] == "李某"
    assert events[-1]["details"] == {"note": "第3页为2025年"}
    assert all(type(item["seq"]) is int and MOMENT.fullmatch(item["at"]) for item in events)
    out = run("custody", number).out
    assert "第3页为2025年" in out
    assert "导出" in out


def test_audit_of_a_sound_vault(run):
    sound = run("audit", "--json")
    assert sound.status == 0
    assert sound.document["faults"] == []
    assert sound.document["size"] > 0
    assert re.fullmatch("[0-9a-f]{64}", sound.document["root"])
    assert "全部一致" in run("audit").out


def test_audit_of_a_tampered_vault(run, vault, number):
    with open_session(vault, SECRET) as opened:
        database = opened.vault._database
        for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            database.script(f"DROP TRIGGER {name}")
        database.script("UPDATE exhibits SET statement = zeroblob(length(statement))")
    seq = run("show", number, "--json").document["seq"]
    said = run("audit", "--json")
    assert said.status == 1
    (fault,) = said.document["faults"]
    assert (fault["code"], fault["seq"]) == ("audit.statement", seq)
    assert f"第 {seq} 条" in fault["explanation"]
    assert fault["explanation"] in run("audit").out


def test_recheck_finds_a_damaged_original(run, number, vault):
    sound = run("recheck", "--json")
    assert sound.status == 0
    assert sound.document["exhibits"] == [
        {"number": number, "sound": True, "damaged": [], "missing": [], "erased": False}
    ]
    stored = run("show", number, "--json").document["objects"][0]["stored"]
    (path,) = [item for item in (vault / "objects").rglob("*") if item.name == stored]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    damaged = run("recheck", number, "--json")
    assert damaged.status == 1
    assert damaged.document["exhibits"] == [
        {"number": number, "sound": False, "damaged": [0], "missing": [], "erased": False}
    ]
    assert "一.txt" in run("recheck").out
    assert "发现损坏" in run("custody", number).out


def test_recheck_of_a_batch_with_one_damaged(run, number, vault, prepared):
    run("seal", prepared.files / "合同.txt")
    stored = run("show", number, "--json").document["objects"][0]["stored"]
    (path,) = [item for item in (vault / "objects").rglob("*") if item.name == stored]
    path.unlink()
    assert run("recheck").status == 3


def test_backup_and_restore(run, number, prepared, tmp_path):
    copy, fresh = tmp_path / "备份.zip", tmp_path / "fresh"
    made = run("backup", copy, "--json")
    assert made.status == 0
    assert made.document["size"] == copy.stat().st_size
    existing = run("backup", copy, "--json")
    assert (existing.status, existing.document["error"]["code"]) == (64, "output.exists")
    restored = run("restore", copy, "--vault", fresh, "--json")
    assert restored.status == 0
    assert restored.document["exhibits"] == 1
    assert restored.document["log"].endswith("/2")
    assert run("show", number, "--vault", fresh).status == 0
    assert run("audit", "--vault", fresh).status == 0
    occupied = run("restore", copy, "--vault", fresh, "--json")
    assert (occupied.status, occupied.document["error"]["code"]) == (64, "vault.exists")
    broken = run("restore", prepared.files / "合同.txt", "--vault", tmp_path / "other", "--json")
    assert (broken.status, broken.document["error"]["code"]) == (65, "malformed.backup")


def test_restore_by_recovery_key(run, prepared, tmp_path, monkeypatch):
    run("backup", tmp_path / "b")
    monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", prepared.recovery_key)
    assert run("restore", tmp_path / "b", "--vault", tmp_path / "fresh").status == 0
    monkeypatch.setenv(
        "EVIDENCE_DESK_RECOVERY_KEY",
        ("1" if prepared.recovery_key[0] == "0" else "0") + prepared.recovery_key[1:],
    )
    wrong = run("restore", tmp_path / "b", "--vault", tmp_path / "again", "--json")
    assert wrong.status in {65, 77}
    assert "error" in wrong.document


def test_passphrase_is_changed(run, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_NEW_PASSPHRASE", "second")
    assert run("passphrase", "--json").document == {"changed": True}
    old = run("list", "--json")
    assert (old.status, old.document["error"]["code"]) == (77, "vault.wrong_passphrase")
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "second")
    assert run("list").status == 0


def test_authorities(run, vault):
    (demo,) = run("authority", "list", "--json").document["authorities"]
    assert (demo["kind"], demo["trusted"]) == ("embedded", True)
    roots = next((vault / "trust").glob("tsa-*.pem"))
    url = "http://127.0.0.1:9/tsa"
    added = run("authority", "add", url, "--name", "甲", "--trust", roots, "--json")
    assert added.status == 0
    assert added.document["authority"] == {
        "name": "甲", "kind": "http", "url": url, "policy": "", "trusted": True, "crl_urls": [],
    }  # fmt: skip
    order = [item["name"] for item in run("authority", "list", "--json").document["authorities"]]
    assert order == ["甲", demo["name"]]
    twice = run("authority", "add", url, "--name", "甲", "--json")
    assert (twice.status, twice.document["error"]["code"]) == (64, "authority_setting.exists")
    assert run("authority", "remove", "甲").status == 0
    kinds = {
        item["name"]: item["kind"] for item in run("authority", "list", "--json").document["authorities"]
    }
    assert kinds["甲"] == "retired"
    gone = run("authority", "remove", "乙", "--json")
    assert (gone.status, gone.document["error"]["code"]) == (66, "authority_setting.unknown")


def test_authority_test_asks_for_a_trial_token(run):
    said = run("authority", "test", "--json")
    assert said.status == 0
    assert MOMENT.fullmatch(said.document["gen_time"])
    unknown = run("authority", "test", "乙", "--json")
    assert (unknown.status, unknown.document["error"]["code"]) == (66, "authority_setting.unknown")


@pytest.mark.parametrize(
    "content",
    [
        b"no certificate",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"0\x03\x02\x01\x01",
    ],
)
def test_roots_must_be_certificates(run, tmp_path, content):
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    said = run("authority", "add", "http://127.0.0.1:9/", "--trust", path, "--json")
    assert (said.status, said.document["error"]["code"]) == (65, "malformed.pem")
    assert len(run("authority", "list", "--json").document["authorities"]) == 1


def test_wrong_addresses_of_authorities(run):
    said = run("authority", "add", "ftp://127.0.0.1/", "--json")
    assert (said.status, said.document["error"]["code"]) == (64, "client.url")


def test_doctor(run, tmp_path):
    said = run("doctor", "--json")
    assert said.status == 0
    names = [item["name"] for item in said.document["checks"]]
    assert names == ["packages", "vault", "disk", "log", "waiting", "authorities", "clock"]
    assert all(said.document["packages"].values())
    without = run("doctor", "--vault", tmp_path / "none", "--json")
    assert without.status == 78
    assert [item["right"] for item in without.document["checks"]] == [True, False]


def test_doctor_tells_a_wrong_passphrase(run, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "wrong")
    said = run("doctor")
    assert said.status == 78
    assert "口令不正确" in said.out


def test_init(run, tmp_path, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "x")
    made = run("init", "--vault", tmp_path / "new", "--demo", "--json")
    assert made.status == 0
    assert set(made.document) == {"vault", "log", "recovery_key", "trust", "demo"}
    assert {"trust.json", "desk.vkey"} <= {item.name for item in (tmp_path / "new" / "trust").iterdir()}
    again = run("init", "--vault", tmp_path / "new", "--json")
    assert (again.status, again.document["error"]["code"]) == (64, "vault.exists")
    office = run("init", "--vault", tmp_path / "other", "--office", "上海", "--json")
    assert (office.status, office.document["error"]["code"]) == (64, "init.office")
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "")
    empty = run("init", "--vault", tmp_path / "other", "--json")
    assert empty.document["error"]["code"] == "vault.passphrase_empty"
    assert not (tmp_path / "other").exists() or not list((tmp_path / "other").iterdir())
