"""Whatever the provider, or somebody in its place, is made to say wrongly signs nobody in."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from connectors import oidc
from service.store.access_tables import OidcAttemptRow, SessionRow
from service.usecases.access import change_log, provider_sign_in
from tests.api.provider_desk import LEADS, Clock, Desk, fresh, refused
from tests.sign_in_provider import CLIENT, SECRET, Bent, Claims

# --- answers that prove nothing ---

OVER = "was not begun in this browser"


def test_a_forged_answer_is_refused(desk: Desk, browser: httpx.Client) -> None:
    for query in ("", "code=x", "state=x&code=x", "state=&code=x", "error=nonsense", "state=%00&code=%FF"):
        page = refused(desk, browser, browser.get(f"/sign-in/oidc/callback?{query}"), "its state is of no attempt")
        assert OVER in page
    assert desk.provider.count("/token") == 0


def test_an_answer_counts_once(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.claims = {"sub": "sub-1", "groups": [LEADS]}
    cookies = {}
    leads_to = desk.begin(browser)
    cookies = dict(browser.cookies)
    back = desk.approved(leads_to)
    assert browser.get(back).status_code == 303
    browser.cookies.clear()
    browser.cookies.update(cookies)

    page = refused(desk, browser, browser.get(back), "completed before")
    assert OVER in page
    assert desk.provider.count("/token") == 1


def test_an_answer_counts_in_the_browser_that_began_alone(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.claims = {"sub": "sub-1", "groups": [LEADS]}
    back = desk.approved(desk.begin(browser))
    with desk.browser() as other:
        assert OVER in refused(desk, other, other.get(back), "another browser")
        desk.begin(other)
        assert OVER in refused(desk, other, other.get(back), "another browser")
    assert browser.get(back).status_code == 303, "and the attempt is not spent by that"


def test_an_attempt_that_took_ten_minutes_has_expired(desk: Desk, browser: httpx.Client) -> None:
    begun = provider_sign_in.begin(desk.context)
    state = parse_qs(urlsplit(begun.leads_to).query)["state"][0]
    now = desk.context.now()
    later = replace(desk.context, now=lambda: now + provider_sign_in.LASTS)
    with pytest.raises(provider_sign_in.SignInRefused, match="expired"):
        provider_sign_in.finish(later, {"state": state, "code": "x"}, lambda _: begun.secret, "a test")
    before = desk.count(OidcAttemptRow)
    provider_sign_in.begin(later)
    assert desk.count(OidcAttemptRow) < before + 1, "attempts that are over are cleared away"


def test_there_is_an_end_to_attempts_that_are_under_way_and_the_oldest_make_room(
    desk: Desk, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.provider.claims = {"sub": "sub-1", "groups": [LEADS]}
    first = desk.approved(desk.begin(browser))
    most = desk.count(OidcAttemptRow)
    monkeypatch.setattr(provider_sign_in, "MOST_OPEN", most)
    for _ in range(most):
        last = desk.begin(browser)

    assert desk.count(OidcAttemptRow) == most
    refused(desk, browser, browser.get(first), "of no attempt")
    assert browser.get(desk.approved(last)).status_code == 303, "and nobody is shut out"


def test_of_refusals_only_so_many_a_minute_are_kept_for_ever(
    desk: Desk, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = change_log.count(desk.context)
    monkeypatch.setattr(provider_sign_in, "MOST_LOGGED", len(desk.refusals()) + 2)
    for _ in range(5):
        assert browser.get("/sign-in/oidc/callback?state=x&code=x").status_code == 403
    assert change_log.count(desk.context) <= before + 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "did not let you in"),
        ("temporarily_unavailable", "Try again later"),
        ("invalid_scope", "did not accept the request"),
        ("<script>alert(1)</script>", "did not accept the request"),
    ],
)
def test_an_error_of_the_provider_is_told_in_plain_words(
    desk: Desk, browser: httpx.Client, error: str, said: str
) -> None:
    desk.provider.bent.error = error
    back = desk.approved(desk.begin(browser))

    page = refused(desk, browser, browser.get(back), "the provider answered")
    assert said in page
    assert "<script>" not in page
    assert OVER in refused(desk, browser, browser.get(back), "another browser"), "and the attempt is over"


def test_an_answer_of_another_provider_is_refused(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.bent.callback = {"iss": "https://evil.example"}
    back = desk.approved(desk.begin(browser))
    refused(desk, browser, browser.get(back), "of another provider")
    assert desk.provider.count("/token") == 0

    desk.provider.bent = Bent(discovery={"authorization_response_iss_parameter_supported": True})
    fresh(desk)
    refused(desk, browser, browser.get(desk.approved(desk.begin(browser))), "does not say whose it is")


def bend(**changed: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **changed}


NOW = 10_000_000_000

WRONG_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "https://evil.example"}, "(iss)"),
    "no issuer": ({"iss": None}, "(iss)"),
    "another audience": ({"aud": "other"}, "(aud)"),
    "an audience that is a part": ({"aud": "phase"}, "(aud)"),
    "no audience": ({"aud": None}, "(aud)"),
    "several audiences": ({"aud": [CLIENT, "other"]}, "(azp)"),
    "made for another": ({"aud": [CLIENT, "other"], "azp": "other"}, "(azp)"),
    "another party alone": ({"azp": "other"}, "(azp)"),
    "another nonce": ({"nonce": "x" * 43}, "(nonce)"),
    "no nonce": ({"nonce": None}, "(nonce)"),
    "a nonce that is no text": ({"nonce": 5}, "(nonce)"),
    "expired": ({"exp": 1_000_000}, "(exp)"),
    "no end": ({"exp": None}, "(exp)"),
    "an end that is no number": ({"exp": "later"}, "(exp)"),
    "an end that is true": ({"exp": True}, "(exp)"),
    "from the future": ({"iat": NOW}, "(iat)"),
    "no time": ({"iat": None}, "(iat)"),
    "not yet": ({"nbf": NOW}, "(nbf)"),
    "another access token": ({"at_hash": "x" * 22}, "(at_hash)"),
    "nobody": ({"sub": ""}, "(sub)"),
    "a subject that is no text": ({"sub": 7}, "(sub)"),
    "a subject without end": ({"sub": "x" * 300}, "(sub)"),
}


@pytest.mark.parametrize("name", WRONG_CLAIMS)
def test_a_token_that_says_something_wrong_signs_nobody_in(desk: Desk, browser: httpx.Client, name: str) -> None:
    changed, reason = WRONG_CLAIMS[name]
    desk.provider.bent.claims = bend(**changed)
    before = desk.count(SessionRow)

    assert "does not prove" in refused(desk, browser, desk.sign_in(browser), reason)
    assert desk.count(SessionRow) == before


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(token: str) -> str:
    return f"{part({'alg': 'none'})}.{token.split('.')[1]}."


def changed(token: str) -> str:
    header, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{header}.{part({**claims, 'sub': 'somebody-else'})}.{signature}"


def signed_with(secret: bytes) -> Callable[[str], str]:
    """HS256, with something that is not secret, or not the provider's, as the secret."""

    def forged(token: str) -> str:
        signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{token.split('.')[1]}"
        digest = hmac.new(secret, signed.encode(), sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    return forged


def test_a_token_that_is_not_signed_with_a_published_key_signs_nobody_in(desk: Desk, browser: httpx.Client) -> None:
    for token, reason in (
        (unsigned, "none"),
        (changed, "signature does not hold"),
        (signed_with(bytes(desk.provider.keys["one"].as_pem(private=False))), "HS256"),
        (signed_with(SECRET.encode()), "HS256"),
        (lambda token: token.rpartition(".")[0] + ".", "signature does not hold"),
        (lambda _: "no token", "no signed token"),
        (lambda _: "..", "header"),
        (lambda token: token + ".x.y", "no signed token"),
        (
            lambda token: f"{part({'alg': 'RS256', 'kid': 'one', 'crit': ['x'], 'x': 1})}.{token.partition('.')[2]}",
            "crit",
        ),
        (lambda token: f"{part([1])}.{token.partition('.')[2]}", "header"),
        (lambda token: f"{part({'alg': ['RS256'], 'kid': 'one'})}.{token.partition('.')[2]}", "not taken"),
        (lambda token: f"{part({'alg': 'RS256', 'kid': 7})}.{token.partition('.')[2]}", "no text"),
        (lambda token: f"{part({'alg': 'RS256', 'kid': 'one', 'p': 'x' * 200_000})}.{token}", "no signed token"),
    ):
        desk.provider.bent.token = token
        refused(desk, browser, desk.sign_in(browser), reason)


def test_an_algorithm_that_the_provider_does_not_announce_is_not_taken(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.bent.discovery = {"id_token_signing_alg_values_supported": ["ES256"]}
    refused(desk, browser, desk.sign_in(browser), "RS256")


def test_a_key_that_is_for_something_else_is_not_used(desk: Desk, browser: httpx.Client) -> None:
    public = desk.provider.keys["one"].as_dict(private=False)
    for more in ({"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "c2VjcmV0"}):
        fresh(desk)
        desk.provider.bent.answers["/jwks"] = 200, json.dumps({"keys": [{**public, **more}]}).encode()
        refused(desk, browser, desk.sign_in(browser), "does not publish")


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_key_that_is_too_short_is_not_used(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.rotate("short", RSAKey.generate_key(1024, {"kid": "short"}))
    refused(desk, browser, desk.sign_in(browser), "2048 bits")


def test_of_several_keys_the_token_says_which(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.bent.header = {"kid": None}
    assert desk.sign_in(browser).status_code == 303, "there is only one"
    browser.cookies.clear()
    desk.provider.keys["two"] = RSAKey.generate_key(2048, {"kid": "two"})
    fresh(desk)
    refused(desk, browser, desk.sign_in(browser), "which of several keys")


def test_a_new_key_is_fetched_once_and_forged_key_names_cost_no_calls(desk: Desk, browser: httpx.Client) -> None:
    clock = Clock()
    assert desk.context.provider is not None
    desk.context.provider._clock = clock
    assert desk.sign_in(browser).status_code == 303
    assert desk.provider.count("/jwks") == 1
    browser.cookies.clear()

    desk.provider.rotate("two")
    refused(desk, browser, desk.sign_in(browser), "does not publish")
    clock.now += oidc.REFETCH_EVERY
    assert desk.sign_in(browser).status_code == 303
    assert desk.provider.count("/jwks") == 2
    browser.cookies.clear()
    desk.provider.bent.header = {"kid": "forged"}
    clock.now += oidc.REFETCH_EVERY
    for _ in range(4):
        refused(desk, browser, desk.sign_in(browser), "does not publish")
    assert desk.provider.count("/jwks") == 3


def test_keys_of_elliptic_curves_are_taken_and_clocks_may_differ_a_little(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.rotate("ec", ECKey.generate_key("P-256", {"kid": "ec"}))
    desk.provider.bent.claims = lambda claims: {**claims, "iat": claims["iat"] + 50, "exp": claims["iat"] - 50}
    assert desk.sign_in(browser).status_code == 303
