"""Which addresses a page under capture may make this machine reach."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.capture.guard import LOCAL, Guard, Refusal

PLAIN = Guard()
OPEN = Guard(allow_private=True)

REFUSED: tuple[tuple[str, Refusal], ...] = (
    ("127.0.0.1", Refusal.LOOPBACK), ("127.0.0.0", Refusal.LOOPBACK), ("127.255.255.255", Refusal.LOOPBACK), ("127.8.9.10", Refusal.LOOPBACK),
    ("0.0.0.0", Refusal.UNSPECIFIED), ("0.1.2.3", Refusal.UNSPECIFIED), ("0.255.255.255", Refusal.UNSPECIFIED),
    ("10.0.0.0", Refusal.PRIVATE), ("10.255.255.255", Refusal.PRIVATE), ("172.16.0.1", Refusal.PRIVATE), ("172.31.255.255", Refusal.PRIVATE),
    ("192.168.0.1", Refusal.PRIVATE), ("192.168.255.255", Refusal.PRIVATE), ("198.18.0.1", Refusal.PRIVATE), ("198.19.255.255", Refusal.PRIVATE),
    ("169.254.0.1", Refusal.LINK_LOCAL), ("169.254.255.255", Refusal.LINK_LOCAL), ("100.64.0.1", Refusal.SHARED), ("100.127.255.255", Refusal.SHARED),
    ("169.254.169.254", Refusal.METADATA), ("169.254.170.2", Refusal.METADATA), ("100.100.100.200", Refusal.METADATA), ("168.63.129.16", Refusal.METADATA),
    ("192.0.0.192", Refusal.METADATA), ("fd00:ec2::254", Refusal.METADATA), ("::ffff:169.254.169.254", Refusal.METADATA),
    ("64:ff9b::a9fe:a9fe", Refusal.METADATA), ("2002:a9fe:a9fe::1", Refusal.METADATA),
    ("224.0.0.1", Refusal.MULTICAST), ("239.255.255.255", Refusal.MULTICAST), ("ff02::1", Refusal.MULTICAST), ("ff0e::1", Refusal.MULTICAST),
    ("240.0.0.1", Refusal.RESERVED), ("255.255.255.255", Refusal.RESERVED), ("192.0.0.1", Refusal.RESERVED), ("192.0.2.1", Refusal.RESERVED),
    ("198.51.100.1", Refusal.RESERVED), ("203.0.113.1", Refusal.RESERVED), ("192.88.99.1", Refusal.RESERVED),
    ("::", Refusal.UNSPECIFIED), ("::1", Refusal.LOOPBACK), ("0:0:0:0:0:0:0:1", Refusal.LOOPBACK), ("::1%lo", Refusal.LOOPBACK),
    ("::127.0.0.1", Refusal.LOOPBACK), ("::ffff:127.0.0.1", Refusal.LOOPBACK), ("::ffff:7f00:1", Refusal.LOOPBACK), ("::FFFF:7F00:0001", Refusal.LOOPBACK),
    ("::ffff:0:127.0.0.1", Refusal.LOOPBACK), ("::ffff:10.0.0.1", Refusal.PRIVATE), ("::ffff:0.0.0.0", Refusal.UNSPECIFIED),
    ("64:ff9b::127.0.0.1", Refusal.LOOPBACK), ("64:ff9b::10.1.1.1", Refusal.PRIVATE), ("64:ff9b:1::1", Refusal.PRIVATE),
    ("2002:7f00:1::", Refusal.LOOPBACK), ("2002:c0a8:101::1", Refusal.PRIVATE), ("2002:0a00:0001::", Refusal.PRIVATE),
    ("2001:0:4136:e378:8000:63bf:80ff:fffe", Refusal.LOOPBACK), ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Refusal.RESERVED),
    ("fe80::5efe:192.168.0.1", Refusal.PRIVATE), ("2001:470::5efe:127.0.0.1", Refusal.LOOPBACK), ("2001:470::200:5efe:10.0.0.1", Refusal.PRIVATE),
    ("fc00::1", Refusal.PRIVATE), ("fdff:ffff::1", Refusal.PRIVATE), ("fec0::1", Refusal.PRIVATE), ("fe80::1", Refusal.LINK_LOCAL),
    ("fe80::1%eth0", Refusal.LINK_LOCAL), ("febf:ffff::1", Refusal.LINK_LOCAL), ("2001:db8::1", Refusal.RESERVED), ("3fff::1", Refusal.RESERVED),
    ("2001:2::1", Refusal.RESERVED), ("2001:20::1", Refusal.RESERVED), ("100::1", Refusal.RESERVED), ("5f00::1", Refusal.RESERVED),
    ("4000::1", Refusal.RESERVED), ("::8.8.8.8", Refusal.RESERVED), ("1::1", Refusal.RESERVED),
    ("localhost", Refusal.SPELLING), ("0x7f.1", Refusal.SPELLING), ("127.1", Refusal.SPELLING), ("127.0.0.01", Refusal.SPELLING), ("", Refusal.SPELLING),
    ("[::1]", Refusal.SPELLING), ("1.2.3.4.", Refusal.SPELLING), ("1.2.3.4/8", Refusal.SPELLING), ("١٢٧.0.0.1", Refusal.SPELLING),
)  # fmt: skip
ALLOWED = (
    "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "100.63.255.255",
    "100.128.0.0", "169.253.255.255", "169.255.0.0", "126.255.255.255", "128.0.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "168.63.129.15", "2606:4700:4700::1111", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:4860:4860::8888",
    "240e::1", "2001:470::5efe:8.8.8.8",
)  # fmt: skip


@pytest.mark.parametrize(("address", "why"), REFUSED)
def test_refused(address: str, why: Refusal):
    assert PLAIN.refuses(address, 443) is why
    assert OPEN.refuses(address, 443) is (None if why in LOCAL else why)


@pytest.mark.parametrize("address", ALLOWED)
def test_allowed(address: str):
    assert PLAIN.refuses(address, 443) is None
    assert PLAIN.with_port(443).refuses(address, 443) is None


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_ports_that_are_none(port: int):
    assert OPEN.refuses("8.8.8.8", port) is Refusal.SPELLING


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.0.0.5", "0.0.0.0", "fe80::1%eth0", "::127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"],
)  # fmt: skip
def test_own_ports_are_refused_on_every_local_address(address: str):
    guard = OPEN.with_port(9222).with_port(40000)
    assert guard.refuses(address, 9222) is Refusal.PORT
    assert guard.refuses(address, 40000) is Refusal.PORT
    assert guard.refuses(address, 9223) is not Refusal.PORT
    assert PLAIN.with_port(9222).refuses(address, 9222) is Refusal.PORT


def test_a_public_address_of_this_machine():
    assert PLAIN.refuses("8.8.8.8", 443, own=True) is Refusal.OWN
    assert OPEN.refuses("8.8.8.8", 443, own=True) is None
    assert OPEN.with_port(443).refuses("8.8.8.8", 443, own=True) is Refusal.PORT


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("localhost", Refusal.NAME), ("LOCALHOST", Refusal.NAME), ("localhost.", Refusal.NAME), ("a.localhost", Refusal.NAME),
        ("a.b.LocalHost.", Refusal.NAME), ("localhost.localdomain", Refusal.NAME), ("printer.local", Refusal.NAME), ("ip6-localhost", Refusal.NAME),
        ("ip6-loopback", Refusal.NAME), ("db.internal", Refusal.NAME), ("wiki.corp", Refusal.NAME), ("router.lan", Refusal.NAME), ("nas.home", Refusal.NAME),
    ],
)  # fmt: skip
def test_local_names(host: str, why: Refusal):
    assert PLAIN.refuses_name(host) is why
    assert OPEN.refuses_name(host) is None


@pytest.mark.parametrize(
    "host",
    ["metadata.google.internal", "METADATA.google.internal.", "metadata", "instance-data", "metadata.goog"],
)
def test_names_of_metadata_services(host: str):
    assert PLAIN.refuses_name(host) is OPEN.refuses_name(host) is Refusal.METADATA


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "..", "example.com..", "a b", "a\tb", "a\x00b", "例子", "ⓛocalhost", "localhost%00.example.com", "fe80::1%eth0", "a/b", "a\\b",
        "user@localhost", "x" * 256, "\\x00", "\x7f", "example.com\n",
    ],
)  # fmt: skip
def test_spellings_that_are_no_name(host: str):
    assert OPEN.refuses_name(host) is Refusal.SPELLING


@pytest.mark.parametrize(
    "host",
    [
        "example.com", "example.com.", "EXAMPLE.com", "xn--fsqu00a.xn--0zwm56d", "a_b.example.com", "localhost.example.com", "internal.example.com",
        "notlocalhost", "mylocal", "1.1.1.1", "2606:4700::1", "0x7f.1", "2130706433", "localhosts", "metadata.example.com",
    ],
)  # fmt: skip
def test_names_that_may_be_resolved(host: str):
    assert PLAIN.refuses_name(host) is None


@given(st.ip_addresses(v=4))
def test_every_form_of_an_address_is_judged_like_it(address: IPv4Address):
    """Mapped, translated, NAT64 and 6to4 forms are never let pass when the address itself is refused."""
    why = PLAIN.refuses(str(address), 443)
    number = int(address)
    forms = (
        IPv6Address(0xFFFF << 32 | number), IPv6Address(0xFFFF << 48 | number), IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80), IPv6Address(0x2400 << 112 | 0x5EFE << 32 | number),
    )  # fmt: skip
    assert {PLAIN.refuses(str(form), 443) for form in forms} == {why}


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str):
    assert PLAIN.refuses(text, 443) in {None, *Refusal}
    assert PLAIN.refuses_name(text) in {None, *Refusal}


@given(st.ip_addresses())
def test_what_is_let_pass_is_global(address: IPv4Address | IPv6Address):
    """A second opinion: the standard library's tables, for what they call private, loopback, link-local or multicast."""
    if PLAIN.refuses(str(address), 443) is None and not _translated(address):
        kinds = (address.is_private, address.is_loopback, address.is_link_local, address.is_multicast)
        assert not any(kinds)


def _translated(address: IPv4Address | IPv6Address) -> bool:
    """Whether an IPv4 address inside is judged instead; newer tables of the library call such addresses private."""
    if not isinstance(address, IPv6Address):
        return False
    return any(inside is not None for inside in (address.ipv4_mapped, address.sixtofour, address.teredo))
