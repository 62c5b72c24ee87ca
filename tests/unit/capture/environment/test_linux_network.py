"""Proxies, name servers, adapters and routes of Linux, from recorded files and outputs."""

from __future__ import annotations

import json

import pytest

from evidence_desk.capture.environment.linux_network import (
    check_adapters,
    check_dns,
    check_proxy,
    check_routes,
)
from evidence_desk.core.capture.environment import Outcome
from tests.unit.capture.environment.machines import a_machine, around, codes

GNOME = (
    "org.gnome.system.proxy autoconfig-url '{pac}'\norg.gnome.system.proxy ignore-hosts ['localhost', '127.0.0.0/8', '::1']\n"
    "org.gnome.system.proxy mode '{mode}'\norg.gnome.system.proxy.http authentication-password '{password}'\n"
    "org.gnome.system.proxy.http host '{host}'\norg.gnome.system.proxy.http port 8080\n"
)  # fmt: skip


def gnome(mode: str, pac: str = "", host: str = "", password: str = "") -> dict[str, tuple[int | None, str]]:
    return {"gsettings list": (0, GNOME.format(mode=mode, pac=pac, host=host, password=password))}


def test_no_proxy_anywhere(tmp_path):
    item = check_proxy(
        around(a_machine(tmp_path, outputs=gnome("none", host="left.over"), environ={"PATH": "/bin"}))
    )
    assert item.outcome is Outcome.PASS
    assert item.facts["proxies"] == ()
    assert check_proxy(around(a_machine(tmp_path))).outcome is Outcome.PASS


def test_every_place_of_a_proxy_is_told_without_its_password(tmp_path):
    machine = a_machine(
        tmp_path,
        files={
            "/etc/environment": 'LANG=C\nexport https_proxy="http://kate:open@10.0.0.2:3128"\n',
            "/home/user/.config/kioslaverc": "[Proxy Settings]\nProxyType=1\nhttpProxy=http://10.0.0.3 8080\n",
        },
        outputs=gnome("manual", host="10.0.0.4", password="s3cret"),
        environ={"HTTP_PROXY": "http://user:pa:ss@10.0.0.1:8080", "no_proxy": "", "SOMETHING": "x"},
    )
    item = check_proxy(around(machine))
    assert item.outcome is Outcome.WARN
    text = " ".join(item.facts["proxies"])
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"):
        assert address in text
    whole = text + repr(item)
    for secret in ("pa:ss", "open@", "s3cret"):
        assert secret not in whole
    assert [raw.masked for raw in item.raws] == [True, True, True, False]


@pytest.mark.parametrize(
    ("pac", "shown"), [("http://wpad.example/x.pac", "http://wpad.example/x.pac"), ("", "WPAD")]
)
def test_an_automatic_proxy_names_its_script(tmp_path, pac, shown):
    item = check_proxy(around(a_machine(tmp_path, outputs=gnome("auto", pac=pac))))
    assert item.facts["proxies"] == (f"GNOME PAC {shown}",)


def test_settings_that_cannot_be_read_are_unchecked_but_a_missing_desktop_is_none(tmp_path):
    failed = {"gsettings list": (1, "")}
    assert codes(check_proxy(around(a_machine(tmp_path, outputs=failed, errors="cannot open display")))) == [
        "proxy.desktop_unread", "proxy.none",
    ]  # fmt: skip
    assert (
        check_proxy(around(a_machine(tmp_path, outputs=failed, errors="No such schema “x”"))).outcome
        is Outcome.PASS
    )


RESOLVED = "Global:\nLink 2 (eth0): 192.0.2.53 2001:db8::53\n"


@pytest.mark.parametrize(
    ("resolv", "outcome", "servers"),
    [
        ("# made by x\nnameserver 192.0.2.1\nsearch example.com\noptions edns0\n", Outcome.PASS, ("192.0.2.1",)),
        ("nameserver 127.0.0.53\n", Outcome.PASS, ("127.0.0.53", "192.0.2.53", "2001:db8::53")),
        ("nameserver 127.0.0.1\nnameserver fe80::1%eth0\n", Outcome.WARN, ("127.0.0.1", "fe80::1%eth0")),
        ("nameserver ::1\n", Outcome.WARN, ("::1",)),
        ("\n ; nothing\n", Outcome.WARN, ()),
        (None, Outcome.UNCHECKED, None),
    ],
)  # fmt: skip
def test_name_servers(tmp_path, resolv, outcome, servers):
    files = (
        {}
        if resolv is None
        else {"/etc/resolv.conf": resolv, "/etc/nsswitch.conf": "passwd: files\nhosts:   files dns\n"}
    )
    item = check_dns(around(a_machine(tmp_path, files=files, outputs={"resolvectl dns": (0, RESOLVED)})))
    assert item.outcome is outcome
    assert item.facts.get("servers") == servers
    if files:
        assert item.facts["order"] == ("hosts: files dns",)


