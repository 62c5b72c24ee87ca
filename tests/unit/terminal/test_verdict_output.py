import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from evidence_desk.core.verdict import (
    CERTIFICATE_POLICY,
    DATA_POLICY,
    PACKAGE_POLICY,
    TOKEN_POLICY,
    Caveat,
    Dimension,
    Finding,
    Policy,
    Status,
    Verdict,
    Vouches,
)
from evidence_desk.terminal.verdict_output import print_verdict, verdict_json
from evidence_desk.texts import Language, sentence

PASSED, FAILED, UNDETERMINED = Status.PASSED, Status.FAILED, Status.UNDETERMINED


def finding(
    dimension: Dimension = Dimension.INTEGRITY,
    status: Status = PASSED,
    code: str = "statement.digest.right",
    **facts: str | int,
) -> Finding:
    return Finding(
        dimension=dimension, check=code.rpartition(".")[0], status=status, code=code, parameters=facts,
        who_vouches=Vouches.COMPUTATION,
    )  # fmt: skip


INTEGRITY = finding()
TIME = finding(Dimension.TIME, PASSED, "token.chain.passed", root="R")
SIGNER = finding(Dimension.SIGNER, PASSED, "certificate.signature.intact")
WRONG = finding(Dimension.INTEGRITY, FAILED, "object.digest.wrong", file="a.txt")
NO_TIME = finding(Dimension.TIME, UNDETERMINED, "time.token.missing")
DEMO = Caveat(code="demo.authority")
GIVEN = Caveat(code="trust.given", parameters={"fingerprint": "ab"})


def verdict(*findings: Finding, policy: Policy = DATA_POLICY, caveats: tuple[Caveat, ...] = ()) -> Verdict:
    return Verdict(policy=policy, findings=findings, caveats=caveats)


def told(
    judged: Verdict, language: Language = Language.ZH, *, strict: bool = False, width: int | None = None
) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=width is not None, width=width, no_color=True)
    print_verdict(judged, language, console, strict=strict)
    return stream.getvalue()


@pytest.mark.parametrize("policy", [DATA_POLICY, CERTIFICATE_POLICY, PACKAGE_POLICY, TOKEN_POLICY])
@pytest.mark.parametrize("language", Language)
def test_first_line_answers_in_a_sentence(policy, language):
    first = told(verdict(INTEGRITY, TIME, SIGNER, policy=policy), language).splitlines()[0]
    assert first.startswith("✔ 通过：" if language is Language.ZH else "✔ Passed: ")
    assert policy.name not in first


def test_a_policy_without_a_sentence_of_its_own_is_answered_too():
    other = Policy(name="other/9", required=frozenset({Dimension.INTEGRITY}))
    assert told(verdict(INTEGRITY, policy=other)).startswith("✔ 通过：")


def test_a_failure_says_where_and_why():
    first = told(verdict(WRONG, TIME)).splitlines()[0]
    assert first.startswith("✘ 未通过（完整性）：文件“a.txt”")
    assert "另有" not in first


def test_further_failures_are_counted_once_each():
    also = finding(Dimension.LOG, FAILED, "log.origin.wrong")
    first = told(verdict(WRONG, WRONG, TIME, also)).splitlines()[0]
    assert first.startswith("✘ 未通过（完整性、本地日志）：")
    assert "另有 1 项未通过" in first


def test_undetermined_names_what_would_settle_it():
    first = told(verdict(INTEGRITY, NO_TIME), Language.EN).splitlines()[0]
    assert first.startswith("? Undetermined (Time): There is no timestamp yet")


def test_undetermined_for_lack_of_findings():
    lines = told(verdict(INTEGRITY)).splitlines()
    assert lines[0] == "? 无法判断（时间）：没有可以核验此项的材料。"


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("findings", [(), (INTEGRITY, TIME)])
def test_all_seven_dimensions_in_their_order(findings, language):
    lines = told(verdict(*findings), language).splitlines()
    titles = [sentence(f"report.dimension.{item.value}", {}, language) for item in Dimension]
    places = [next(at for at, line in enumerate(lines) if line.startswith(f"{title}  ")) for title in titles]
    assert len(places) == 7
    assert places == sorted(places)
    empty = lines[places[titles.index(titles[4])] :]
    assert empty[1].startswith("  ? ")


