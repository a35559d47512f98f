"""Where an address leads, told by its shape alone: nothing is ever looked up or fetched.

Hosts can be written in many ways, and browsers read them all; here each is read as a browser would, so that no way of
writing hides that an address leads into somebody's own network.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

ANY_PUBLIC: Final = "*"
"""Among allowed hosts: any that is not private."""

_ENDINGS: Final = "local localhost localdomain internal intranet private lan home corp test invalid onion home.arpa"
PRIVATE_ENDINGS: Final = frozenset(_ENDINGS.split())
"""What names end in that no public server has."""

_LEADING_HOME: Final = ("nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me")
"""Public names below which every name leads to an address of the asker's choice."""

_WEB: Final = ("http", "https")
_PORTS: Final = {"http": 80, "https": 443}
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,30}):")
_PATTERN: Final = re.compile(r"(?:\*\.)?[^\s/\\@*?#:\[\]]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_DOTS: Final = str.maketrans("\u3002\uff0e\uff61", "...")
_PART: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address leads: `host` in ASCII, lower-case (IP addresses in their usual form), and the port."""

    host: str
    port: int | None
    ip: _Address | None = None


class Unfit(Exception):
    """An address cannot be read as one, or is written so as to mislead; the message says how, for people."""


def refusal(url: str, hosts: Sequence[str] = (), own: str = "") -> str:
    """Why a link may not lead there, in words that follow the address; empty: it may.

    Allowed are public hosts if `hosts` is empty or has `*`, else those that `hosts` names (private ones included), and
    in any case the server of the address `own`: the tracker in which the link was found.
    """
    try:
        scheme, target = read_address(url)
    except Unfit as unfit:
        return str(unfit)
    if any(_matches(target, pattern) for pattern in hosts if pattern != ANY_PUBLIC):
        return ""
    if scheme not in _WEB:
        return f'begins with "{scheme}:"; only http and https lead to something that everybody can open'
    if own and _same_server(target, own):
        return ""
    if hosts and ANY_PUBLIC not in hosts:
        return f"leads to {target.host}, which is not among the allowed hosts"
    return _private(target)


def read_address(url: str) -> tuple[str, Target]:
    """The scheme of an address and where it leads, read as a browser reads it. Raises `Unfit`."""
    if any(ord(char) < 33 or unicodedata.category(char) in ("Cc", "Cf", "Zs", "Zl", "Zp") for char in url):
        raise Unfit("has blanks or invisible characters in it")
    found = _SCHEME.match(url)
    if found is None:
        raise Unfit("does not say how it is opened (https://...)")
    scheme = found.group(1).lower()
    try:
        parts = urlsplit(url)
        netloc, port = parts.netloc, parts.port
    except ValueError:
        raise Unfit("cannot be read as an address") from None
    if scheme not in _WEB and not netloc:
        raise Unfit(f'begins with "{scheme}:"; only http and https lead to something that everybody can open')
    if "@" in netloc:
        raise Unfit("has a user name or password before the host")
    if "\\" in url:
        raise Unfit("has a backslash in it, which browsers read in different ways")
    name = netloc if port is None and not netloc.endswith(":") else netloc.rpartition(":")[0]
    return scheme, _target(name, port if port is not None else _PORTS.get(scheme))


def bad_host(pattern: str) -> str:
    """What is wrong with an entry of a list of allowed hosts, in words; empty: nothing."""
    if pattern == ANY_PUBLIC:
        return ""
    if not _PATTERN.fullmatch(pattern):
        return f'"{pattern[:60]}" is not a host'
    try:
        _pattern(pattern)
    except Unfit as unfit:
        return f'"{pattern[:60]}" {unfit}'
    return ""


def covered(host: str, allowed: Sequence[str]) -> bool:
    """Whether all that `host` (an entry of a list of allowed hosts) lets through is let through by `allowed`, too."""
    try:
        below, target = _pattern(host)
        if host == ANY_PUBLIC:
            return ANY_PUBLIC in allowed
        return any(_covers(pattern, below, target) for pattern in allowed)
    except Unfit:
        return False


def _covers(pattern: str, below: bool, target: Target) -> bool:
    if pattern == ANY_PUBLIC:
        return not _private(target)
    if not below:
        return _matches(target, pattern)
    wide, other = _pattern(pattern)
    fits = target.host == other.host or target.host.endswith("." + other.host)
    return wide and fits and other.port in (None, target.port)


def _matches(target: Target, pattern: str) -> bool:
    try:
        below, wanted = _pattern(pattern)
    except Unfit:
        return False
    if wanted.port is not None and wanted.port != target.port:
        return False
    return target.host.endswith("." + wanted.host) if below else target.host == wanted.host


def _pattern(pattern: str) -> tuple[bool, Target]:
    """Whether an entry means all hosts below its own, and that host; without a port it means every port."""
    if pattern == ANY_PUBLIC:
        return True, Target("", None)
    name, _, port = pattern.rpartition(":") if re.search(r":[0-9]{1,5}$", pattern) else (pattern, "", "")
    return name.startswith("*."), _target(name.removeprefix("*."), int(port) if port else None)


def _same_server(target: Target, own: str) -> bool:
    try:
        _, other = read_address(own)
    except Unfit:
        return False
    return (target.host, target.port) == (other.host, other.port)


def _target(name: str, port: int | None) -> Target:
    """The host that a name in an address means. Raises `Unfit`."""
    if name.startswith("["):
        try:
            six = ipaddress.IPv6Address(name.strip("[]").partition("%")[0])
        except ValueError:
            raise Unfit("cannot be read as an address") from None
        return Target(f"[{six.compressed}]", port, six)
    host = _ascii(name)
    if _PART.fullmatch(host.rpartition(".")[2]):
        four = _ipv4(host)
        return Target(str(four), port, four)
    return Target(host, port)


def _ascii(name: str) -> str:
    """A host's name as it is asked for: decoded, compatible letters unified, in Punycode where it is not ASCII."""
    decoded = unicodedata.normalize("NFKC", unquote(name)).translate(_DOTS).casefold().rstrip(".")
    if not decoded:
        raise Unfit("names no host")
    if any(unicodedata.category(char) in ("Cc", "Cf", "Zs") or char in "%/\\@:?#[]" for char in decoded):
        raise Unfit("has characters in its host that no host has")
    try:
        ascii_name = decoded.encode("idna").decode("ascii")
        shown = ascii_name.encode("ascii").decode("idna")
    except UnicodeError:
        raise Unfit("names no host that there can be") from None
    if any(_mixed(label) for label in shown.split(".")):
        raise Unfit("mixes letters of several alphabets in its host, as imitations of other hosts do")
    return ascii_name.casefold()


def _mixed(label: str) -> bool:
    """Whether a label mixes alphabets whose letters look alike."""
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}) > 1


