"""How a call leaves this machine: which certificates it trusts, and which proxy it goes through.

One policy for every client of ours. The libraries read the same environment variables each in a way of its own, so
they are kept from reading any (`trust_env` is off) and are handed what is decided here.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import os
import re
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from connectors.addresses import is_loopback
from connectors.errors import NetworkMisconfigured
from connectors.guard import Guard, guarded_transport

CA_BUNDLE = "PHASELOOP_CA_BUNDLE"

CA_VARIABLES = (CA_BUNDLE, "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where the trusted certificates are named; the first that is set holds, for every client alike."""

_PROXY_SCHEMES = ("http", "https")
_PORTS = {"http": 80, "https": 443}
_SHIPPED = "the certificates that come with phaseloop"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Way:
    """The way of every call to one address. `proxy` is the proxy's address with its credentials, empty for none;
    `named` is the same for people, without them. `bundle` is a file or folder of certificates that was named by
    `chosen_by`; empty for those that come with the libraries. `guard` judges which machine a call reached; None for
    calls that nobody typed an address for, and where a proxy is what is reached."""

    proxy: str = field(default="", repr=False)
    named: str = ""
    bundle: str = ""
    chosen_by: str = ""
    guard: Guard | None = None

    @property
    def via(self) -> str:
        """The proxy as a message ends that names a host; empty for none."""
        return f" through the proxy {self.named}" if self.named else ""

    @property
    def trusts(self) -> str:
        """Which certificates are trusted, for people."""
        return f"those in {self.bundle} ({self.chosen_by})" if self.bundle else _SHIPPED

    def for_httpx(self, limits: Any = None) -> dict[str, Any]:
        """The arguments of an `httpx.Client`, with these limits to its connections."""
        import httpx  # not every process that reads the policy sends something

        context = self._context()
        if self.guard is not None:
            return {"trust_env": False, "transport": guarded_transport(self.guard, context, limits)}
        proxy = httpx.Proxy(self.proxy, ssl_context=_https(self.proxy, context)) if self.proxy else None
        more = {"limits": limits} if limits is not None else {}
        return {"trust_env": False, "verify": context, "proxy": proxy, **more}

    def for_requests(self) -> dict[str, Any]:
        """The arguments of the `send` of a `requests.Session`, whose `trust_env` is to be off."""
        proxies = dict.fromkeys(_PROXY_SCHEMES, self.proxy) if self.proxy else {}
        return {"proxies": proxies, "verify": self.bundle or True, "cert": None, "stream": False}

    def tls(self) -> ssl.SSLContext:
        """What TLS is made with, by what is neither of the two clients."""
        return self._context()

    def _context(self) -> ssl.SSLContext:
        if self.bundle:
            return _loaded(self.bundle)
        import certifi

        return _shipped(certifi.where())


DIRECT = Way()
"""No proxy, and the certificates that come with the libraries."""


