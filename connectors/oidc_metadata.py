"""What a sign-in provider announces of itself, who we are there, and what may be wrong with either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.addresses import is_loopback
from connectors.id_token import ALGORITHMS


class ProviderError(Exception):
    """Nobody can sign in just now. `message` says why, `fix` what an administrator does about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class ProviderUnavailable(ProviderError):
    """It does not answer, or too slowly: wait."""


class ProviderMisconfigured(ProviderError):
    """It answers, but not as it has to, or our settings are not the ones that it knows."""


class AnswerRefused(Exception):
    """The provider's answer signs nobody in. The text says why, for the log."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Who the provider is and who we are there. Without a secret we are a public client."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scopes: str = "openid profile email"
    skew: float = 60.0


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider announces. `pkce` is None where it does not say which methods it knows."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    pkce: tuple[str, ...] | None
    methods: tuple[str, ...]
    algorithms: tuple[str, ...]
    names_itself: bool
    """Whether its answers say who answers (`iss`, RFC 9207)."""


def announced(document: Mapping[str, Any], settings: ProviderSettings) -> Metadata:
    """What matters of the document. Raises ProviderMisconfigured with all that is wrong with it."""
    issuer = document.get("issuer")
    if issuer != settings.issuer:
        # To the letter: another tenant's or environment's provider would sign its people in here.
        raise ProviderMisconfigured(
            f"The provider calls itself {_quoted(issuer)}, and PHASELOOP_OIDC_ISSUER is {_quoted(settings.issuer)}.",
            "They have to be the same to the letter: set it to what it calls itself, if that is who you mean.",
        )
    wrong: list[str] = []
    places = {
        name: _place(document, name, settings, wrong, needed=needed)
        for name, needed in (
            ("authorization_endpoint", True),
            ("token_endpoint", True),
            ("jwks_uri", True),
            ("userinfo_endpoint", False),
            ("end_session_endpoint", False),
        )
    }
    pkce = _words(document, "code_challenge_methods_supported")
    if pkce is not None and "S256" not in pkce:
        wrong.append("it does not support PKCE with S256")
    types = _words(document, "response_types_supported")
    if types is not None and "code" not in types:
        wrong.append("it does not support the authorization code flow (response type code)")
    announced = _words(document, "id_token_signing_alg_values_supported") or ("RS256",)
    algorithms = tuple(one for one in ALGORITHMS if one in announced)
    if not algorithms:
        wrong.append(f"it signs with none of {', '.join(ALGORITHMS)}")
    methods = _words(document, "token_endpoint_auth_methods_supported") or ("client_secret_basic",)
    if settings.client_secret and not {"client_secret_basic", "client_secret_post"} & set(methods):
        wrong.append("it takes a client secret neither as client_secret_basic nor as client_secret_post")
    if wrong:
        listed = "; ".join(wrong)
        raise ProviderMisconfigured(
            f"{urlsplit(settings.issuer).netloc} cannot be used to sign in: {listed}.",
            "Change that at the provider, or use another.",
        )
    return Metadata(
        places["authorization_endpoint"],
        places["token_endpoint"],
        places["jwks_uri"],
        places["userinfo_endpoint"],
        places["end_session_endpoint"],
        pkce,
        methods,
        algorithms,
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def _place(
    document: Mapping[str, Any], name: str, settings: ProviderSettings, wrong: list[str], *, needed: bool
) -> str:
    """An address that the document names; what is wrong with it is added."""
    value = document.get(name)
    if value in (None, "") and not needed:
        return ""
    if not isinstance(value, str) or not _is_safe(value, settings):
        wrong.append(f"its {name} is {'missing' if value is None else 'no https address'}")
        return ""
    return value


def _is_safe(url: str, settings: ProviderSettings) -> bool:
    """Whether an address is one over https, without a user's name in it; over http only where the provider itself
    is on this machine."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isprintable() or " " in url:
        return False
    here = is_loopback(host) and settings.issuer.startswith("http:")
    return parts.scheme == "https" or (parts.scheme == "http" and here)


def _words(document: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = document.get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else None


def _quoted(value: object) -> str:
    shown = value if isinstance(value, str) and value.isprintable() else "something that is no text"
    return f"“{shown[:200]}”"
