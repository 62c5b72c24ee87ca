"""Windows: proxy settings (user, WinHTTP, PAC, environment), name servers, adapters, routes.

Not run on real Windows yet. Settings are read by API and as JSON from PowerShell, never from translated text.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator
from typing import Final

from evidence_desk.capture.environment.linux_network import (
    environment_proxies,
    judge_adapters,
    judge_gateways,
    judge_servers,
)
from evidence_desk.capture.environment.machine import Machine, Ran, call_raw, masked
from evidence_desk.capture.environment.surroundings import Findings, Surroundings
from evidence_desk.core.capture.environment import Check, Item, Outcome, because, values

POWERSHELL_S: Final = 12.0
_NO_PROXY, _NAMED_PROXY = 1, 3
"""WINHTTP_ACCESS_TYPE_NO_PROXY and _NAMED_PROXY."""
_LOOPBACK: Final = 24
"""ifType softwareLoopback; 131 tunnel, 23 PPP, 53 proprietary virtual (VPN adapters)."""
_TUNNEL_TYPES: Final = frozenset({23, 53, 131})


def powershell(machine: Machine, script: str) -> tuple[Ran | None, list[dict[str, object]] | None]:
    """Objects a PowerShell line gives as JSON; None when it did not run or gave anything else."""
    line = f"[Console]::OutputEncoding=[Text.Encoding]::UTF8; ConvertTo-Json -Compress -Depth 4 -InputObject @({script})"
    ran = machine.run(("powershell.exe", "-NoProfile", "-NonInteractive", "-Command", line), POWERSHELL_S)
    if ran is None or ran.exit_code != 0:
        return ran, None
    try:
        value = json.loads(ran.output.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return ran, None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return ran, None
    return ran, value


def asked(found: Findings, machine: Machine, script: str) -> list[dict[str, object]] | None:
    """`powershell` with its output recorded."""
    ran, value = powershell(machine, script)
    if ran is not None:
        found.raws.extend(ran.raws)
    return value


def strings(value: object) -> list[str]:
    """Texts of a JSON list, or one text."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


class _UserProxy(ctypes.Structure):
    """WINHTTP_CURRENT_USER_IE_PROXY_CONFIG."""

    _fields_ = (
        ("detect", ctypes.c_int), ("script", ctypes.c_wchar_p), ("proxy", ctypes.c_wchar_p), ("bypass", ctypes.c_wchar_p),
    )  # fmt: skip


class _MachineProxy(ctypes.Structure):
    """WINHTTP_PROXY_INFO."""

    _fields_ = (("access", ctypes.c_uint32), ("proxy", ctypes.c_wchar_p), ("bypass", ctypes.c_wchar_p))


def winhttp_settings() -> dict[str, str] | None:
    """Settings of the user and of WinHTTP; None when they cannot be asked."""
    try:
        winhttp = ctypes.WinDLL("winhttp")  # type: ignore[attr-defined,unused-ignore]
        user, machine = _UserProxy(), _MachineProxy()
        if not winhttp.WinHttpGetIEProxyConfigForCurrentUser(ctypes.byref(user)):
            return None
        if not winhttp.WinHttpGetDefaultProxyConfiguration(ctypes.byref(machine)):
            return None
    except (OSError, AttributeError):
        return None
    return {
        "user detect": str(user.detect), "user pac": user.script or "", "user proxy": user.proxy or "",
        "user bypass": user.bypass or "", "winhttp access": str(machine.access), "winhttp proxy": machine.proxy or "",
    }  # fmt: skip


def check_proxy(around: Surroundings) -> Item:
    """Proxies of the environment, of the user (with PAC and WPAD) and of WinHTTP."""
    found = Findings(Check.PROXY)
    judge_proxy(found, environment_proxies(found, around), winhttp_settings())
    return found.item()


