"""How far a call by httpx came that ended in an error."""

from __future__ import annotations

import httpx

from connectors.calls import Fault
from connectors.network import denies, is_no_tls

CAUGHT: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL)
"""What a client catches."""


def fault_of(error: BaseException) -> Fault:
    """How far the call came that ended in this error."""
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Fault.UNTRUSTED
    if isinstance(error, httpx.ConnectError) and is_no_tls(str(error)):
        return Fault.PLAIN_HTTP
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Fault.NEVER_SENT
    if isinstance(error, httpx.ProxyError):
        return Fault.PROXY_DENIES if denies(str(error)) else Fault.PROXY_REFUSED
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError | httpx.InvalidURL):
        return Fault.WRONG_ADDRESS
    if isinstance(error, httpx.DecodingError | httpx.TooManyRedirects):
        return Fault.UNREADABLE
    return Fault.LOST
