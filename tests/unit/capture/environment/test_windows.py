"""Windows: what is decided from registry values, settings and PowerShell outputs as they typically are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Self

import pytest

from evidence_desk.capture.environment import windows_machine, windows_network
from evidence_desk.capture.environment.machine import Machine, Ran
from evidence_desk.capture.environment.surroundings import Findings
from evidence_desk.capture.environment.windows_registry import NoRegistry, Value, WindowsRegistry, registry
from evidence_desk.capture.environment.windows_roots import listed_roots
from evidence_desk.core.capture.environment import Check, Item, Outcome
from tests.unit.capture.environment.machines import a_machine, around, codes

DIRECT = {
    "user detect": "0", "user pac": "", "user proxy": "", "user bypass": "", "winhttp access": "1", "winhttp proxy": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "outcome", "found"),
    [
        ({}, Outcome.PASS, ["proxy.none"]),
        ({"user detect": "1"}, Outcome.PASS, ["proxy.detect", "proxy.none"]),
        ({"user proxy": "http://u:p@10.0.0.1:8080"}, Outcome.WARN, ["proxy.found"]),
        ({"user pac": "http://wpad/wpad.dat"}, Outcome.WARN, ["proxy.found"]),
        ({"winhttp access": "3", "winhttp proxy": "10.0.0.2:3128"}, Outcome.WARN, ["proxy.found"]),
    ],
)
def test_proxy(changes, outcome, found):
    findings = Findings(Check.PROXY)
    windows_network.judge_proxy(findings, [], DIRECT | changes)
    item = findings.item()
    assert (item.outcome, codes(item)) == (outcome, found)
    assert "u:p" not in repr(item)


def test_settings_that_cannot_be_asked_are_unchecked(tmp_path):
    machine = a_machine(tmp_path, system="windows", environ={"HTTPS_PROXY": "http://10.0.0.1:1"})
    item = windows_network.check_proxy(around(machine))
    assert codes(item) == ["proxy.desktop_unread", "proxy.found"]
    assert item.outcome is Outcome.WARN
    findings = Findings(Check.PROXY)
    windows_network.judge_proxy(findings, [], None)
    assert findings.item().outcome is Outcome.UNCHECKED


def powershell(tmp_path, *answers: tuple[str, object], raw: str | None = None):
    """A machine whose PowerShell gives these answers, by the cmdlet asked for."""
    outputs = {}
    for cmdlet, value in answers:
        outputs[cmdlet] = json.dumps(value) if raw is None else raw

    def run(command, timeout):
        assert timeout > 0
        shown = " ".join(command)
        for cmdlet, output in outputs.items():
            if f"@({cmdlet}" in shown:
                return Ran(command=shown, output=b"\xef\xbb\xbf" + output.encode(), errors=b"", exit_code=0)
        return None

    return around(Machine(system="windows", root=tmp_path, environ={}, home=None, run=run))


@pytest.mark.parametrize(
    ("servers", "outcome"),
    [
        ([{"InterfaceAlias": "以太网", "ServerAddresses": ["192.0.2.53", "fec0:0:0:ffff::1"]}], Outcome.PASS),
        ([{"InterfaceAlias": "Ethernet", "ServerAddresses": "192.0.2.53"}], Outcome.PASS),
        ([{"InterfaceAlias": "Ethernet", "ServerAddresses": ["127.0.0.1"]}], Outcome.WARN),
        ([{"InterfaceAlias": "Loopback", "ServerAddresses": []}], Outcome.WARN),
    ],
)
def test_dns(tmp_path, servers, outcome):
    item = windows_network.check_dns(powershell(tmp_path, ("Get-DnsClientServerAddress", servers)))
    assert item.outcome is outcome
    assert not any(server.startswith("fec0") for server in item.facts["servers"])


@pytest.mark.parametrize("raw", ["", "x", "{}", "[1]", "[" * 100_000])
def test_odd_answers_of_powershell_decide_nothing(tmp_path, raw):
    for cmdlet, checker in (
        ("Get-DnsClientServerAddress", windows_network.check_dns), ("Get-NetAdapter", windows_network.check_adapters),
        ("Get-NetRoute", windows_network.check_routes), ("Get-HotFix", windows_machine.check_updates),
        ("Get-CimInstance", windows_machine.check_antivirus),
    ):  # fmt: skip
        assert checker(powershell(tmp_path, (cmdlet, None), raw=raw)).outcome is Outcome.UNCHECKED
        assert checker(powershell(tmp_path)).outcome is Outcome.UNCHECKED


def an_adapter(name: str, **changes: object) -> dict[str, object]:
    return {
        "Name": name, "InterfaceDescription": "Intel(R) Ethernet", "Status": "Up", "MacAddress": "02-00-00-00-00-01",
        "InterfaceType": 6, "PromiscuousMode": False, "Addresses": ["192.0.2.2/24", "fe80::1/64"],
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("adapters", "outcome", "found"),
    [
        ([an_adapter("以太网")], Outcome.PASS, ["adapters.listed"]),
        ([an_adapter("a"), an_adapter("VPN", InterfaceType=53)], Outcome.WARN, ["adapters.tunnel"]),
        (
            [an_adapter("VPN", InterfaceType=53, Status="Disconnected", Addresses=None)],
            Outcome.PASS,
            ["adapters.listed"],
        ),
        ([an_adapter("a", PromiscuousMode=True)], Outcome.WARN, ["adapters.promiscuous"]),
    ],
)
def test_adapters(tmp_path, adapters, outcome, found):
    item = windows_network.check_adapters(powershell(tmp_path, ("Get-NetAdapter", adapters)))
    assert (item.outcome, codes(item)) == (outcome, found)
    if adapters[0]["Name"] == "以太网":
        assert item.facts["adapters"] == ("以太网 up 02-00-00-00-00-01 192.0.2.2/24",)


ROUTES = [
    {"DestinationPrefix": "0.0.0.0/0", "NextHop": "192.0.2.1", "InterfaceAlias": "以太网"},
    {"DestinationPrefix": "192.0.2.0/24", "NextHop": "0.0.0.0", "InterfaceAlias": "以太网"},
]
NEIGHBORS = [
    {"IPAddress": "192.0.2.1", "LinkLayerAddress": "02-FC-00-00-00-05"}, {"IPAddress": "224.0.0.22", "LinkLayerAddress": "01-00-5E-00-00-16"},
    {"IPAddress": "ff02::16", "LinkLayerAddress": "33-33-00-00-00-16"}, {"IPAddress": "192.0.2.255", "LinkLayerAddress": "FF-FF-FF-FF-FF-FF"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("neighbors", "outcome", "found"),
    [
        (NEIGHBORS, Outcome.PASS, ["routes.gateway"]),
        (
            [*NEIGHBORS, {"IPAddress": "192.0.2.9", "LinkLayerAddress": "02-FC-00-00-00-05"}],
            Outcome.WARN,
            ["routes.shared"],
        ),
        ([], Outcome.UNCHECKED, ["routes.gateway_unknown"]),
    ],
)
def test_routes(tmp_path, neighbors, outcome, found):
    item = windows_network.check_routes(
        powershell(tmp_path, ("Get-NetRoute", ROUTES), ("Get-NetNeighbor", neighbors))
    )
    assert (item.outcome, codes(item)) == (outcome, found)


class Recorded:
    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values

    def value(self, root: str, key: str, name: str) -> Value:
        assert root in {"HKLM", "HKCU"}
        assert key
        return self.values.get(name)


def judged(check: Check, judge, *given: object, **named: object) -> Item:
    findings = Findings(check)
    judge(findings, *given, **named)
    return findings.item()


@pytest.mark.parametrize(
    ("bios", "outcome"),
    [
        ({"SystemManufacturer": "LENOVO", "SystemProductName": "21CB"}, Outcome.PASS),
        ({"SystemManufacturer": "Microsoft Corporation", "SystemProductName": "Surface Pro"}, Outcome.PASS),
        (
            {"SystemManufacturer": "Microsoft Corporation", "SystemProductName": "Virtual Machine"},
            Outcome.WARN,
        ),
        ({"SystemManufacturer": "QEMU"}, Outcome.WARN),
        ({}, Outcome.UNCHECKED),
    ],
)
def test_virtual_machine(bios, outcome):
    assert judged(Check.MACHINE, windows_machine.judge_machine, Recorded(bios)).outcome is outcome


WINDOWS = ("C:\\Windows\\System32\\ntdll.dll", "c:\\windows\\WinSxS\\x\\comctl32.dll")


@pytest.mark.parametrize(
    ("modules", "debugged", "preloaded", "outcome"),
    [
        (WINDOWS, False, "", Outcome.PASS),
        (WINDOWS, True, "", Outcome.FAIL),
        (WINDOWS, False, "C:\\x.dll", Outcome.WARN),
        ((*WINDOWS, "C:\\Program Files\\Hook\\hook.dll"), False, "", Outcome.WARN),
        (None, False, "", Outcome.UNCHECKED),
        (WINDOWS, None, "", Outcome.UNCHECKED),
    ],
)
def test_injection(modules, debugged, preloaded, outcome):
    item = judged(
        Check.INJECTION,
        windows_machine.judge_injection,
        modules=modules,
        debugged=debugged,
        preloaded=preloaded,
    )
    assert item.outcome is outcome


@pytest.mark.parametrize(
    ("products", "outcome", "found"),
    [
        ([{"displayName": "Windows Defender", "productState": 397568}], Outcome.PASS, ["antivirus.running"]),
        ([{"displayName": "Windows Defender", "productState": 397584}], Outcome.WARN, ["antivirus.old"]),
        ([{"displayName": "Windows Defender", "productState": 393472}], Outcome.WARN, ["antivirus.off"]),
        ([], Outcome.WARN, ["antivirus.off"]),
    ],
)
def test_antivirus(tmp_path, products, outcome, found):
    item = windows_machine.check_antivirus(powershell(tmp_path, ("Get-CimInstance", products)))
    assert (item.outcome, codes(item)) == (outcome, found)


@pytest.mark.parametrize(
    ("build", "kind", "name"), [("19045", "Client", "Windows 10 Pro 23H2"), ("22631", "Client", "Windows 11 Pro 23H2"), ("26100", "Server", "Windows 10 Pro 23H2")]
)  # fmt: skip
def test_system(build, kind, name):
    values = {
        "ProductName": "Windows 10 Pro", "DisplayVersion": "23H2", "CurrentBuildNumber": build, "UBR": 4169,
        "InstallationType": kind,
    }  # fmt: skip
    item = judged(Check.SYSTEM, windows_machine.judge_system, Recorded(values))
    assert item.outcome is Outcome.PASS
    assert item.facts["system"][0] == name
    assert judged(Check.SYSTEM, windows_machine.judge_system, Recorded({})).outcome is Outcome.UNCHECKED


@pytest.mark.parametrize(
    ("newest", "outcome", "found"),
    [
        ({"HotFixID": "KB5031455", "Days": 12, "Reboot": False}, Outcome.PASS, ["updates.recent"]),
        ({"HotFixID": "KB5031455", "Days": 120, "Reboot": False}, Outcome.WARN, ["updates.long_ago"]),
        (
            {"HotFixID": "KB5031455", "Days": 1, "Reboot": True},
            Outcome.WARN,
            ["updates.reboot", "updates.recent"],
        ),
        ({"HotFixID": "KB5031455", "Days": "1"}, Outcome.UNCHECKED, ["updates.unknown"]),
    ],
)
def test_updates(tmp_path, newest, outcome, found):
    item = windows_machine.check_updates(powershell(tmp_path, ("Get-HotFix", [newest])))
    assert (item.outcome, codes(item)) == (outcome, found)


def test_elsewhere_than_on_windows_its_api_is_unchecked_not_passed(tmp_path):
    bare = around(a_machine(tmp_path, system="windows"))
    assert windows_machine.check_injection(bare).outcome is Outcome.UNCHECKED
    assert windows_machine.check_machine(bare).outcome is Outcome.UNCHECKED
    assert windows_machine.check_system(bare).outcome is Outcome.UNCHECKED
    listed = a_machine(tmp_path, outputs={"tasklist.exe": (0, '"System","4"\r\n')}, system="windows")
    assert "remote.session_unread" in codes(windows_machine.check_remote(around(listed)))
    assert windows_machine.check_remote(around(listed)).outcome is Outcome.UNCHECKED
    assert windows_machine.check_remote(bare).outcome is Outcome.UNCHECKED
    assert isinstance(registry(), NoRegistry)


class Key:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def test_the_registry_is_read_by_winreg():
    asked = []

    def query(_: Key, name: str) -> tuple[object, int]:
        if name == "gone":
            raise FileNotFoundError
        return {"text": "a", "odd": 1.5}[name], 1

    def open_key(*given: object) -> Key:
        asked.append(given)
        return Key()

    module = SimpleNamespace(
        KEY_READ=1, KEY_WOW64_64KEY=256, HKEY_LOCAL_MACHINE=7, OpenKey=open_key, QueryValueEx=query
    )
    keys = WindowsRegistry(module)
    assert (
        keys.value("HKLM", "k", "text"),
        keys.value("HKLM", "k", "gone"),
        keys.value("HKLM", "k", "odd"),
    ) == ("a", None, None)
    assert asked[0] == (7, "k", 0, 257)
    assert NoRegistry().value("HKLM", "k", "text") is None


def test_a_list_of_roots_that_is_missing_or_broken_is_none():
    assert listed_roots(Recorded({})) is None
    assert listed_roots(Recorded({"EncodedCtl": "text"})) is None
    assert listed_roots(Recorded({"EncodedCtl": b"\x30\x00"})) is None
