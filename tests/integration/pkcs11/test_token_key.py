"""Choosing a key in a real token, signing with it, and everything that can go wrong at the device."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import load_der_x509_certificate
from pkcs11.constants import Attribute
from pkcs11.exceptions import PKCS11Error

from evidence_desk.crypto import pki
from evidence_desk.crypto.pki import KeyKind
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.pkcs11.choosing import choose_signer
from evidence_desk.pkcs11.keys import list_keys
from evidence_desk.pkcs11.module import list_tokens
from evidence_desk.pkcs11.signing import TokenKey
from evidence_desk.settings import Pkcs11Setting
from tests.integration.pkcs11.conftest import PIN, TOKEN, Hsm, Person, certified

WRONG = "000000"


@pytest.fixture
def setting(hsm: Hsm) -> Pkcs11Setting:
    hsm.make_key()
    made = certified(hsm.spki())
    return choose_signer(hsm.path, Person(), certificates=(made.ca.certificate, made.certificate))


def code_of(action, *arguments, **options) -> str:
    with pytest.raises(EvidenceDeskError) as caught:
        action(*arguments, **options)
    return caught.value.code


def check(certificate: bytes, signature: bytes, message: bytes) -> None:
    """By the cryptography package; raises when it does not hold."""
    key = load_der_x509_certificate(certificate).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.P256])
def test_listing_and_signing(hsm, kind):
    hsm.make_key(kind)
    token = hsm.token()
    assert (token.ready, token.pin_failed, token.pin_locked, token.pin_pad) == (True, False, False, False)
    (key,) = list_keys(token, PIN)
    assert (key.label, key.key_id, key.kind, key.can_sign) == ("签名", "01", kind, True)
    assert key.certificate == b""
    made = certified(key.spki)
    person = Person()
    setting = choose_signer(hsm.path, person, certificates=(made.certificate, made.ca.certificate))
    assert len(person.asked) == 1
    assert setting.chain == (made.ca.certificate,)
    assert (setting.token_label, setting.token_serial) == (TOKEN, token.serial)
    signer = TokenKey(setting, person)
    check(made.certificate, signer.sign(b"message"), b"message")
    assert signer.kind is kind
    assert not signer.unlocked


def test_the_private_key_stays_inside(hsm):
    hsm.make_key(KeyKind.RSA)
    with hsm.open() as session:
        (key,) = session.get_objects({Attribute.ID: b"\x01", Attribute.PRIVATE: True, Attribute.SIGN: True})
        with pytest.raises(PKCS11Error):
            key[Attribute.PRIVATE_EXPONENT]


def test_certificate_from_the_token(hsm):
    hsm.make_key()
    assert code_of(choose_signer, hsm.path, Person()) == "signer.no_certificate"
    made = certified(hsm.spki())
    hsm.put_certificate(made.certificate)
    hsm.put_certificate(made.ca.certificate, label="CA", key_id=b"\x09")
    setting = choose_signer(hsm.path, Person(), token=TOKEN, key="签名")
    assert setting.certificate == made.certificate
    assert setting.chain == (made.ca.certificate,)
    assert choose_signer(hsm.path, Person(), token=hsm.token().serial, key="01") == setting


def test_rsa_where_the_token_does_not_hash(hsm):
    hsm.configure("slots.mechanisms = -CKM_SHA256_RSA_PKCS")
    hsm.make_key(KeyKind.RSA)
    made = certified(hsm.spki())
    setting = choose_signer(hsm.path, Person(), certificates=(made.certificate,))
    check(made.certificate, TokenKey(setting, Person()).sign(b"m"), b"m")


# --- PIN ------------------------------------------------------------------------------------------------------


def test_pin_is_asked_for_each_signature_or_once(setting):
    person = Person()
    asking = TokenKey(setting, person)
    for number in range(3):
        asking.sign(b"%d" % number)
    assert len(person.asked) == 3
    keeping = TokenKey(setting, person, keep=True)
    for number in range(3):
        keeping.sign(b"%d" % number)
    assert len(person.asked) == 4
    keeping.close()
    keeping.close()
    assert not keeping.unlocked
    keeping.sign(b"again")
    assert len(person.asked) == 5
    assert PIN not in repr({name: value for name, value in vars(keeping).items() if name != "_prompt"})
    keeping.close()


def test_unlocking_beforehand(setting):
    person = Person()
    signer = TokenKey(setting, person)
    signer.unlock()
    assert signer.unlocked
    signer.sign(b"m")
    assert len(person.asked) == 1
    signer.close()


def test_no_pin(setting):
    assert code_of(TokenKey(setting, None).sign, b"m") == "signer.pin_needed"
    assert code_of(TokenKey(setting, Person([None])).sign, b"m") == "signer.pin_canceled"
    assert code_of(TokenKey(setting, Person([""])).sign, b"m") == "signer.pin_canceled"


def test_wrong_pin_is_tried_once_and_never_again(hsm, setting):
    person = Person([WRONG])
    signer = TokenKey(setting, person)
    assert code_of(signer.sign, b"m") == "signer.pin_wrong"
    assert len(person.asked) == 1
    assert hsm.token().pin_failed
    hsm.open().close()  # a right PIN, given by another program
    assert not hsm.token().pin_failed
    assert code_of(signer.sign, b"m") == "signer.pin_refused_before"
    assert code_of(list_keys, hsm.token(), WRONG) == "signer.pin_refused_before"
    assert not hsm.token().pin_failed  # the token was not asked
    person.pins = [PIN]
    check(setting.certificate, signer.sign(b"m"), b"m")


def test_person_is_told_that_a_pin_was_wrong_before(setting):
    person = Person([WRONG, PIN])
    signer = TokenKey(setting, person)
    assert code_of(signer.sign, b"m") == "signer.pin_wrong"
    signer.sign(b"m")
    assert [item.failed_before for item in person.asked] == [False, True]
    assert person.asked[0].token == TOKEN


@pytest.mark.parametrize("pin", ["1", "9" * 300, "\0", "七三九一六四", "\ud800"])
def test_pins_that_cannot_be(setting, pin):
    assert code_of(TokenKey(setting, Person([pin])).sign, b"m") == "signer.pin_wrong"


def test_key_that_wants_the_pin_each_time(hsm):
    hsm.make_key(private={Attribute.ALWAYS_AUTHENTICATE: True})
    assert [key.every_time for key in list_keys(hsm.token(), PIN)] == [True]
    made = certified(hsm.spki())
    person = Person()
    setting = choose_signer(hsm.path, person, certificates=(made.certificate,))
    assert len(person.asked) == 1
    person.asked.clear()
    signer = TokenKey(setting, person, keep=True)
    check(made.certificate, signer.sign(b"a"), b"a")
    assert len(person.asked) == 1  # one answer for login and signature
    signer.sign(b"b")
    assert len(person.asked) == 2
    person.pins = [WRONG]
    assert code_of(signer.sign, b"c") == "signer.pin_wrong"
    assert not signer.unlocked


# --- token ----------------------------------------------------------------------------------------------------


def test_removed_between_signatures(hsm, setting):
    signer = TokenKey(setting, Person())
    signer.sign(b"m")
    hsm.take_away()
    assert code_of(signer.sign, b"m") == "signer.token_missing"
    assert list_tokens(hsm.path) == ()
    assert code_of(choose_signer, hsm.path, Person()) == "signer.no_token"
    hsm.bring_back()
    check(setting.certificate, signer.sign(b"m"), b"m")


def test_removed_in_the_middle(hsm, setting):
    person = Person()
    signer = TokenKey(setting, person, keep=True)
    signer.sign(b"m")
    shutil.rmtree(hsm.folder / "tokens", ignore_errors=True)
    (hsm.folder / "tokens").mkdir()
    assert code_of(signer.sign, b"m") in {"signer.token_removed", "signer.key_missing"}
    assert not signer.unlocked
    assert code_of(signer.sign, b"m") == "signer.token_missing"
    assert len(person.asked) == 1


def test_pulled_out_while_the_person_types(hsm, setting):
    def types(_request) -> str:
        hsm.take_away()
        return PIN

    assert code_of(TokenKey(setting, types).sign, b"m") in {
        "signer.token_missing",
        "signer.token_removed",
        "signer.token_failed",
    }
    hsm.bring_back()


def test_another_token_with_the_same_label(hsm, setting):
    shutil.rmtree(hsm.folder / "tokens")
    (hsm.folder / "tokens").mkdir()
    hsm.add_token()
    hsm.make_key()
    person = Person()
    assert code_of(TokenKey(setting, person).sign, b"m") == "signer.token_missing"
    assert person.asked == []


def test_several_tokens(hsm):
    hsm.add_token("另一个")
    hsm.make_key()
    made = certified(hsm.spki())
    assert code_of(choose_signer, hsm.path, Person()) == "signer.token_several"
    assert code_of(choose_signer, hsm.path, Person(), token="没有") == "signer.token_missing"
    assert [item.label for item in list_tokens(hsm.path)] == sorted([TOKEN, "另一个"])
    assert (
        choose_signer(hsm.path, Person(), token=TOKEN, certificates=(made.certificate,)).key_label == "签名"
    )
    empty = code_of(choose_signer, hsm.path, Person(), token="另一个", certificates=(made.certificate,))
    assert empty == "signer.key_missing"


def test_a_second_login_ends_the_first_and_looks_at_its_pin(hsm, setting):
    person = Person()
    signer = TokenKey(setting, person, keep=True)
    signer.sign(b"m")
    assert code_of(list_keys, hsm.token(), WRONG) == "signer.pin_wrong"
    assert not signer.unlocked
    signer.sign(b"m")
    assert len(person.asked) == 2
    signer.close()


def test_threads_share_a_key(setting):
    person = Person()
    signer = TokenKey(setting, person, keep=True)
    messages = [b"%d" % number for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        signatures = list(pool.map(signer.sign, messages))
    for message, signature in zip(messages, signatures, strict=True):
        check(setting.certificate, signature, message)
    assert len(person.asked) == 1
    signer.close()


# --- key and certificate --------------------------------------------------------------------------------------


def test_several_keys(hsm):
    hsm.make_key()
    hsm.make_key(label="签名", key_id=b"\x02")
    hsm.make_key(label="其他", key_id=b"\x03")
    assert code_of(choose_signer, hsm.path, Person()) == "signer.key_several"
    assert code_of(choose_signer, hsm.path, Person(), key="签名") == "signer.key_several"
    assert code_of(choose_signer, hsm.path, Person(), key="没有") == "signer.key_missing"
    made = certified(next(item.spki for item in list_keys(hsm.token(), PIN) if item.key_id == "02"))
    setting = choose_signer(hsm.path, Person(), key="02", certificates=(made.certificate,))
    assert (setting.key_label, setting.key_id) == ("签名", "02")
    check(made.certificate, TokenKey(setting, Person()).sign(b"m"), b"m")


def test_key_that_cannot_sign(hsm):
    hsm.make_key(private={Attribute.SIGN: False})
    made = certified(hsm.spki())
    assert (
        code_of(choose_signer, hsm.path, Person(), certificates=(made.certificate,))
        == "signer.key_cannot_sign"
    )


def test_key_of_an_unsupported_kind(hsm):
    hsm.make_key("secp384r1")
    assert [key.kind for key in list_keys(hsm.token(), PIN)] == [None]
    assert code_of(choose_signer, hsm.path, Person()) == "signer.key_kind"


def test_certificate_of_another_key(hsm, setting):
    stranger = certified(pki.generate_key(KeyKind.P256).spki())
    given = (stranger.certificate, stranger.ca.certificate)
    assert code_of(choose_signer, hsm.path, Person(), certificates=given) == "signer.certificate_other_key"
    exchanged = replace(setting, certificate=stranger.certificate)
    assert code_of(TokenKey(exchanged, Person()).sign, b"m") == "signer.certificate_other_key"
    assert code_of(choose_signer, hsm.path, Person(), certificates=(b"no",)) == "signer.certificate"


def test_key_deleted_from_the_token(hsm, setting):
    with hsm.open() as session:
        for item in list(session.get_objects({Attribute.LABEL: "签名"})):
            item.destroy()
    assert code_of(TokenKey(setting, Person()).sign, b"m") == "signer.key_missing"


# --- module ---------------------------------------------------------------------------------------------------


def test_modules_that_are_none(hsm, tmp_path: Path):
    text = tmp_path / "module.so"
    text.write_text("no")
    assert code_of(list_tokens, tmp_path / "没有.so") == "signer.module_missing"
    assert code_of(list_tokens, tmp_path) == "signer.module_missing"
    assert code_of(list_tokens, Path("libsofthsm2.so")) == "signer.module_missing"  # never searched for
    assert code_of(list_tokens, text) == "signer.module_unloadable"
    hsm.configuration.unlink()
    assert code_of(list_tokens, hsm.path) == "signer.module_failed"
    hsm.configure()
    assert [item.label for item in list_tokens(hsm.path)] == [TOKEN]
