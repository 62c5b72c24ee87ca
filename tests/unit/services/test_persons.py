"""Persons of the office: credentials of their own, passphrases of their own, never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence_desk.bootstrap import persons as office
from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.confirmation import MAX_TEXT, Officer
from evidence_desk.core.person import CredentialKind
from evidence_desk.crypto import pki
from evidence_desk.errors import NotFoundError, PermissionDeniedError, UsageError
from evidence_desk.services import persons
from tests.fixed import refusal
from tests.unit.vault.rows import CHEAP, StandingClock

VAULT_PASSPHRASE = "存证库口令 vault"
OWN = "本人口令-own-1"
LIU = Officer(name="刘子熙", role="公证员", identification="工作证")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened, _ = init_session(tmp_path / "vault", VAULT_PASSPHRASE, office="test", demo=True, kdf=CHEAP)
    yield opened
    opened.close()


@pytest.fixture
def clock(session: Session) -> StandingClock:
    session.clock = StandingClock(moment=datetime.now(UTC))
    return session.clock


def given(name: str = LIU.name) -> pki.Identity:
    start = datetime.now(UTC) - timedelta(days=1)
    ca = pki.make_ca("某证书机构", pki.generate_key(pki.KeyKind.P256), not_before=start, years=5)
    return pki.make_signer_certificate(
        name, pki.generate_key(pki.KeyKind.P256), ca, not_before=start, years=2
    )


def test_enrolled_and_found(session: Session):
    assert persons.persons(session.desk) == ()
    person = office.enroll_demo(session, LIU, OWN)
    assert persons.persons(session.desk) == (person,)
    assert persons.find_person(session.desk, " 刘子熙") == person
    assert person.officer == LIU
    assert person.kind is CredentialKind.KEPT
    assert persons.credential_facts(person.certificate).demo
    with refusal("person.unknown", NotFoundError):
        persons.one_person(session.desk, "赵六")


def test_the_key_needs_the_persons_own_passphrase(session: Session, clock: StandingClock):
    person = office.enroll_demo(session, LIU, OWN)
    keys = office.person_keys(session, clock.sleep)
    for _ in range(3):
        with refusal("person.wrong_passphrase", PermissionDeniedError):
            persons.unlock(keys, person, VAULT_PASSPHRASE)
    assert len(clock.slept) >= 3
    assert clock.slept[0] < clock.slept[2]
    assert persons.unlock(keys, person, OWN).key.certificate == person.certificate


def test_an_empty_passphrase_opens_nothing(session: Session, clock: StandingClock):
    person = office.enroll_demo(session, LIU, OWN)
    with refusal("person.wrong_passphrase", PermissionDeniedError):
        persons.unlock(office.person_keys(session, clock.sleep), person, "")


def test_delay_can_be_shown_instead_of_slept(session: Session):
    person = office.enroll_demo(session, LIU, OWN)
    keys = office.person_keys(session, None)
    with refusal("person.wrong_passphrase", PermissionDeniedError):
        persons.unlock(keys, person, "wrong")
    with refusal("vault.wait", PermissionDeniedError):
        persons.unlock(keys, person, OWN)


def test_wrong_passphrases_of_a_person_do_not_slow_the_vault(session: Session):
    person = office.enroll_demo(session, LIU, OWN)
    with refusal("person.wrong_passphrase", PermissionDeniedError):
        persons.unlock(office.person_keys(session, None), person, "wrong")
    assert not (session.vault.folder / "attempts").exists()
    assert (session.vault.folder / "attempts-persons").exists()


def test_passphrase_is_neither_short_nor_the_vaults(session: Session):
    with refusal("person.passphrase_short", UsageError):
        office.enroll_demo(session, LIU, "sieben7")
    with refusal("person.vault_passphrase", UsageError):
        office.enroll_demo(session, LIU, VAULT_PASSPHRASE)
    assert persons.persons(session.desk) == ()


def test_changed_passphrase(session: Session, clock: StandingClock):
    person = office.enroll_demo(session, LIU, OWN)
    keys = office.person_keys(session, clock.sleep)
    with refusal("person.wrong_passphrase", PermissionDeniedError):
        persons.change_passphrase(keys, person, "wrong", "second-own-2")
    with refusal("person.vault_passphrase", UsageError):
        persons.change_passphrase(keys, person, OWN, VAULT_PASSPHRASE)
    persons.change_passphrase(keys, person, OWN, "second-own-2")
    assert persons.unlock(keys, person, "second-own-2").person == person
    with refusal("person.wrong_passphrase", PermissionDeniedError):
        persons.unlock(keys, person, OWN)


def test_keys_cannot_be_swapped_between_persons(session: Session, clock: StandingClock):
    """Who has the vault open gives his own wrapped key out for another's."""
    liu = office.enroll_demo(session, LIU, OWN)
    mine = office.enroll_demo(session, Officer(name="赵六"), "zhaoliu-own")
    session.vault.set_secret(f"person.{liu.id}", session.vault.secret(f"person.{mine.id}") or b"")
    with refusal("person.wrong_passphrase", PermissionDeniedError):
        persons.unlock(office.person_keys(session, clock.sleep), liu, "zhaoliu-own")


def test_retired_stays_on_the_list_and_confirms_no_more(session: Session, clock: StandingClock):
    person = office.enroll_demo(session, LIU, OWN)
    keys = office.person_keys(session, clock.sleep)
    gone = persons.retire(session.desk, keys, person)
    assert gone.retired is not None
    assert persons.persons(session.desk) == (gone,)
    assert not session.vault.secret(f"person.{person.id}")
    with refusal("person.unknown", NotFoundError):
        persons.one_person(session.desk, LIU.name)
    for one in (gone, person):
        with pytest.raises(NotFoundError):
            persons.unlock(keys, one, OWN)
    again = office.enroll_demo(session, LIU, OWN)
    assert [item.id for item in persons.persons(session.desk)] == [person.id, again.id]


