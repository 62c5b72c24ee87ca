from itertools import product

import pytest

from evidence_desk.core.verdict import (
    CERTIFICATE_POLICY,
    DATA_POLICY,
    TOKEN_POLICY,
    Caveat,
    Dimension,
    ExitStatus,
    Finding,
    Policy,
    Status,
    Verdict,
    worst,
)

P, F, U = Status.PASSED, Status.FAILED, Status.UNDETERMINED
I, T, S, L, C, E, O = Dimension  # noqa: E741 - the order of the enumeration


def verdict(policy: Policy, *outcomes: tuple[Dimension, Status], caveats: int = 0) -> Verdict:
    return Verdict(
        policy=policy,
        findings=tuple(
            Finding(dimension=dimension, check="x", status=status, code="x") for dimension, status in outcomes
        ),
        caveats=tuple(Caveat(code="x") for _ in range(caveats)),
    )


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], U),
        ([P], P),
        ([U], U),
        ([F], F),
        ([P, P], P),
        ([P, U], U),
        ([U, P], U),
        ([P, F], F),
        ([F, U, P], F),
    ],
)
def test_worst(statuses, expected):
    assert worst(statuses) is expected


@pytest.mark.parametrize(
    ("policy", "outcomes", "expected"),
    [
        (DATA_POLICY, [], U),
        (DATA_POLICY, [(I, P), (T, P)], P),
        (DATA_POLICY, [(I, P)], U),
        (DATA_POLICY, [(T, P)], U),
        (DATA_POLICY, [(I, P), (T, U)], U),
        (DATA_POLICY, [(I, F), (T, U)], F),
        (DATA_POLICY, [(I, P), (I, F), (T, P)], F),
        (DATA_POLICY, [(I, P), (T, P), (L, U)], P),
        (DATA_POLICY, [(I, P), (T, P), (L, F)], F),
        (DATA_POLICY, [(I, P), (T, P), (C, U)], P),
        (DATA_POLICY, [(I, P), (T, P), (C, F)], F),
        (DATA_POLICY, [(I, P), (T, P), (E, F)], P),
        (DATA_POLICY, [(I, P), (T, P), (O, F)], P),
        (DATA_POLICY, [(I, P), (T, P), (S, F)], P),
        (DATA_POLICY, [(L, P), (C, P), (E, P), (O, P), (S, P)], U),
        (CERTIFICATE_POLICY, [(I, P), (T, P)], U),
        (CERTIFICATE_POLICY, [(I, P), (T, P), (S, P)], P),
        (CERTIFICATE_POLICY, [(I, P), (T, P), (S, U)], U),
        (CERTIFICATE_POLICY, [(I, P), (T, P), (S, F)], F),
        (CERTIFICATE_POLICY, [(I, U), (T, P), (S, P)], U),
        (TOKEN_POLICY, [(I, P), (T, P)], P),
        (TOKEN_POLICY, [(T, P)], U),
    ],
)
def test_overall(policy, outcomes, expected):
    assert verdict(policy, *outcomes).overall is expected


@pytest.mark.parametrize(
    "policy", [DATA_POLICY, CERTIFICATE_POLICY, TOKEN_POLICY], ids=lambda policy: policy.name
)
def test_overall_over_all_combinations(policy):
    """Against the rule said another way: any refutation fails, and only a full set of passes passes."""
    for statuses in product([None, P, F, U], repeat=4):
        outcomes = [(d, s) for d, s in zip((I, T, S, L), statuses, strict=True) if s is not None]
        got = verdict(policy, *outcomes).overall
        given_by = dict(outcomes)
        counted = policy.required | policy.refuting
        if any(status is F and dimension in counted for dimension, status in outcomes):
            assert got is F
        elif all(given_by.get(dimension) is P for dimension in policy.required):
            assert got is P
        else:
            assert got is U


def test_a_dimension_without_findings_is_undetermined():
    assert verdict(DATA_POLICY, (I, P)).dimension(T) is U
    assert verdict(DATA_POLICY, (I, P)).dimension(I) is P


@pytest.mark.parametrize(
    ("status", "caveats", "strict", "expected"),
    [
        (P, 0, False, 0), (P, 0, True, 0), (P, 1, False, 0), (P, 1, True, 2), (F, 0, False, 1), (F, 1, True, 1),
        (U, 0, False, 2), (U, 1, True, 2),
    ],
)  # fmt: skip
def test_exit_status(status, caveats, strict, expected):
    result = verdict(DATA_POLICY, (I, status), (T, P), caveats=caveats).exit_status(strict=strict)
    assert result == expected
    assert isinstance(result, ExitStatus)
