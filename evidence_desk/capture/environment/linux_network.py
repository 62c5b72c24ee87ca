"""Linux: proxy settings, name servers, adapters, routes and the gateway's hardware address."""

from __future__ import annotations

import ipaddress
import json
import struct
from collections.abc import Iterator
from typing import Final

from evidence_desk.capture.environment.machine import Ran, call_raw, decoded, file_raw, masked
from evidence_desk.capture.environment.surroundings import Findings, Surroundings
from evidence_desk.core.capture.environment import Check, Item, Outcome, because, values

PROXY_VARIABLES: Final = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "auto_proxy")
_TUNNELS: Final = ("tun", "tap", "wg", "ppp", "utun", "zt", "tailscale", "nordlynx", "proton")
_UP, _GATEWAY = 1, 2
"""Flags of /proc/net/route (RTF_UP, RTF_GATEWAY)."""


def environment_proxies(found: Findings, around: Surroundings) -> list[str]:
    """Proxies named by the program's environment, passwords masked; recorded."""
    lines = [
        f"{name}={value}"
        for name, value in sorted(around.machine.environ.items())
        if name.lower() in PROXY_VARIABLES and value
    ]
    found.raws.append(call_raw("environ", lines))
    return [masked(line) for line in lines]


def check_proxy(around: Surroundings) -> Item:
    """Environment, /etc/environment, the desktop's settings with their PAC address, KDE's."""
    found = Findings(Check.PROXY)
    set_up = environment_proxies(found, around)
    data = around.machine.read("/etc/environment")
    if data is not None:
        found.raws.append(file_raw("/etc/environment", data))
        for line in masked(decoded(data)).splitlines():
            name = line.strip().removeprefix("export ").split("=", 1)[0].strip().lower()
            set_up += [f"/etc/environment {line.strip()}"] if name in PROXY_VARIABLES else []
    set_up += _desktop(found, around)
    set_up += _kde(found, around)
    found.facts["proxies"] = values(set_up)
    if set_up:
        found.tell(Outcome.WARN, because("environment.proxy.found", proxies="; ".join(set_up)))
    else:
        found.tell(Outcome.PASS, because("environment.proxy.none"))
    return found.item()


def _desktop(found: Findings, around: Surroundings) -> Iterator[str]:
    ran = around.machine.run(("gsettings", "list-recursively", "org.gnome.system.proxy"), 5.0)
    if ran is None:
        return  # no GNOME settings on this system
    found.raws.extend(ran.raws)
    if ran.exit_code != 0:
        if b"No such schema" not in ran.errors:
            found.tell(Outcome.UNCHECKED, because("environment.proxy.desktop_unread"))
        return
    settings = {}
    for line in ran.text.splitlines():
        parts = line.split(" ", 2)
        if len(parts) == 3:
            settings[f"{parts[0].removeprefix('org.gnome.system.proxy')}.{parts[1]}".lstrip(".")] = parts[
                2
            ].strip("'")
    mode = settings.get("mode", "none")
    if mode == "auto":
        yield f"GNOME PAC {settings.get('autoconfig-url') or 'WPAD'}"
    elif mode != "none":
        hosts = {name: value for name, value in settings.items() if name.endswith(".host") and value}
        yield f"GNOME {mode} {hosts}"


def _kde(found: Findings, around: Surroundings) -> Iterator[str]:
    if around.machine.home is None:
        return
    path = around.machine.home / ".config" / "kioslaverc"
    try:
        data = path.read_bytes()[:65536]
    except OSError:
        return
    found.raws.append(file_raw("~/.config/kioslaverc", data))
    settings = dict(line.split("=", 1) for line in masked(decoded(data)).splitlines() if "=" in line)
    if settings.get("ProxyType", "0") != "0":
        named = {name: value for name, value in settings.items() if "roxy" in name}
        yield f"KDE {named}"


def check_dns(around: Surroundings) -> Item:
    """Name servers of the system; one on this machine forwards to others that are asked for."""
    found = Findings(Check.DNS)
    data = around.machine.read("/etc/resolv.conf")
    if data is None:
        found.tell(Outcome.UNCHECKED, because("environment.dns.unread"))
        return found.item()
    found.raws.append(file_raw("/etc/resolv.conf", data))
    lines = [
        line.split() for line in decoded(data).splitlines() if line.strip() and line.lstrip()[0] not in "#;"
    ]
    servers = [line[1] for line in lines if line[0] == "nameserver" and len(line) > 1]
    order = around.machine.read("/etc/nsswitch.conf")
    if order is not None:
        found.raws.append(file_raw("/etc/nsswitch.conf", order))
        found.facts["order"] = values(
            " ".join(line.split()) for line in decoded(order).splitlines() if line.startswith("hosts:")
        )
    if "127.0.0.53" in servers:
        forwarded = around.machine.run(("resolvectl", "dns"), 5.0)
        if forwarded is not None:
            found.raws.extend(forwarded.raws)
            servers += [word for word in forwarded.text.split() if _address(word) is not None]
    judge_servers(found, servers)
    return found.item()