@pytest.mark.parametrize(
    "officer",
    [
        Officer(name=""),
        Officer(name=" 刘子熙"),
        Officer(name="刘\n子熙"),
        Officer(name="刘\u202e子熙"),
        Officer(name="刘", role="x" * (MAX_TEXT + 1)),
    ],
)
def test_names_that_are_none(session: Session, officer: Officer):
    with refusal("person.no_name", UsageError):
        office.enroll_demo(session, officer, OWN)


def test_one_entry_a_name(session: Session):
    office.enroll_demo(session, LIU, OWN)
    with refusal("person.known", UsageError):
        office.enroll_demo(session, replace(LIU, name="刘 子熙"), "second-own-2")


# --- credentials brought along ------------------------------------------------------------------------------------


def test_given_credential(session: Session):
    own = given()
    person = office.enroll_given(session, LIU, persons.OwnKey(own))
    assert person.kind is CredentialKind.GIVEN
    assert session.vault.secret(f"person.{person.id}") is None
    assert own.root in {root for item in session.trust.persons for root in item.certificates}
    assert own.root not in {root for item in session.trust.signers for root in item.certificates}
    assert persons.unlock_given(person, persons.OwnKey(own)).person == person
    with refusal("person.no_key", NotFoundError):
        persons.unlock(office.person_keys(session), person, OWN)
    with refusal("person.other_credential", UsageError):
        persons.unlock_given(person, persons.OwnKey(given()))
    gone = persons.retire(session.desk, office.person_keys(session), person)
    with refusal("person.unknown", NotFoundError):
        persons.unlock_given(gone, persons.OwnKey(own))


def test_given_credential_of_somebody_else(session: Session):
    with refusal("person.other_name", UsageError):
        office.enroll_given(session, LIU, persons.OwnKey(given("赵六")))
    own = given("刘子熙@赵六")
    office.enroll_given(session, Officer(name="赵六"), persons.OwnKey(own))
    with refusal("person.key_known", UsageError):
        office.enroll_given(session, LIU, persons.OwnKey(own))


def test_the_institutions_key_is_nobodys_own(session: Session):
    own = given("刘子熙")
    session.set_signer(own)
    with refusal("person.key_known", UsageError):
        office.enroll_given(session, LIU, persons.OwnKey(own))


def test_a_known_root_keeps_its_revocation_list(session: Session):
    own = given()
    session.set_signer(own)
    start = datetime.now(UTC)
    ca = pki.Identity(key=pki.generate_key(pki.KeyKind.P256), certificate=own.root)
    assert own.crl
    person = office.enroll_given(session, LIU, persons.OwnKey(replace(given(), chain=(own.root,))))
    assert person.enrolled <= start + timedelta(minutes=1)
    roots = [item for item in session.trust.signers if ca.certificate in item.certificates]
    assert [item.crls for item in roots] == [(own.crl,)]


def test_demo_credentials_have_one_root_with_a_fresh_list(session: Session):
    first = office.enroll_demo(session, LIU, OWN)
    second = office.enroll_demo(session, Officer(name="赵六"), "zhaoliu-own")
    assert first.chain == second.chain
    roots = [item for item in session.trust.persons if first.chain[0] in item.certificates]
    assert not [item for item in session.trust.signers if first.chain[0] in item.certificates]
    assert len(roots) == 1
    assert len(roots[0].crls) == 1


def test_survives_closing(tmp_path: Path, session: Session, clock: StandingClock):
    from evidence_desk.bootstrap.opening import open_session  # noqa: PLC0415

    person = office.enroll_demo(session, LIU, OWN)
    session.close()
    with open_session(tmp_path / "vault", VAULT_PASSPHRASE, read_only=True) as again:
        assert persons.persons(again.desk) == (person,)
        assert persons.unlock(office.person_keys(again, clock.sleep), person, OWN).person == person


class CutShortError(Exception):
    """The process ends here."""


def test_retiring_that_was_cut_short_can_be_repeated(session: Session, monkeypatch: pytest.MonkeyPatch):
    """A key never stays behind with a person who is called retired."""
    person = office.enroll_demo(session, LIU, OWN)
    keys = office.person_keys(session)

    def dies(*_: object) -> None:
        raise CutShortError

    for broken in ("set_secret", "transaction"):
        with monkeypatch.context() as patch:
            patch.setattr(type(session.vault), broken, dies)
            with pytest.raises(CutShortError):
                persons.retire(session.desk, keys, person)
        assert persons.find_person(session.desk, LIU.name) == person
    assert persons.retire(session.desk, keys, person).retired is not None
    assert not session.vault.secret(f"person.{person.id}")


def test_persons_are_changed_as_they_stand(session: Session):
    """Who retires somebody by a list read before does not undo what another did meanwhile."""
    office.enroll_demo(session, LIU, OWN)
    keys, (first,) = office.person_keys(session), persons.persons(session.desk)

    class Meanwhile:
        def now(self) -> datetime:
            session.desk.clock = session.clock
            office.enroll_demo(session, Officer(name="赵六"), "another-own-2")
            return datetime.now(UTC)

    session.desk.clock = Meanwhile()
    persons.retire(session.desk, keys, first)
    assert [item.name for item in persons.persons(session.desk) if item.retired is None] == ["赵六"]
