"""Calls to addresses that somebody typed do not reach into the network that the service stands in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from pydantic import ValidationError

from connectors import registry
from connectors.errors import NetworkMisconfigured
from connectors.guard import Guard, checked, effective
from connectors.network import Network
from connectors.port import Tracker
from service.settings import Settings

NOTHING = Network({}, guard=Guard())


@dataclass
class Inner:
    """A server inside the network, and what reached it."""

    port: int = 0
    reached: list[str] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)


@pytest.fixture
def inner() -> Iterator[Inner]:
    """What nobody is to reach; it would answer like a tracker."""
    told = Inner()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.reached.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        told.port = server.server_port
        yield told
        server.shutdown()


def tracker(kind: str, url: str, network: Network) -> Tracker:
    if kind == "jira":
        return registry.connect(
            "jira", {"url": url, "email": "ml-1@example.com", "allow_http": True}, "t" * 32, network=network
        )
    return registry.connect("trello", {"url": url, "key": "k" * 32, "allow_http": True}, "t" * 64, network=network)


HOSTS = [
    "127.0.0.1",
    "localhost",
    "2130706433",  # the same in decimal
    "0x7f000001",
    "127.1",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
]
"""Ways to write this machine's address, as far as the system's resolver takes them."""


@pytest.mark.allow_hosts(["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("kind", ["jira", "trello"])
@pytest.mark.parametrize("host", HOSTS)
def test_however_an_address_inside_is_written_nothing_is_sent_there(inner: Inner, kind: str, host: str) -> None:
    connected = tracker(kind, f"http://{host}:{inner.port}", NOTHING)
    with pytest.raises(NetworkMisconfigured, match="this machine") as told:
        connected.whoami()
    assert "PHASELOOP_ALLOWED_ADDRESSES=loopback" in str(told.value)
    connected.close()
    assert inner.reached == []


@pytest.mark.parametrize("kind", ["jira", "trello"])
def test_a_name_is_judged_by_where_its_connection_ended_not_by_what_it_resolved_to_before(
    inner: Inner, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads outside when it is looked at, and inside when it is connected to."""
    resolve = socket.getaddrinfo

    def rebind(host: object, *more: object, **named: object) -> object:
        inside = host in ("tracker.example.com", b"tracker.example.com")
        return resolve("127.0.0.1" if inside else host, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    connected = tracker(kind, f"http://tracker.example.com:{inner.port}", NOTHING)
    with pytest.raises(NetworkMisconfigured, match=r"tracker\.example\.com \(127\.0\.0\.1\) is this machine"):
        connected.whoami()
    connected.close()
    assert inner.reached == []


@pytest.mark.parametrize("allowed", [["loopback"], ["127.0.0.0/8"], ["127.0.0.1"], ["10.0.0.0/8", "localhost"]])
def test_what_the_administrator_lists_is_called(inner: Inner, allowed: list[str]) -> None:
    way = Network({}, guard=Guard(checked(allowed))).way_to(f"http://localhost:{inner.port}")
    with httpx.Client(**way.for_httpx()) as client:
        assert client.get(f"http://localhost:{inner.port}/x").status_code == 200
    assert inner.reached == ["/x"]


@pytest.mark.parametrize(
    "peer",
    [
        *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"),
        *("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("2002:7f00:1::", "2002:a00:1::", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1"),
    ],
)
def test_private_loopback_link_local_and_metadata_addresses_are_refused(peer: str) -> None:
    with pytest.raises(NetworkMisconfigured, match="nothing was sent"):
        Guard().judge("tracker.example.com", peer)


@pytest.mark.parametrize("peer", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_public_addresses_pass(peer: str) -> None:
    Guard().judge("tracker.example.com", peer)


def test_a_host_name_that_is_listed_may_be_anywhere_and_another_one_not() -> None:
    guard = Guard(("jira.corp.example.com",))

    guard.judge("JIRA.corp.example.com", "10.1.2.3")
    with pytest.raises(NetworkMisconfigured):
        guard.judge("other.corp.example.com", "10.1.2.3")
    with pytest.raises(NetworkMisconfigured):
        guard.judge("jira.corp.example.com.evil.example", "10.1.2.3")


def test_an_address_in_brackets_is_refused_before_a_proxy_is_asked_for_it() -> None:
    with pytest.raises(NetworkMisconfigured, match="clouds keep credentials"):
        Network({"http_proxy": "http://proxy.example.com:3128"}, guard=Guard()).way_to("http://169.254.169.254")


def test_ipv4_within_ipv6_is_ipv4() -> None:
    assert str(effective("::ffff:10.0.0.1")) == str(effective("64:ff9b::a00:1")) == "10.0.0.1"


@pytest.mark.parametrize(
    ("said", "host", "outbound"),
    [
        ("auto", "127.0.0.1", ("loopback",)),
        ("auto", "::1", ("loopback",)),
        ("auto", "0.0.0.0", ()),
        ("", "127.0.0.1", ()),
        ("10.0.0.0/8, jira.corp", "0.0.0.0", ("10.0.0.0/8", "jira.corp")),
    ],
)
def test_this_machine_is_listed_by_itself_only_while_the_service_listens_on_it_alone(
    said: str, host: str, outbound: tuple[str, ...]
) -> None:
    settings = Settings(_env_file=None, allowed_addresses=said, host=host)  # type: ignore[call-arg]

    assert settings.outbound == outbound


def test_the_hosts_of_the_administrator_s_own_settings_are_listed() -> None:
    settings = Settings(_env_file=None, allowed_addresses="", mlflow_url="http://mlflow.corp:5000")  # type: ignore[call-arg,arg-type]

    assert settings.outbound == ("mlflow.corp",)


def test_an_entry_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match=r"10\.0\.0\.0/99"):
        Settings(_env_file=None, allowed_addresses="loopback,10.0.0.0/99")  # type: ignore[call-arg]
