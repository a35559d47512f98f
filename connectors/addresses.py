"""Web addresses as people type them into a connection's settings."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

ALLOW_HTTP = "allow plain http beyond this machine."
"""What the setting is for that every connection over http has."""


def split_address(url: str, example: str) -> SplitResult:
    """The parts of a web address; raises ValueError in words that say what would be right, `example` among them."""
    import httpx  # a tenth of a second of imports, for commands that name no address

    if "://" not in url:
        if not url:
            raise ValueError("must not be empty")
        scheme = "http" if _is_local(url) else "https"
        raise ValueError(f"must start with {scheme}://; use {scheme}://{url}")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  reading it is what checks it
        httpx.URL(url).host  # noqa: B018  and the client has rules of its own, which it applies at the first call
    except (ValueError, httpx.InvalidURL) as error:  # a UnicodeError is a ValueError
        raise ValueError("is not a web address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"must be a web address, like {example}")
    return parts


def parts_of(text: str) -> SplitResult:
    """The parts of what may be a web address; those of an empty text where it cannot be one, such as `http://[::1`."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def _is_local(bare: str) -> bool:
    """Whether an address without its scheme is this machine's own, where servers rarely speak https."""
    try:
        return is_loopback(urlsplit(f"//{bare}").hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's own."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
