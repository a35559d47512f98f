"""One policy for how calls leave this machine: every client trusts the same certificates and takes the same proxy."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import NetworkMisconfigured, TrackerError, TrackerUnavailable
from connectors.jira.client import JiraClient
from connectors.jira.settings import JiraSettings
from connectors.mlflow.client import MlflowClient
from connectors.mlflow.settings import MlflowSettings
from connectors.network import Network, is_exempt, is_this_machine
from connectors.pacing import Patience
from connectors.trello.client import TrelloClient
from connectors.trello.settings import TrelloSettings
from tests.unit.connectors.loopback import Naps, Say, loopback
from tests.unit.connectors.relay import Authority, authority, relay, tls_server

SECRET = "pr0xy-pass"


def ask_jira(url: str, network: Network | None) -> None:
    settings = JiraSettings.model_validate({"url": url, "email": "a@example.com", "token": "t", "allow_http": True})
    patience = Patience(4.0, sleep=Naps())
    with closing(JiraClient(settings, patience=patience, timeout=(5.0, 5.0), network=network)) as client:
        client.get_object("myself")


def ask_trello(url: str, network: Network | None) -> None:
    settings = TrelloSettings.model_validate({"url": url, "key": "k", "token": "t", "allow_http": True})
    naps = Naps()
    client = TrelloClient(
        settings,
        windows={},
        patience=lambda: Patience(4.0, sleep=naps),
        timeout=httpx.Timeout(5.0),
        network=network,
    )
    with closing(client):
        client.get_object("members/me")


def ask_mlflow(url: str, network: Network | None) -> None:
    naps = Naps()
    client = MlflowClient(MlflowSettings(url=url), patience=lambda: Patience(4.0, sleep=naps), network=network)
    with closing(client):
        client.get("experiments/get-by-name", {"experiment_name": "x"})


Ask = Callable[[str, Network | None], None]
EVERY_CLIENT = pytest.mark.parametrize("ask", [ask_jira, ask_trello, ask_mlflow], ids=["jira", "trello", "mlflow"])


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"), "acme.example.com", "localhost")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("other"), "other.example.com")


@pytest.fixture
def secure(own: Authority) -> Iterator[tuple[int, list[str]]]:
    with tls_server(own) as serving:
        yield serving


def refused(ask: Ask, url: str, environ: Mapping[str, str], kind: type[TrackerError] = NetworkMisconfigured) -> str:
    with pytest.raises(kind) as caught:
        ask(url, Network(environ))
    assert type(caught.value) is kind
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


# Certificates


@EVERY_CLIENT
def test_an_authority_of_ones_own_is_not_trusted_until_it_is_named(ask: Ask, secure: tuple[int, list[str]]) -> None:
    port, asked = secure
    told = refused(ask, f"https://localhost:{port}", {})
    assert "unable to get local issuer certificate" in told
    assert "PHASELOOP_CA_BUNDLE" in told
    assert "come with phaseloop" in told
    assert asked == []


@EVERY_CLIENT
@pytest.mark.parametrize("variable", ["PHASELOOP_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_every_variable_that_names_it_holds_for_every_client(
    ask: Ask, variable: str, secure: tuple[int, list[str]], own: Authority
) -> None:
    port, asked = secure
    ask(f"https://localhost:{port}", Network({variable: str(own.bundle)}))
    assert len(asked) == 1


@EVERY_CLIENT
def test_the_environment_is_what_is_read_where_nothing_is_handed_in(
    ask: Ask, secure: tuple[int, list[str]], own: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASELOOP_CA_BUNDLE", str(own.bundle))
    ask(f"https://localhost:{secure[0]}", None)
    assert len(secure[1]) == 1


@EVERY_CLIENT
def test_our_own_variable_goes_before_the_others(
    ask: Ask, secure: tuple[int, list[str]], own: Authority, other: Authority
) -> None:
    others = {"SSL_CERT_FILE": str(other.bundle), "REQUESTS_CA_BUNDLE": str(other.bundle)}
    ask(f"https://localhost:{secure[0]}", Network({**others, "PHASELOOP_CA_BUNDLE": str(own.bundle)}))
    ask(f"https://localhost:{secure[0]}", Network(others, ca_bundle=str(own.bundle)))
    both = {"SSL_CERT_FILE": str(own.bundle), "REQUESTS_CA_BUNDLE": str(other.bundle)}
    ask(f"https://localhost:{secure[0]}", Network(both))
    told = refused(ask, f"https://localhost:{secure[0]}", others)
    assert f"{other.bundle} (SSL_CERT_FILE)" in told


@EVERY_CLIENT
def test_a_certificate_for_another_host_says_so(ask: Ask, other: Authority) -> None:
    with tls_server(other) as (port, asked):
        told = refused(ask, f"https://localhost:{port}", {"SSL_CERT_FILE": str(other.bundle)})
    assert "Hostname mismatch" in told
    assert asked == []


@EVERY_CLIENT
def test_a_file_that_is_missing_empty_or_no_certificate_is_named(ask: Ask, tmp_path: Path) -> None:
    empty, picture = tmp_path / "empty.pem", tmp_path / "cat.png"
    empty.write_bytes(b"")
    picture.write_bytes(b"\x89PNG\r\n")
    for path, why in (
        (tmp_path / "gone.pem", "is not there"),
        (empty, "no certificates"),
        (picture, "no certificates"),
    ):
        told = refused(ask, "https://acme.example.com", {"PHASELOOP_CA_BUNDLE": str(path)})
        assert f"PHASELOOP_CA_BUNDLE names, {path}, " in told
        assert why in told


@EVERY_CLIENT
def test_what_is_wrong_with_certificates_does_not_matter_to_plain_http_on_this_machine(ask: Ask) -> None:
    with loopback(Say(200, {"id": "1"})) as server:
        ask(server.url, Network({"PHASELOOP_CA_BUNDLE": "/gone.pem"}))


def test_a_folder_of_certificates_is_taken_as_openssl_takes_it(own: Authority, secure: tuple[int, list[str]]) -> None:
    folder = own.bundle.parent / "folder"
    folder.mkdir()
    told = refused(ask_trello, f"https://localhost:{secure[0]}", {"SSL_CERT_DIR": str(folder)})
    assert str(folder) in told


# Proxies


@EVERY_CLIENT
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_a_proxy_is_taken_for_an_address_beyond_this_machine(
    ask: Ask, variable: str, secure: tuple[int, list[str]], own: Authority
) -> None:
    with relay(secure[0]) as proxy:
        for value in (f"http://{proxy.place}", proxy.place):
            ask("https://acme.example.com", Network({variable: value, "SSL_CERT_FILE": str(own.bundle)}))
    assert proxy.asked == ["CONNECT acme.example.com:443"] * 2
    assert len(secure[1]) == 2


@EVERY_CLIENT
def test_a_proxy_that_is_reached_over_tls_and_asks_for_a_password_is_taken_too(
    ask: Ask, secure: tuple[int, list[str]], own: Authority
) -> None:
    with relay(secure[0], credentials=f"us er:{SECRET}@") as proxy:
        value = f"http://us%20er:{SECRET}%40@{proxy.place}"
        ask("https://acme.example.com", Network({"HTTPS_PROXY": value, "SSL_CERT_FILE": str(own.bundle)}))
    assert len(secure[1]) == 1


@EVERY_CLIENT
def test_a_proxy_over_tls_is_trusted_by_the_same_certificates(
    ask: Ask, secure: tuple[int, list[str]], own: Authority, other: Authority
) -> None:
    with relay(secure[0], tls=own) as proxy:
        value = f"https://localhost:{proxy.port}"
        ask("https://acme.example.com", Network({"HTTPS_PROXY": value, "SSL_CERT_FILE": str(own.bundle)}))
        told = refused(ask, "https://acme.example.com", {"HTTPS_PROXY": value, "SSL_CERT_FILE": str(other.bundle)})
    assert f"localhost:{proxy.port} (HTTPS_PROXY)" in told
    assert len(secure[1]) == 1


@EVERY_CLIENT
def test_plain_http_goes_through_the_proxy_for_http(ask: Ask) -> None:
    with relay() as proxy:
        ask("http://acme.example.com", Network({"HTTP_PROXY": f"http://{proxy.place}", "HTTPS_PROXY": "http://[::"}))
    assert proxy.asked[0].startswith("GET http://acme.example.com/")


@EVERY_CLIENT
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_this_machine_is_never_asked_through_a_proxy(ask: Ask, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with relay() as proxy, loopback(Say(200, {"id": "1"})) as server:
        environ = {variable: f"http://{proxy.place}"}
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            ask(url, Network(environ))
        monkeypatch.setenv(variable, f"http://{proxy.place}")
        ask(server.url, None)
    assert proxy.asked == []
    assert len(server.asked) == 3


@EVERY_CLIENT
def test_a_host_of_no_proxy_is_asked_directly(
    ask: Ask, secure: tuple[int, list[str]], own: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def at_home(host: Any, *more: Any, **named: Any) -> Any:
        return resolve("127.0.0.1" if host in ("acme.example.com", b"acme.example.com") else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", at_home)
    with relay(secure[0]) as proxy:
        environ = {"HTTPS_PROXY": f"http://{proxy.place}", "SSL_CERT_FILE": str(own.bundle)}
        ask(f"https://acme.example.com:{secure[0]}", Network({**environ, "NO_PROXY": "example.com"}))
        assert proxy.asked == []
        ask(f"https://acme.example.com:{secure[0]}", Network({**environ, "NO_PROXY": "example.com:444"}))
        assert len(proxy.asked) == 1


@EVERY_CLIENT
def test_a_proxy_that_cannot_be_reached_is_named_and_its_password_is_not(ask: Ask) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
        environ = {"HTTPS_PROXY": f"http://user:{SECRET}@{place}"}
        told = refused(ask, "https://acme.example.com", environ, TrackerUnavailable)
    assert f"through the proxy {place} (HTTPS_PROXY)" in told
    assert "acme.example.com" in told


@EVERY_CLIENT
def test_a_proxy_that_wants_another_password_is_named_with_what_to_do(ask: Ask) -> None:
    with relay(credentials="user:right") as proxy:
        for url, variable in (("https://acme.example.com", "HTTPS_PROXY"), ("http://acme.example.com", "HTTP_PROXY")):
            told = refused(ask, url, {variable: f"http://user:{SECRET}@{proxy.place}"})
            assert f"{proxy.place} ({variable}) refused (407" in told
            assert "http://user:password@host:port" in told
        assert len(proxy.asked) == 2  # asking again changes nothing


@EVERY_CLIENT
def test_a_proxy_that_forbids_the_host_is_named(ask: Ask) -> None:
    with relay(refuses=403) as proxy:
        told = refused(ask, "https://acme.example.com", {"HTTPS_PROXY": f"http://{proxy.place}"})
    assert f"{proxy.place} (HTTPS_PROXY) refused (403" in told
    assert "let acme.example.com pass" in told
    assert len(proxy.asked) == 1


@EVERY_CLIENT
def test_a_proxy_that_is_overrun_wrote_nothing_and_may_be_asked_again(ask: Ask) -> None:
    with relay(refuses=503) as proxy:
        environ = {"HTTPS_PROXY": f"http://{proxy.place}"}
        told = refused(ask, "https://acme.example.com", environ, TrackerUnavailable)
    assert "Nothing was sent" in told
    assert len(proxy.asked) > 1


@EVERY_CLIENT
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "ftp"])
def test_a_proxy_of_another_kind_is_refused_before_anything_is_sent(ask: Ask, scheme: str) -> None:
    environ = {"ALL_PROXY": f"{scheme}://user:{SECRET}@proxy.example.com:1080"}
    told = refused(ask, "https://acme.example.com", environ)
    assert f"{scheme}://proxy.example.com:1080" in told
    assert "ALL_PROXY" in told
    assert "NO_PROXY" in told
    ask_nobody = Network({**environ, "NO_PROXY": "acme.example.com"}).way_to("https://acme.example.com")
    assert ask_nobody.proxy == ""


@EVERY_CLIENT
@pytest.mark.parametrize("value", ["http://", "http://[::", "http://host:port", "://"])
def test_a_proxy_that_is_no_address_is_refused(ask: Ask, value: str) -> None:
    assert "HTTPS_PROXY" in refused(ask, "https://acme.example.com", {"HTTPS_PROXY": value})


def test_lower_case_wins_and_an_empty_variable_switches_the_proxy_off() -> None:
    both = {"https_proxy": "http://one:1", "HTTPS_PROXY": "http://two:2"}
    assert Network(both).way_to("https://a.example.com").named == "one:1 (https_proxy)"
    off = {"https_proxy": "", "HTTPS_PROXY": "http://two:2", "ALL_PROXY": "http://three:3"}
    assert Network(off).way_to("https://a.example.com").proxy == ""
    passed_on = {"HTTPS_PROXY": "", "ALL_PROXY": "http://three:3"}
    assert Network(passed_on).way_to("https://a.example.com").named == "three:3 (ALL_PROXY)"


# NO_PROXY


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "exempt"),
    [
        ("*", "a.example.com", 443, True),
        ("", "a.example.com", 443, False),
        ("example.com", "example.com", 443, True),
        ("example.com", "a.b.example.com", 443, True),
        ("example.com", "badexample.com", 443, False),
        (".example.com", "a.example.com", 443, True),
        (".example.com", "example.com", 443, True),
        (".example.com", "badexample.com", 443, False),
        ("*.example.com", "a.example.com", 443, True),
        ("*.example.com", "badexample.com", 443, False),
        ("jira-*.example.com", "jira-eu.example.com", 443, True),
        ("10.0.*", "10.0.3.4", 443, True),
        ("EXAMPLE.com", "a.Example.COM", 443, True),
        ("example.com.", "example.com", 443, True),
        ("example.com", "example.com.", 443, True),
        ("example.com:8443", "example.com", 8443, True),
        ("example.com:8443", "example.com", 443, False),
        ("other.org, example.com", "a.example.com", 443, True),
        ("other.org example.com", "a.example.com", 443, True),
        (" ,, ", "a.example.com", 443, False),
        ("10.1.0.0/16", "10.1.2.3", 443, True),
        ("10.1.0.0/16", "10.2.2.3", 443, False),
        ("10.1.2.3/16", "10.1.9.9", 443, True),
        ("10.1.0.0/99", "10.1.2.3", 443, False),
        ("10.1.0.0/16", "ten.example.com", 443, False),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("10.1.2.3", "110.1.2.3", 443, False),
        ("10.1.2.3:8443", "10.1.2.3", 443, False),
        ("fd00::/8", "fd12::1", 443, True),
        ("[fd12::1]:8443", "fd12::1", 8443, True),
        ("[fd12::1]:8443", "fd12::1", 443, False),
        ("[fd12::1]", "fd12::1", 443, True),
        ("fd12:0:0::1", "fd12::1", 443, True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", 443, True),
        ("https://example.com", "example.com", 443, True),
        ("http://example.com", "example.com", 443, False),
        ("bücher.example", "xn--bcher-kva.example", 443, True),
    ],
)
def test_what_no_proxy_excepts(no_proxy: str, host: str, port: int, exempt: bool) -> None:
    assert is_exempt("https", host, port, no_proxy) is exempt


@given(st.text(max_size=60), st.text(max_size=30), st.integers(0, 70_000))
def test_no_list_of_exceptions_makes_trouble(no_proxy: str, host: str, port: int) -> None:
    assert is_exempt("https", host, port, no_proxy) in (True, False)
    assert is_this_machine(host) in (True, False)


@pytest.mark.parametrize(
    "host", ["localhost", "a.localhost", "LOCALHOST", "127.9.9.9", "::1", "0.0.0.0", "::ffff:127.0.0.1"]
)
def test_names_of_this_machine(host: str) -> None:
    assert is_this_machine(host)
    assert not is_this_machine(f"{host}.example.com".replace("::", "x"))


def test_no_library_reads_the_environment_on_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("SSLKEYLOGFILE", "")
    with loopback(Say(200, {"id": "1"})) as server:
        ask_jira(server.url, None)
        ask_trello(server.url, None)
    assert [one.headers["Authorization"].split()[0] for one in server.asked] == ["Basic", "OAuth"]
    assert os.environ["NETRC"]