def judge_servers(found: Findings, servers: list[str]) -> None:
    """Name servers as fact; none, and unknown ones on this machine, are told."""
    found.facts["servers"] = values(servers, ordered=True)
    shown = ", ".join(dict.fromkeys(servers))
    here = [server for server in servers if _loopback(server) and server != "127.0.0.53"]
    if not servers:
        found.tell(Outcome.WARN, because("environment.dns.none"))
    elif here:
        found.tell(Outcome.WARN, because("environment.dns.here", servers=", ".join(here)))
    else:
        found.tell(Outcome.PASS, because("environment.dns.servers", servers=shown))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Address of a name server, which may bear a zone or a server name (``fe80::1%eth0``, ``1.1.1.1#name``)."""
    try:
        return ipaddress.ip_address(text.partition("%")[0].partition("#")[0])
    except ValueError:
        return None


def _loopback(text: str) -> bool:
    address = _address(text)
    return address is not None and address.is_loopback


def check_adapters(around: Surroundings) -> Item:
    """Adapters with hardware and network addresses; tunnels and listening to foreign traffic are told."""
    found = Findings(Check.ADAPTERS)
    ran = around.machine.run(("ip", "-json", "-details", "address", "show"), 5.0)
    adapters = None if ran is None else _json(ran)
    if ran is not None:
        found.raws.extend(ran.raws)
    if not adapters:
        found.tell(Outcome.UNCHECKED, because("environment.adapters.unread"))
        return found.item()
    shown, tunnels, promiscuous = [], [], []
    for adapter in adapters:
        name = str(adapter.get("ifname", "?"))
        info = adapter.get("linkinfo")
        kind = str(info.get("info_kind", "")) if isinstance(info, dict) else ""
        up = "UP" in _words(adapter.get("flags"))
        addresses = sorted(_addresses(adapter))
        state = "up" if up else "down"
        shown.append(" ".join([name, state, str(adapter.get("address", "")), *addresses]).strip())
        if up and (kind in {"tun", "wireguard", "ppp", "vxlan", "gre"} or name.startswith(_TUNNELS)):
            tunnels.append(name)
        if "PROMISC" in _words(adapter.get("flags")) or adapter.get("promiscuity") not in {None, 0}:
            promiscuous.append(name)
    found.facts["adapters"] = values(shown)
    judge_adapters(found, len(shown), tunnels, promiscuous)
    return found.item()


def judge_adapters(found: Findings, count: int, tunnels: list[str], promiscuous: list[str]) -> None:
    """Outcome of the adapters."""
    if tunnels:
        found.tell(Outcome.WARN, because("environment.adapters.tunnel", names=", ".join(tunnels)))
    if promiscuous:
        found.tell(Outcome.WARN, because("environment.adapters.promiscuous", names=", ".join(promiscuous)))
    if not tunnels and not promiscuous:
        found.tell(Outcome.PASS, because("environment.adapters.listed", count=count))


def _json(ran: Ran) -> list[dict[str, object]] | None:
    """Strictly a list of objects, else None."""
    if ran.exit_code != 0:
        return None
    try:
        value = json.loads(ran.output)
    except (ValueError, RecursionError):
        return None
    return [item for item in value if isinstance(item, dict) and item] if isinstance(value, list) else None


def _words(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _addresses(adapter: dict[str, object]) -> Iterator[str]:
    listed = adapter.get("addr_info")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and item.get("scope") != "link":
            yield f"{item.get('local')}/{item.get('prefixlen')}"


def check_routes(around: Surroundings) -> Item:
    """Routes, gateways and their hardware addresses, from /proc/net."""
    found = Findings(Check.ROUTES)
    table, neighbors = around.machine.read("/proc/net/route"), around.machine.read("/proc/net/arp")
    if table is None:
        found.tell(Outcome.UNCHECKED, because("environment.routes.unread"))
        return found.item()
    found.raws.append(file_raw("/proc/net/route", table))
    six = around.machine.read("/proc/net/ipv6_route")
    if six:
        found.raws.append(file_raw("/proc/net/ipv6_route", six))
    known: dict[str, str] = {}
    if neighbors is not None:
        found.raws.append(file_raw("/proc/net/arp", neighbors))
        rows = (line.split() for line in decoded(neighbors).splitlines()[1:])
        known = {row[0]: row[3] for row in rows if len(row) >= 6}
    routes = list(_routes(decoded(table)))
    found.facts["routes"] = values(
        f"{net} {f'via {gateway} ' if gateway else ''}dev {name}" for net, gateway, name in routes
    )
    judge_gateways(found, [gateway for net, gateway, _ in routes if net == "0.0.0.0/0" and gateway], known)
    return found.item()


def _routes(table: str) -> Iterator[tuple[str, str, str]]:
    """(network, gateway or "", adapter) of /proc/net/route: hexadecimal in the machine's order of bytes."""
    for line in table.splitlines()[1:]:
        row = line.split()
        if len(row) < 8:
            continue
        try:
            net, gateway, mask_bits = (
                ipaddress.IPv4Address(struct.pack("=I", int(row[at], 16))) for at in (1, 2, 7)
            )
            flags = int(row[3], 16)
            shown = str(ipaddress.ip_network(f"{net}/{mask_bits}", strict=False))
        except (ValueError, struct.error):
            continue
        if flags & _UP:
            yield shown, str(gateway) if flags & _GATEWAY else "", row[0]


def judge_gateways(found: Findings, gateways: list[str], known: dict[str, str]) -> None:
    """Default gateways with hardware addresses; several neighbors behind the gateway's one are told (ARP spoofing sign)."""
    found.facts["gateways"] = values(f"{gateway} {known.get(gateway, '?')}" for gateway in gateways)
    if not gateways:
        found.tell(Outcome.WARN, because("environment.routes.no_gateway"))
    for gateway in dict.fromkeys(gateways):
        hardware = known.get(gateway, "")
        if not hardware.strip("0:-"):
            found.tell(Outcome.UNCHECKED, because("environment.routes.gateway_unknown", gateway=gateway))
            continue
        same = sorted(address for address, other in known.items() if other == hardware and address != gateway)
        if same:
            found.tell(
                Outcome.WARN,
                because("environment.routes.shared", hardware=hardware, addresses=", ".join(same)),
            )
        else:
            found.tell(
                Outcome.PASS, because("environment.routes.gateway", gateway=gateway, hardware=hardware)
            )