def _ipv4(host: str) -> ipaddress.IPv4Address:
    """An IPv4 address in any notation: one to four numbers, each decimal, octal (0...) or hexadecimal (0x...), of which
    the last one fills what is left."""
    parts = host.split(".")
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        raise Unfit("cannot be read as an address") from None
    room = 256 ** (5 - len(parts)) if len(parts) <= 4 else 0
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= room:
        raise Unfit("cannot be read as an address")
    whole = numbers[-1] + sum(number << 8 * (3 - place) for place, number in enumerate(numbers[:-1]))
    return ipaddress.IPv4Address(whole)


def _number(part: str) -> int:
    if not _PART.fullmatch(part) or len(part) > 20:
        raise ValueError(part)
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part[0] == "0" else int(part)


def _private(target: Target) -> str:
    """Why a target is nobody's but its own network's; empty: it is public."""
    if target.ip is not None:
        inner = [target.ip, *_inside(target.ip)]
        if any(not one.is_global or one.is_multicast for one in inner):
            return f"leads to {target.host}, an address of a private network or of one machine"
        return ""
    name = target.host
    if "." not in name:
        return f'leads to "{name}", a name that only one network knows'
    if any(name.endswith("." + ending) for ending in (*PRIVATE_ENDINGS, *_LEADING_HOME)) or name in _LEADING_HOME:
        return f"leads to {name}, a name of a private network"
    return ""


def _inside(ip: _Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that an IPv6 address stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64 or int(ip) >> 32 == 0:
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [one for one in found if one is not None]