def test_what_is_a_demonstration_stands_right_beneath_the_answer():
    lines = told(verdict(INTEGRITY, TIME, caveats=(GIVEN, DEMO))).splitlines()
    assert lines[1].startswith("! 演示/非第三方")
    assert lines[2].startswith("! 信任根由使用者提供（清单指纹 ab）")


def test_failed_then_undetermined_then_passed():
    unknown = finding(Dimension.INTEGRITY, UNDETERMINED, "files.complete.missing", missing=1, total=2)
    lines = told(verdict(INTEGRITY, unknown, WRONG)).splitlines()
    at = lines.index("完整性  未通过")
    assert [line[2] for line in lines[at + 1 : at + 4]] == ["✘", "?", "✔"]


def test_many_passes_of_one_check_are_counted_not_failures():
    passes = [finding(code="object.digest.right", file=f"{n}.txt", index=n) for n in range(1, 10)]
    failures = [finding(status=FAILED, code="object.digest.wrong", file=f"x{n}") for n in range(7)]
    text = told(verdict(*passes, *failures))
    assert "5.txt" in text
    assert "6.txt" not in text
    assert "另有 4 项通过" in text
    assert all(f"x{n}”" in text for n in range(7))


def test_the_same_finding_is_told_once():
    assert told(verdict(INTEGRITY, INTEGRITY)).count("存证说明的 SHA-256") == 1


def test_what_is_not_proven_is_said():
    text = told(verdict(INTEGRITY, TIME))
    after = text[text.index("以上结论不证明") :]
    assert "真实" in after
    assert "登记之前" in after


def test_strict_with_caveats_does_not_say_passed():
    judged = verdict(INTEGRITY, TIME, caveats=(DEMO,))
    assert told(judged, strict=True).startswith("? 无法判断：")
    assert told(judged).startswith("✔ 通过：")
    assert told(verdict(INTEGRITY, TIME), strict=True).startswith("✔ 通过：")


def test_names_from_the_file_cannot_steer_the_terminal():
    sly = finding(status=FAILED, code="object.digest.wrong", file="a\x1b[2J\u202e\nb")
    text = told(verdict(sly))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "a\\u{1b}[2J\\u{202e}\\u{a}b" in text
    (told_in_json,) = verdict_json(verdict(sly), Language.ZH)["findings"]
    assert "\x1b" not in told_in_json["explanation"]
    assert told_in_json["parameters"]["file"] == "a\x1b[2J\u202e\nb"


@pytest.mark.parametrize("language", Language)
def test_eighty_columns_hold_every_line(language):
    text = told(verdict(INTEGRITY, TIME, WRONG, NO_TIME, caveats=(DEMO,)), language, width=80)
    plain = [line for line in text.replace("\x1b", "").splitlines() if not line.startswith("[")]
    assert all(cell_len(line) <= 80 for line in plain)


def test_on_a_pipe_a_finding_is_one_line():
    missing = finding(Dimension.INTEGRITY, UNDETERMINED, "files.complete.missing", missing=1, total=2)
    assert any(
        line.startswith("  ? 本证据登记有 2 个文件") and line.endswith("原件。")
        for line in told(verdict(missing)).splitlines()
    )


def test_who_vouches_is_said_where_it_is_somebody():
    desk = Finding(
        dimension=Dimension.LOG, check="log.signature", status=PASSED, code="log.signature.right",
        parameters={"origin": "o"}, who_vouches=Vouches.DESK,
    )  # fmt: skip
    text = told(verdict(INTEGRITY, desk))
    assert "[存证终端]" in text
    assert "[任何人可重算]" not in text


@pytest.mark.parametrize("language", Language)
def test_json_shape(language):
    judged = verdict_json(verdict(INTEGRITY, WRONG, caveats=(DEMO,)), language)
    assert json.loads(json.dumps(judged)) == judged
    assert judged["overall"] == "failed"
    assert judged["policy"] == "data/1"
    assert set(judged["findings"][0]) == {
        "dimension", "check", "status", "code", "parameters", "explanation", "who_vouches",
    }  # fmt: skip
    assert set(judged["caveats"][0]) == {"code", "parameters", "explanation"}