@dataclass(frozen=True, slots=True)
class Network:
    """The network's settings of one process. `ca_bundle` is `PHASELOOP_CA_BUNDLE` where it was not set in the
    environment itself (in a file `.env`). `guard` judges the machines that are called; None lets every one pass."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    ca_bundle: str = ""
    guard: Guard | None = None

    def way_to(self, url: str) -> Way:
        """The way to this address. Raises NetworkMisconfigured, with what to set, where a setting that matters for
        it cannot be used."""
        parts = urlsplit(url)
        proxy, variable = self._proxy(parts)
        named = ""
        if proxy:
            proxy, named = _usable(proxy, variable, parts.hostname or "")
        bundle, chosen_by = "", ""
        if parts.scheme == "https" or proxy.startswith("https:"):
            bundle, chosen_by = self._bundle()
        if self.guard is not None and proxy:
            self.guard.judge_literal(parts.hostname or "")  # of a name, only the proxy learns where it leads
        return Way(proxy, named, bundle, chosen_by, None if proxy else self.guard)

    def straight_to(self, host: str) -> Way:
        """The way to a server that speaks no http, so that no proxy passes it on. Raises NetworkMisconfigured."""
        bundle, chosen_by = self._bundle()
        if self.guard is not None:
            self.guard.judge_literal(host)
        return Way(bundle=bundle, chosen_by=chosen_by, guard=self.guard)

    def check(self) -> None:
        """Raises NetworkMisconfigured where the certificates to trust cannot be read, before anything is sent."""
        self._bundle()

    def _bundle(self) -> tuple[str, str]:
        named = {CA_BUNDLE: self.ca_bundle} if self.ca_bundle else {}
        for variable in CA_VARIABLES:
            value = named.get(variable) or self.environ.get(variable, "").strip()
            if value:
                path = str(Path(value).expanduser())
                _check_bundle(path, variable)
                return path, variable
        return "", ""

    def _proxy(self, parts: SplitResult) -> tuple[str, str]:
        """The proxy for an address and the variable that names it; empty for none."""
        host = (parts.hostname or "").rstrip(".")
        if not host or is_this_machine(host):
            return "", ""
        port = parts.port or _PORTS.get(parts.scheme, 0)
        chosen, variable = self._named(f"{parts.scheme}_proxy")
        if not variable:
            chosen, variable = self._named("all_proxy")
        if not variable:
            return self._of_the_system(parts.scheme, host)
        if not chosen or is_exempt(parts.scheme, host, port, self._named("no_proxy")[0]):
            return "", ""
        return chosen, variable

    def _named(self, name: str) -> tuple[str, str]:
        """A variable's value and how it was spelt. Lower case wins, and set empty it switches the proxy off; in upper
        case an empty one counts as unset: it is what files that pass variables on make of an unset one."""
        if name in self.environ:
            return self.environ[name].strip(), name
        value = self.environ.get(name.upper(), "").strip()
        return (value, name.upper()) if value else ("", "")

    def _of_the_system(self, scheme: str, host: str) -> tuple[str, str]:
        """What macOS and Windows keep outside the environment; elsewhere there is nothing."""
        if self.environ is not os.environ:
            return "", ""
        found = urllib.request.getproxies().get(scheme, "")
        # Neither of the two is in the environment here, so this can only be the system's own setting.
        return (found, "the system's settings") if found and not urllib.request.proxy_bypass(host) else ("", "")


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, by any of its names: what is sent there goes through no proxy."""
    address = _address(host)
    if address is None:
        return is_loopback(host.lower().rstrip("."))
    return address.is_loopback or address.is_unspecified


def is_exempt(scheme: str, host: str, port: int, no_proxy: str) -> bool:
    """Whether an address is excepted from the proxy by a NO_PROXY list: `*`; a host, which stands for everything
    under it too; a pattern with `*`; an IP address, or a network as CIDR; each of them with a port or without, and
    with a scheme or without."""
    return any(matches(scheme, host.lower().rstrip("."), port) for matches in _exceptions(no_proxy))


_Matches = Callable[[str, str, int], bool]


def _exceptions(no_proxy: str) -> Iterator[_Matches]:
    for entry in re.split(r"[\s,;]+", no_proxy.strip().lower()):
        if entry:
            yield _exception(entry)


def _exception(entry: str) -> _Matches:
    only_scheme, _, rest = entry.rpartition("://")
    pattern, only_port = _split_port(rest.rstrip("/") if "://" in entry else rest)
    matches_host = _host_pattern(pattern)

    def matches(scheme: str, host: str, port: int) -> bool:
        if only_scheme not in ("", "all", scheme) or only_port not in (0, port):
            return False
        return matches_host(host)

    return matches