def adapter(name: str, *flags: str, **more: object) -> dict[str, object]:
    addresses = [
        {"family": "inet", "local": "192.0.2.2", "prefixlen": 24, "scope": "global"},
        {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"},
    ]
    return {
        "ifname": name,
        "flags": ["UP", *flags],
        "address": "02:00:00:00:00:01",
        "addr_info": addresses,
        **more,
    }


@pytest.mark.parametrize(
    ("adapters", "outcome", "found"),
    [
        ([adapter("eth0"), {}], Outcome.PASS, ["adapters.listed"]),
        ([adapter("eth0"), adapter("tun0")], Outcome.WARN, ["adapters.tunnel"]),
        ([adapter("vpn", linkinfo={"info_kind": "wireguard"})], Outcome.WARN, ["adapters.tunnel"]),
        ([{**adapter("wg0"), "flags": []}], Outcome.PASS, ["adapters.listed"]),
        ([adapter("eth0", "PROMISC")], Outcome.WARN, ["adapters.promiscuous"]),
        (
            [adapter("eth0", promiscuity=1), adapter("ppp0")],
            Outcome.WARN,
            ["adapters.tunnel", "adapters.promiscuous"],
        ),
        ([], Outcome.UNCHECKED, ["adapters.unread"]),
    ],
)
def test_adapters(tmp_path, adapters, outcome, found):
    machine = a_machine(tmp_path, outputs={"ip -json": (0, json.dumps(adapters))})
    item = check_adapters(around(machine))
    assert item.outcome is outcome
    assert codes(item) == found
    if adapters and adapters[0].get("ifname") == "eth0":
        assert item.facts["adapters"][0] == "eth0 up 02:00:00:00:00:01 192.0.2.2/24"


@pytest.mark.parametrize("output", [(1, "[]"), (0, "no json"), (0, "{}"), (0, "[" * 100_000), (None, "[{}]")])
def test_odd_outputs_of_ip_decide_nothing(tmp_path, output):
    assert (
        check_adapters(around(a_machine(tmp_path, outputs={"ip -json": output}))).outcome is Outcome.UNCHECKED
    )
    assert check_adapters(around(a_machine(tmp_path))).outcome is Outcome.UNCHECKED


HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
DEFAULT = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
LOCAL = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
DOWN = "eth1\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\nshort\nx\tzz\tzz\t0003\t0\t0\t0\tzz\t0\t0\t0\n"
NEAR = "IP address       HW type     Flags       HW address            Mask     Device\n"
GATEWAY = "192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0\n"
TWIN = "192.0.2.77       0x1         0x2         02:fc:00:00:00:05     *        eth0\n"
UNKNOWN = "192.0.2.1        0x1         0x0         00:00:00:00:00:00     *        eth0\n"


@pytest.mark.parametrize(
    ("table", "neighbors", "outcome", "found"),
    [
        (HEAD + DEFAULT + LOCAL + DOWN, NEAR + GATEWAY, Outcome.PASS, ["routes.gateway"]),
        (HEAD + DEFAULT, NEAR + GATEWAY + TWIN, Outcome.WARN, ["routes.shared"]),
        (HEAD + DEFAULT, NEAR + UNKNOWN, Outcome.UNCHECKED, ["routes.gateway_unknown"]),
        (HEAD + DEFAULT, None, Outcome.UNCHECKED, ["routes.gateway_unknown"]),
        (HEAD + LOCAL, NEAR + GATEWAY, Outcome.WARN, ["routes.no_gateway"]),
        (None, None, Outcome.UNCHECKED, ["routes.unread"]),
    ],
)
def test_routes(tmp_path, table, neighbors, outcome, found):
    files = {"/proc/net/route": table, "/proc/net/arp": neighbors, "/proc/net/ipv6_route": "0 1\n"}
    item = check_routes(
        around(a_machine(tmp_path, files={name: text for name, text in files.items() if text is not None}))
    )
    assert item.outcome is outcome
    assert codes(item) == found
    if found == ["routes.gateway"]:
        assert item.facts["routes"] == ("0.0.0.0/0 via 192.0.2.1 dev eth0", "192.0.2.0/24 dev eth0")
        assert item.facts["gateways"] == ("192.0.2.1 02:fc:00:00:00:05",)
