"""The provider's client: the guarded way out, what it takes for an address, and how many ask it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from connectors import oidc
from connectors.guard import Guard
from connectors.network import Network
from connectors.oidc import Provider, with_query
from connectors.oidc_metadata import (
    AnswerRefused,
    ProviderMisconfigured,
    ProviderSettings,
    ProviderUnavailable,
    announced,
)
from tests.sign_in_provider import CLIENT, SECRET, StrictProvider, strict_provider


@pytest.fixture(scope="module")
def there() -> Iterator[StrictProvider]:
    with strict_provider() as found:
        yield found


def client(there: StrictProvider, network: Network | None = None, issuer: str = "") -> Provider:
    return Provider(ProviderSettings(issuer or there.issuer, CLIENT, SECRET), network)


def test_no_call_leads_to_an_address_that_the_administrator_did_not_list(there: StrictProvider) -> None:
    before = list(there.asked)
    with pytest.raises(ProviderMisconfigured, match="does not call") as refused:
        client(there, Network(guard=Guard(()))).metadata()

    assert "PHASELOOP_ALLOWED_ADDRESSES" in refused.value.fix
    assert there.asked == before


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example.com/token",
        "http://169.254.169.254/token",
        "https://user:password@login.example.com/token",
        "file:///etc/passwd",
        "https:///token",
        "https://login.example.com:port/token",
        "https://login.example.com/#token",
        "https://login.example.com/ token",
        7,
    ],
)
def test_an_address_that_is_not_over_https_is_not_taken(there: StrictProvider, address: object) -> None:
    there.bent.discovery = {"token_endpoint": address}
    with pytest.raises(ProviderMisconfigured, match="its token_endpoint is no https address"):
        client(there).metadata()
    there.bent.discovery = {}


def test_a_provider_elsewhere_does_not_lead_to_this_machine(there: StrictProvider) -> None:
    elsewhere = client(there, issuer="https://login.example.com")
    document = there.discovery() | {"issuer": "https://login.example.com"}
    with pytest.raises(ProviderMisconfigured, match="authorization_endpoint is no https address"):
        announced(document, elsewhere.settings)


def test_only_so_many_sign_in_at_once(there: StrictProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "QUEUED", 0.01)
    provider, release, inside = client(there), threading.Event(), threading.Semaphore(0)

    def slow(*_: object) -> None:
        inside.release()
        release.wait(20)
        raise AnswerRefused

    def sign_in() -> None:
        with pytest.raises(AnswerRefused):
            provider.finish("code", "https://phaseloop.example.com", "verifier", "nonce", 0.0)

    monkeypatch.setattr(provider, "_exchanged", slow)
    threads = [threading.Thread(target=sign_in) for _ in range(oidc.AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=20)
    with pytest.raises(ProviderUnavailable, match="Too many"):
        provider.finish("code", "https://phaseloop.example.com", "verifier", "nonce", 0.0)
    release.set()
    for thread in threads:
        thread.join()
    with pytest.raises(AnswerRefused):
        provider.finish("code", "https://phaseloop.example.com", "verifier", "nonce", 0.0)


def test_what_an_address_has_in_its_query_stays_there() -> None:
    assert with_query("https://a.example/?tenant=1", state="x y") == "https://a.example/?tenant=1&state=x+y"


def test_nothing_of_the_secret_is_in_what_is_printed(there: StrictProvider) -> None:
    provider = client(there)
    assert SECRET not in repr(provider) + repr(provider.settings) + repr(oidc.Tokens("id", SECRET))
