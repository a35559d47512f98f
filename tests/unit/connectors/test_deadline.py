"""A call ends as a whole, also where the other side keeps sending a little."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.deadline import Deadline
from connectors.errors import TrackerUnavailable
from connectors.receivers import connect

SOON = 0.5


@contextmanager
def dripping(line: bytes) -> Iterator[int]:
    """A server that says this again and again, and never comes to an end; its port."""
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            try:
                while not ended.wait(0.02):
                    connection.sendall(line)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                connection, _address = listening.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_mail_server_that_never_ends_its_greeting_is_left() -> None:
    with dripping(b"220-welcome\r\n") as port:
        settings = {"host": "127.0.0.1", "port": port, "sender": "l@example.com", "security": "none"}
        receiver = connect("email", settings, "", timeout=SOON)

        with pytest.raises(TrackerUnavailable, match="nothing was sent"):
            receiver.whoami()


def test_what_waits_for_a_connection_fails_when_the_time_is_over() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(SOON) as deadline:
        deadline.watch(ours)
        assert ours.recv(1) == b""
        assert deadline.over


def test_a_connection_that_is_made_too_late_is_broken_off_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0) as deadline:
        deadline._timer.join()
        deadline.watch(ours)
        assert ours.recv(1) == b""


def test_a_call_that_ends_in_time_leaves_its_connection_alone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(SOON) as deadline:
            deadline.watch(ours)
        deadline._timer.join()
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
