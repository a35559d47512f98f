"""Which machines may be called at all: an address that somebody typed leads out into the world, and not into the
network that the service stands in, unless its administrator lists that.

It is judged on the address that the socket is connected to, before the first byte (also of TLS) is sent. So it does not
matter how the address was written or what a name resolved to, at first or a moment later.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.errors import NetworkMisconfigured

if TYPE_CHECKING:
    import httpx

ALLOWED = "PHASELOOP_ALLOWED_ADDRESSES"
"""The setting that lists what may be called besides public addresses."""

LOOPBACK = "loopback"
"""The word for this machine, by any of its addresses, in that list."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_OF_CLOUDS = frozenset({ipaddress.ip_address("168.63.129.16")})
"""Addresses inside clouds that look public."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`allowed` are networks (CIDR), addresses, the word `loopback`, and host names as they stand in addresses."""

    allowed: tuple[str, ...] = ()

    def judge(self, host: str, peer: str) -> None:
        """Raise NetworkMisconfigured unless a call to this host may go to the machine with this address."""
        address = effective(peer)
        if is_public(address) or self._lists(host, address):
            return
        shown = host if host.strip("[]") == peer else f"{host} ({peer})"
        raise NetworkMisconfigured(
            f"{shown} is {_kind(address)}, which phaseloop does not call; nothing was sent.",
            fix=f"If it is meant, an administrator lists it and restarts the service: {ALLOWED}={_proposed(address)}",
        )

    def judge_socket(self, host: str, connected: socket.socket) -> None:
        """As `judge`, of a connection that was just made."""
        self.judge(host, str(connected.getpeername()[0]).partition("%")[0])

    def judge_literal(self, host: str) -> None:
        """As `judge`, of a host that is written as an address; a name passes."""
        try:
            peer = ipaddress.ip_address(host.strip("[]").partition("%")[0])
        except ValueError:
            return
        self.judge(host, str(peer))

    def _lists(self, host: str, address: Address) -> bool:
        name = host.strip("[]").rstrip(".").lower()
        for entry in self.allowed:
            if entry == LOOPBACK:
                if address.is_loopback:
                    return True
            elif (network := network_of(entry)) is not None:
                if address.version == network.version and address in network:
                    return True
            elif entry.lower() == name:
                return True
        return False


def network_of(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that an entry of the list names; None where it is a word or a host name."""
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def effective(peer: str) -> Address:
    """Where packets to this address end: IPv4 within IPv6 is IPv4, in each of the forms that carry it."""
    address = ipaddress.ip_address(peer)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is one of the world's, and of one machine."""
    return address.is_global and not address.is_multicast and address not in _OF_CLOUDS


def _kind(address: Address) -> str:
    if address.is_loopback or address.is_unspecified:
        return "this machine"
    if address.is_link_local or address in _OF_CLOUDS:
        return "an address of the machine's own surroundings, where clouds keep credentials"
    return "an address of a private network"


def _proposed(address: Address) -> str:
    return LOOPBACK if address.is_loopback else str(address)


def guarded_transport(guard: Guard, context: Any, limits: Any = None) -> httpx.HTTPTransport:
    """The way out of `httpx` on which each connection is judged as soon as it is made."""
    import httpcore
    import httpx

    class Backend(httpcore.SyncBackend):
        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Iterable[Any] | None = None,
        ) -> httpcore.NetworkStream:
            stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
            try:
                guard.judge_socket(host, stream.get_extra_info("socket"))
            except BaseException:
                stream.close()
                raise
            return stream

    chosen = limits or httpx.Limits(max_connections=100, max_keepalive_connections=20)
    transport = httpx.HTTPTransport(verify=context, trust_env=False)
    transport._pool.close()
    transport._pool = httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=chosen.max_connections,
        max_keepalive_connections=chosen.max_keepalive_connections,
        keepalive_expiry=chosen.keepalive_expiry,
        network_backend=Backend(),
    )
    return transport


def checked(entries: Sequence[str]) -> tuple[str, ...]:
    """The list as it was typed, in plain form. Raises ValueError naming the entry that is none."""
    found = []
    for entry in entries:
        plain = entry.strip()
        if not plain:
            continue
        is_name = all(part.replace("-", "").replace("_", "").isalnum() for part in plain.rstrip(".").split("."))
        if plain != LOOPBACK and network_of(plain) is None and not is_name:
            msg = f"{plain!r} is none of them: a network like 10.0.0.0/8, an address, a host name, or the word loopback"
            raise ValueError(msg)
        found.append(plain)
    return tuple(found)