def _split_port(text: str) -> tuple[str, int]:
    """A host pattern and the port after it, 0 for none: `[::1]:443`, `::1`, `example.com:443`."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, int(port[1:]) if port[1:].isdecimal() else 0
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and ":" not in host:
        return host, int(port)
    return text, 0


def _host_pattern(pattern: str) -> Callable[[str], bool]:
    if pattern == "*":
        return lambda _host: True
    if "/" in pattern:
        try:
            network = ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return lambda _host: False
        return lambda host: (address := _address(host)) is not None and address in network
    if (single := _address(pattern)) is not None:
        return lambda host: _address(host) == single
    name = _ascii(pattern.rstrip("."))
    if "*" in name:
        return lambda host: fnmatch.fnmatchcase(_ascii(host), name)
    name = name.lstrip(".")
    return lambda host: bool(name) and (_ascii(host) == name or _ascii(host).endswith(f".{name}"))


def _address(host: str) -> _Address | None:
    """An IP address, IPv4 also where it is written as IPv6; None for a name."""
    try:
        found = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else found


def _ascii(host: str) -> str:
    """A host name as it is looked up, where it is written in another script."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _usable(value: str, variable: str, target: str) -> tuple[str, str]:
    """A proxy's address as the clients take it, and its name for people. Raises NetworkMisconfigured."""
    whole = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host:
        raise NetworkMisconfigured(
            f"The proxy that {variable} names is not a web address.",
            fix=f"Set {variable} to the proxy's address, like http://proxy.example.com:3128, or unset it.",
        )
    shown = f"[{host}]" if ":" in host else host
    shown = f"{shown}:{port}" if port else shown
    if parts.scheme not in _PROXY_SCHEMES:
        kind = "a SOCKS proxy" if parts.scheme.startswith("socks") else f"a proxy of the kind {parts.scheme}://"
        raise NetworkMisconfigured(
            f"{variable} names {kind} ({parts.scheme}://{shown}), which phaseloop does not use; nothing was sent.",
            fix=f"Name an http:// or https:// proxy, or put {target} into NO_PROXY where it can be reached directly.",
        )
    credentials, at, _ = parts.netloc.rpartition("@")
    port = port or (443 if parts.scheme == "https" else 80)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{parts.scheme}://{credentials}{at}{place}", f"{place} ({variable})"


def _check_bundle(path: str, variable: str) -> None:
    try:
        _loaded(path)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        if isinstance(error, FileNotFoundError) or not Path(path).exists():
            why = "is not there"
        elif isinstance(error, ssl.SSLError):
            why = "holds no certificates in PEM form"
        else:
            why = (
                f"cannot be read ({error.strerror or type(error).__name__})"
                if isinstance(error, OSError)
                else ("cannot be read")
            )
        raise NetworkMisconfigured(
            f"The file of trusted certificates that {variable} names, {path}, {why}; nothing was sent.",
            fix="Correct the variable: it names a file (or an OpenSSL folder) of PEM certificates. Or unset it.",
        ) from None


@lru_cache(maxsize=1)
def _shipped(path: str) -> ssl.SSLContext:
    """The certificates that come with the libraries, read once: that takes longer than most calls."""
    return ssl.create_default_context(cafile=path)


def _loaded(path: str) -> ssl.SSLContext:
    if Path(path).is_dir():
        next(Path(path).iterdir(), None)  # OpenSSL says nothing about a folder that it may not read
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def _https(proxy: str, context: ssl.SSLContext) -> ssl.SSLContext | None:
    return context if proxy.startswith("https:") else None


_TUNNEL = re.compile(r"Tunnel connection failed: ([^'\")]+)")


def said_by(error: BaseException) -> str:
    """What a broken call's error says that helps: why a certificate is not trusted, what a proxy answered."""
    for one in causes(error):
        if isinstance(one, ssl.SSLCertVerificationError) and one.verify_message:
            return one.verify_message
    for one in causes(error):
        if type(one).__name__ == "ProxyError" and re.match(r"\d{3} ", str(one)):
            return str(one)
        if (found := _TUNNEL.search(str(one))) is not None:
            return found[1].strip()
    return ""


def denies(said: str) -> bool:
    """Whether a proxy will give the same answer again: it asks for a password, or forbids the host."""
    return said.startswith(("407", "403"))


_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
"""What OpenSSL says of an answer to its handshake that is none, by version."""


def is_no_tls(said: str) -> bool:
    """Whether an error's text says that the server answered the handshake with something that is not TLS."""
    return any(f"[SSL: {sign}]" in said for sign in _NO_TLS)


def causes(error: BaseException) -> list[BaseException]:
    """The error with everything it was made from: some libraries keep the first one among the arguments."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and all(one is not other for other in found):
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return found
