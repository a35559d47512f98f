"""Small answers are sent at once: asyncio turns Nagle's algorithm off only where the socket names its protocol."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from sandbox.server import listening
from service.app import _listener


@pytest.mark.parametrize("listen", [listening, _listener], ids=["sandbox", "service"])
def test_a_listening_socket_names_its_protocol(listen: Callable[[str, int], socket.socket]) -> None:
    with closing(listen("127.0.0.1", 0)) as bound:
        assert bound.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("listen", [listening], ids=["sandbox"])
def test_an_address_that_is_taken_is_refused(listen: Callable[[str, int], socket.socket]) -> None:
    with closing(listen("127.0.0.1", 0)) as bound, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", bound.getsockname()[1])