def judge_proxy(found: Findings, named: list[str], settings: dict[str, str] | None) -> None:
    """Outcome of what was read; automatic detection (WPAD) is Windows' default and told apart."""
    if settings is None:
        found.tell(Outcome.UNCHECKED, because("environment.proxy.desktop_unread"))
        settings = {}
    found.raws.append(
        call_raw(
            "WinHttpGetIEProxyConfigForCurrentUser", [f"{name}={value}" for name, value in settings.items()]
        )
    )
    safe = {name: masked(value) for name, value in settings.items()}
    named = [*named, *(f"{name}={safe[name]}" for name in ("user pac", "user proxy") if safe.get(name))]
    if safe.get("winhttp access") == str(_NAMED_PROXY):
        named.append(f"winhttp proxy={safe.get('winhttp proxy', '')}")
    if safe.get("user detect") not in {None, "0"}:
        found.reasons.append(because("environment.proxy.detect"))
    found.facts["proxies"] = values(named)
    if named:
        found.tell(Outcome.WARN, because("environment.proxy.found", proxies="; ".join(named)))
    else:
        found.tell(Outcome.PASS, because("environment.proxy.none"))


def check_dns(around: Surroundings) -> Item:
    """Name servers of every adapter."""
    found = Findings(Check.DNS)
    listed = asked(
        found, around.machine, "Get-DnsClientServerAddress | Select-Object InterfaceAlias,ServerAddresses"
    )
    if listed is None:
        found.tell(Outcome.UNCHECKED, because("environment.dns.unread"))
        return found.item()
    servers = [server for item in listed for server in strings(item.get("ServerAddresses"))]
    # Windows lists these site-local addresses for adapters without any; nobody answers there.
    judge_servers(
        found, [server for server in dict.fromkeys(servers) if not server.startswith("fec0:0:0:ffff::")]
    )
    return found.item()


def check_adapters(around: Surroundings) -> Item:
    """Adapters that are up, with hardware and network addresses."""
    found = Findings(Check.ADAPTERS)
    script = (
        "Get-NetAdapter | Select-Object Name,InterfaceDescription,Status,MacAddress,InterfaceType,PromiscuousMode,"
        "@{n='Addresses';e={@(Get-NetIPAddress -InterfaceIndex $_.ifIndex -ErrorAction SilentlyContinue | "
        "ForEach-Object { $_.IPAddress + '/' + $_.PrefixLength })}}"
    )
    listed = asked(found, around.machine, script)
    if not listed:
        found.tell(Outcome.UNCHECKED, because("environment.adapters.unread"))
        return found.item()
    up = [item for item in listed if item.get("Status") == "Up"]
    found.facts["adapters"] = values(
        " ".join([
            str(item.get("Name")), "up" if item in up else "down", str(item.get("MacAddress") or ""),
            *sorted(text for text in strings(item.get("Addresses")) if not text.lower().startswith("fe80:")),
        ]).strip()
        for item in listed
    )  # fmt: skip
    tunnels = [str(item.get("Name")) for item in up if item.get("InterfaceType") in _TUNNEL_TYPES]
    judge_adapters(
        found,
        len(listed),
        tunnels,
        [str(item.get("Name")) for item in up if item.get("PromiscuousMode") is True],
    )
    return found.item()


def check_routes(around: Surroundings) -> Item:
    """Default routes and the hardware addresses of neighbors."""
    found = Findings(Check.ROUTES)
    listed = asked(
        found, around.machine, "Get-NetRoute | Select-Object DestinationPrefix,NextHop,InterfaceAlias"
    )
    near = asked(found, around.machine, "Get-NetNeighbor | Select-Object IPAddress,LinkLayerAddress")
    if listed is None:
        found.tell(Outcome.UNCHECKED, because("environment.routes.unread"))
        return found.item()
    found.facts["routes"] = values(_routes(listed))
    known = {str(item.get("IPAddress")): str(item.get("LinkLayerAddress") or "") for item in near or ()}
    unicast = {address: hardware for address, hardware in known.items() if not _shared(hardware)}
    gateways = [
        str(item.get("NextHop")) for item in listed if item.get("DestinationPrefix") in {"0.0.0.0/0", "::/0"}
    ]
    judge_gateways(found, gateways, unicast)
    return found.item()


def _shared(hardware: str) -> bool:
    """Multicast and broadcast addresses, which many neighbors have (01-00-5E…, 33-33…, FF-FF…)."""
    return hardware.upper().startswith(("01-00-5E", "33-33", "FF-FF"))


def _routes(listed: list[dict[str, object]]) -> Iterator[str]:
    for item in listed:
        yield f"{item.get('DestinationPrefix')} via {item.get('NextHop')} dev {item.get('InterfaceAlias')}"
