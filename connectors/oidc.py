"""A sign-in provider by OpenID Connect: what it announces, its keys, and the two calls that turn a code into claims.

Every call takes the guarded way out, ends within seconds, and reads so many bytes. Nothing follows a redirect.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit, urlunsplit

from connectors.errors import NetworkMisconfigured
from connectors.id_token import ALGORITHMS, Expected, KeyUnknown, TokenRefused, is_usable, verified
from connectors.network import Network, said_by
from connectors.oidc_metadata import (
    AnswerRefused,
    Metadata,
    ProviderError,
    ProviderMisconfigured,
    ProviderSettings,
    ProviderUnavailable,
    announced,
)

DISCOVERY = "/.well-known/openid-configuration"

LARGEST = 512 * 1024
"""The most bytes of one answer that are read."""
CONNECT, READ, LONGEST = 5.0, 5.0, 10.0
"""Seconds to connect, to wait for the next bytes, and that one answer may take in all."""
FRESH = 600.0
"""Seconds for which what a provider announces, and its keys, are held."""
REFETCH_EVERY = 30.0
"""Seconds between two looks at the keys because a token names one that is unknown: forged tokens cost no calls."""
FAILED_FOR = 5.0
"""Seconds for which a provider that did not answer is not asked again."""
AT_ONCE = 8
"""Sign-ins that are completed at a time: a provider that is slow keeps no more of our threads."""
QUEUED = 2.0
"""Seconds that one more waits."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was exchanged for."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a check found: `wrong` keeps people from signing in."""

    message: str
    fix: str = ""
    wrong: bool = False


class Provider:
    """One provider. What it announces is held for a while; to be shared between threads."""

    def __init__(
        self,
        settings: ProviderSettings,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
        largest: int = LARGEST,
        longest: float = LONGEST,
    ) -> None:
        self.settings = settings
        self._network = network or Network()
        self._clock = clock
        self._largest, self._longest = largest, longest
        self._places = BoundedSemaphore(AT_ONCE)
        self._lock = Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._failed: tuple[float, ProviderError] | None = None
        self._keys: tuple[float, tuple[Mapping[str, Any], ...]] | None = None

    def __repr__(self) -> str:
        return f"Provider({self.settings.issuer})"

    @property
    def host(self) -> str:
        """The provider's host, as people are told of it."""
        return urlsplit(self.settings.issuer).netloc

    def metadata(self) -> Metadata:
        """What the provider announces. Raises ProviderError."""
        with self._lock:
            now = self._clock()
            if self._metadata is not None and now - self._metadata[0] < FRESH:
                return self._metadata[1]
            self._check_not_failed()
            try:
                found = announced(self._discovered(), self.settings)
            except ProviderError as error:
                self._failed = self._clock(), error
                raise
            self._metadata, self._failed = (self._clock(), found), None
            return found

    def _check_not_failed(self) -> None:
        """Raise what the provider's last failure was, where that is not long ago."""
        if self._failed is not None and self._clock() - self._failed[0] < FAILED_FOR:
            raise self._failed[1]

    def begin(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """The address at the provider where somebody signs in and is sent back to `redirect_uri`. Raises
        ProviderError."""
        return with_query(
            self.metadata().authorization,
            response_type="code",
            client_id=self.settings.client_id,
            redirect_uri=redirect_uri,
            scope=self.settings.scopes,
            state=state,
            nonce=nonce,
            code_challenge=challenge_of(verifier),
            code_challenge_method="S256",
        )

    def finish(
        self, code: str, redirect_uri: str, verifier: str, nonce: str, now: float, wanted: Iterable[str] = ()
    ) -> tuple[dict[str, Any], str]:
        """Who signed in, as claims that were verified, and the id token that says so. Where `wanted` claims are missing
        in it, the provider is asked for them. Raises AnswerRefused, ProviderError."""
        if not self._places.acquire(timeout=QUEUED):
            raise ProviderUnavailable("Too many people sign in at the moment.", "Try again in a moment.")
        try:
            tokens = self._exchanged(code, redirect_uri, verifier)
            claims = self._verified(tokens, nonce, now)
            if any(name not in claims for name in wanted):
                claims = together(claims, self._userinfo(tokens, claims["sub"]))
            return claims, tokens.id_token
        finally:
            self._places.release()

    def end_session(self, back_to: str, hint: str = "") -> str:
        """The address at the provider where a session ends and people are sent back to `back_to`; empty where it
        announces none. Raises ProviderError."""
        leads = self.metadata().end_session
        if not leads:
            return ""
        more = {"id_token_hint": hint} if hint else {}
        return with_query(leads, client_id=self.settings.client_id, post_logout_redirect_uri=back_to, **more)

    def check(self) -> list[Noted]:
        """Ask the provider anew, and say what is as it has to be and what is not: everything at once."""
        with self._lock:
            self._metadata = self._failed = self._keys = None
        try:
            document = self._discovered()
            found = announced(document, self.settings)
        except ProviderError as error:
            return [Noted(error.message, error.fix, wrong=True)]
        noted = [Noted(f"{self.host} announces itself as {self.settings.issuer}.")]
        if found.pkce is None:
            said = "It does not announce PKCE. phaseloop sends it all the same"
            noted.append(Noted(f"{said}; whether the provider holds codes against it is for its manual to say."))
        noted.append(self._checked_keys(found))
        scopes = document.get("scopes_supported")
        if isinstance(scopes, list) and (unknown := set(self.settings.scopes.split()) - set(map(str, scopes))):
            fix = "It may give them all the same; else leave them out of PHASELOOP_OIDC_SCOPES."
            noted.append(Noted(f"It does not announce the scopes {', '.join(sorted(unknown))}.", fix))
        ends = "ends its own session, too" if found.end_session else "announces nothing for that: only ours ends"
        noted.append(Noted(f"When somebody signs out, it {ends}."))
        return noted

    def _checked_keys(self, found: Metadata) -> Noted:
        try:
            keys = self._fetched_keys(found)
        except ProviderError as error:
            return Noted(error.message, error.fix, wrong=True)
        fitting = [key for key in keys if any(is_usable(key, one) for one in found.algorithms)]
        if not fitting:
            fix = f"Have it sign with one of {', '.join(ALGORITHMS)}."
            return Noted(f"None of the {len(keys)} keys that it publishes can be used.", fix, wrong=True)
        return Noted(f"{len(fitting)} of {len(keys)} keys can be used, for {', '.join(found.algorithms)}.")

    # --- what it announces ---

    def _discovered(self) -> dict[str, Any]:
        found = self._json("GET", self.settings.issuer.rstrip("/") + DISCOVERY)
        if found.status != 200 or found.body is None:
            raise ProviderMisconfigured(
                f"{self.host} answered {DISCOVERY} with HTTP {found.status}, not as a provider does.",
                "Check PHASELOOP_OIDC_ISSUER: it is the address before /.well-known/openid-configuration.",
            )
        return found.body

    # --- keys ---

    def _known_keys(self, *, anew: bool = False) -> Sequence[Mapping[str, Any]]:
        """The keys that the provider publishes: those held, unless they are old; `anew` asks again, where that was not
        done just now."""
        found = self.metadata()
        with self._lock:
            age = self._clock() - self._keys[0] if self._keys is not None else FRESH
            if self._keys is None or age >= (REFETCH_EVERY if anew else FRESH):
                self._check_not_failed()
                try:
                    self._keys = self._clock(), tuple(self._fetched_keys(found))
                except ProviderError as error:
                    self._failed = self._clock(), error
                    raise
            return self._keys[1]

    def _fetched_keys(self, found: Metadata) -> list[Mapping[str, Any]]:
        answer = self._json("GET", found.keys)
        keys = answer.body.get("keys") if answer.body is not None else None
        if answer.status != 200 or not isinstance(keys, list):
            raise ProviderMisconfigured(
                f"{self.host} answered the question for its keys with HTTP {answer.status}, not with keys.",
                "Look at its jwks_uri.",
            )
        return [key for key in keys if isinstance(key, dict)]

    def _verified(self, tokens: Tokens, nonce: str, now: float) -> dict[str, Any]:
        settings = self.settings
        algorithms = self.metadata().algorithms
        expected = Expected(settings.issuer, settings.client_id, nonce, now, settings.skew, algorithms)
        try:
            try:
                return verified(tokens.id_token, self._known_keys(), expected, tokens.access_token)
            except KeyUnknown:
                return verified(tokens.id_token, self._known_keys(anew=True), expected, tokens.access_token)
        except TokenRefused as refused:
            raise AnswerRefused(f"the id token is not taken: {refused}") from None

    # --- calls ---

    def _exchanged(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        settings, found = self.settings, self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if not settings.client_secret:
            form["client_id"] = settings.client_id
        elif "client_secret_basic" in found.methods:
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        answer = self._json("POST", found.token, form=form, headers=headers)
        body = answer.body or {}
        if answer.status != 200:
            raise self._not_exchanged(answer.status, _word(body.get("error")))
        id_token, access_token = body.get("id_token"), body.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise AnswerRefused("the provider gave no id token for the code: the scope openid is needed")
        return Tokens(id_token, access_token)

    def _not_exchanged(self, status: int, error: str) -> Exception:
        if error in ("invalid_client", "unauthorized_client") or status == 401:
            return ProviderMisconfigured(
                f"{self.host} does not accept phaseloop's client id or secret ({error or f'HTTP {status}'}).",
                "Compare PHASELOOP_OIDC_CLIENT_ID and PHASELOOP_OIDC_CLIENT_SECRET with the provider's.",
            )
        if status >= 500 or status == 429:
            return ProviderUnavailable(f"{self.host} answered with HTTP {status}.", "Try again later.")
        return AnswerRefused(f"the provider does not exchange the code ({error or f'HTTP {status}'})")

    def _userinfo(self, tokens: Tokens, subject: str) -> dict[str, Any]:
        """What else the provider says of this person; nothing where it says nothing."""
        leads = self.metadata().userinfo
        if not leads:
            return {}
        answer = self._json("GET", leads, headers={"Authorization": f"Bearer {tokens.access_token}"})
        if answer.status >= 500 or answer.status == 429:
            raise ProviderUnavailable(f"{self.host} answered with HTTP {answer.status}.", "Try again later.")
        if answer.status != 200 or answer.body is None:
            return {}
        if answer.body.get("sub") != subject:
            raise AnswerRefused("what the provider says of the person is about somebody else (sub)")
        return answer.body

    def _json(
        self, method: str, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> _Answer:
        """One call. `body` is None where the answer is no JSON object. Raises ProviderError."""
        import httpx

        ends = self._clock() + self._longest
        host = urlsplit(url).netloc
        sent = {"Accept": "application/json", "User-Agent": "phaseloop", **(headers or {})}
        try:
            way = self._network.way_to(url).for_httpx()
            timeout = httpx.Timeout(min(READ, self._longest), connect=min(CONNECT, self._longest))
            with (
                httpx.Client(timeout=timeout, follow_redirects=False, **way) as client,
                client.stream(method, url, data=dict(form) if form is not None else None, headers=sent) as answer,
            ):
                return _Answer(answer.status_code, _object(self._read(answer, ends, host)))
        except NetworkMisconfigured as error:
            raise ProviderMisconfigured(error.message, error.fix) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = said_by(error) or type(error).__name__
            raise ProviderUnavailable(
                f"The sign-in provider at {host} did not answer ({why}).",
                "See whether it can be reached from here; `phaseloop oidc check` asks it.",
            ) from None

    def _read(self, answer: Any, ends: float, host: str) -> bytes:
        read = bytearray()
        for chunk in answer.iter_bytes():
            read += chunk
            if len(read) > self._largest:
                raise ProviderMisconfigured(f"An answer of {host} is larger than {self._largest // 1024} KB.")
            if self._clock() >= ends:
                raise ProviderUnavailable(f"The sign-in provider at {host} takes too long to answer.")
        return bytes(read)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: dict[str, Any] | None


def together(claims: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of the id token, and what it does not have from what else is said. An address and whether it was
    verified come from one of the two, never the one from here and the other from there."""
    address = {"email", "email_verified"}
    taken = address if address & set(claims) else set()
    return {**{name: value for name, value in more.items() if name not in taken}, **claims}


def challenge_of(verifier: str) -> str:
    """What PKCE (S256) shows of a verifier beforehand."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def with_query(url: str, **more: str) -> str:
    """The address with this added to its query."""
    parts = urlsplit(url)
    query = "&".join(one for one in (parts.query, urlencode(more)) if one)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _word(value: object) -> str:
    """An error's code as the standard writes them; empty for anything else."""
    plain = isinstance(value, str) and len(value) <= 60 and value.replace("_", "").isascii()
    return str(value) if plain and str(value).replace("_", "").isalnum() else ""
