import ssl

import pytest

from evidence_desk.wacz.tls import TlsFacts, first_sessions

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_chain_of_real_sessions(contexts, version):
    settings = contexts("p256", version)
    recorded = [settings.record(b"question", b"answer")]
    for _ in range(3):
        recorded.append(settings.record(b"question", b"answer", session=recorded[-1].session))
    keylog = recorded[-1].keylog
    facts = {number: tapped.decode(keylog)[1] for number, tapped in enumerate(recorded, 1)}
    assert [facts[number].resumed for number in facts] == [False, True, True, True]
    assert first_sessions(facts) == {2: 1, 3: 1, 4: 1}
    del facts[1]
    assert set(first_sessions(facts).values()) == {None}


@pytest.mark.parametrize(
    "sessions",
    [
        {1: TlsFacts(resumed=True)},
        {1: TlsFacts(resumed=True, resumed_from=A)},
        {1: TlsFacts(resumed=True, resumed_from=A, issued=(A,))},
        {1: TlsFacts(resumed=True, resumed_from=A, issued=(B,)), 2: TlsFacts(resumed=True, resumed_from=B, issued=(A,))},
        {1: TlsFacts(resumed=True, resumed_from=A, sni="one"), 2: TlsFacts(issued=(A,), sni="two")},
        {
            1: TlsFacts(resumed=True, resumed_from=A), 2: TlsFacts(resumed=True, resumed_from=B, issued=(A, C)),
            3: TlsFacts(resumed=True, resumed_from=C, issued=(B,)),
        },
    ],
)  # fmt: skip
def test_no_first_session(sessions):
    assert set(first_sessions(sessions).values()) == {None}


def test_the_first_of_a_chain():
    sessions = {
        5: TlsFacts(resumed=True, resumed_from=B),
        6: TlsFacts(resumed=True, resumed_from=A, issued=(B,)),
        7: TlsFacts(issued=(A, C)),
        8: TlsFacts(),
    }
    assert first_sessions(sessions) == {5: 7, 6: 7}
