"""The id token of a sign-in provider, verified: signature, issuer, audience, nonce and times.

Everything is named explicitly: which algorithms may sign at all, which of them this provider announces, and which key
it must have been. A key for encryption, a secret one (HS256 with a public key as its secret) and `none` are never
tried.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ALGORITHMS: Mapping[str, tuple[str, str]] = {
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "RS512": ("RSA", ""),
    "PS256": ("RSA", ""),
    "PS384": ("RSA", ""),
    "PS512": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
}
"""The signatures that are taken, each with the kind of key and the curve that it needs."""

LONGEST = 100_000
"""The most characters of a token that is looked at."""

LEAST_BITS = 2048
"""Of an RSA key."""

_SUBJECT = 255
"""The most characters of a subject, by the standard."""


class TokenRefused(Exception):
    """The token proves nothing. The text says why, for the log and for whoever looks after the provider."""


class KeyUnknown(TokenRefused):
    """The token names a key that is not among those given: it may be a new one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to say: from this issuer, for this client, in answer to the request with this nonce, at `now`
    (seconds since 1970), by clocks that differ by `skew` seconds at most."""

    issuer: str
    client_id: str
    nonce: str
    now: float
    skew: float
    algorithms: Collection[str] = tuple(ALGORITHMS)


def verified(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected, access_token: str) -> dict[str, Any]:
    """The claims of a token that holds in every respect. Raises KeyUnknown, TokenRefused."""
    header = header_of(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or algorithm not in expected.algorithms:
        raise TokenRefused(f"it is signed with {_shown(algorithm)}, which is not taken")
    if "crit" in header:
        raise TokenRefused("its header asks for extensions (crit), and none is known")
    claims = _opened(token, _key(keys, header.get("kid"), algorithm), algorithm)
    _check_addressed(claims, expected)
    _check_times(claims, expected)
    if "at_hash" in claims and not _fits(claims["at_hash"], access_token, algorithm):
        raise TokenRefused("it belongs to another access token (at_hash)")
    return claims


def header_of(token: str) -> dict[str, Any]:
    """The header of a token, which nothing proves yet. Raises TokenRefused."""
    if len(token) > LONGEST or not token.isascii() or token.count(".") != 2:
        raise TokenRefused("it is no signed token")
    first = token.partition(".")[0]
    try:
        header = json.loads(base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise TokenRefused("its header cannot be read")
    return header


def is_usable(key: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a published key is one that this algorithm can have signed with."""
    kind, curve = ALGORITHMS[algorithm]
    fits = key.get("kty") == kind and key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    return fits and (not curve or key.get("crv") == curve)


def _key(keys: Sequence[Mapping[str, Any]], kid: object, algorithm: str) -> Mapping[str, Any]:
    """The one key that must have signed. Raises KeyUnknown, TokenRefused."""
    if kid is not None and not isinstance(kid, str):
        raise TokenRefused("its key has an id that is no text")
    usable = [key for key in keys if is_usable(key, algorithm)]
    found = usable if kid is None else [key for key in usable if key.get("kid") == kid]
    if not found:
        raise KeyUnknown("it is signed with a key that the provider does not publish")
    if len(found) > 1:
        raise TokenRefused("it does not say which of several keys it is signed with")
    return found[0]


def _opened(token: str, key: Mapping[str, Any], algorithm: str) -> dict[str, Any]:
    """The claims of a token that was signed with this key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey
    from joserfc.jws import JWSRegistry

    kind, _curve = ALGORITHMS[algorithm]
    # The public part alone, whatever else is published with it.
    public = {name: key[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in key}
    try:
        if kind == "RSA":
            opener: RSAKey | ECKey = RSAKey.import_key(public)
            if opener.raw_value.key_size < LEAST_BITS:
                raise TokenRefused(f"its key has fewer than {LEAST_BITS} bits")
        else:
            opener = ECKey.import_key(public)
        # Headers beyond the standard's are some providers' habit; `crit` was refused before.
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return dict(jwt.decode(token, opener, algorithms=[algorithm], registry=registry).claims)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, LookupError, RecursionError) as error:
        raise TokenRefused(f"its signature does not hold ({type(error).__name__})") from None


def _check_addressed(claims: Mapping[str, Any], expected: Expected) -> None:
    """Raise TokenRefused unless it is from the issuer, for this client, about somebody, and answers this request."""
    if claims.get("iss") != expected.issuer:
        raise TokenRefused("it is of another issuer (iss)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT or not subject.isprintable():
        raise TokenRefused("it does not say whom it is about (sub)")
    said = claims.get("aud")
    audience = [said] if isinstance(said, str) else said
    if not isinstance(audience, list) or expected.client_id not in audience:
        raise TokenRefused("it is for somebody else (aud)")
    if len(audience) > 1 and "azp" not in claims:
        raise TokenRefused("it is for several and does not say for whom it was made (azp)")
    if "azp" in claims and claims["azp"] != expected.client_id:
        raise TokenRefused("it was made for somebody else (azp)")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise TokenRefused("it answers another request (nonce)")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    """Raise TokenRefused unless it is in force now."""
    times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
    for name in ("exp", "iat"):
        if name not in times:
            raise TokenRefused(f"it does not say when it was made and when it ends ({name})")
    for name, at in times.items():
        if isinstance(at, bool) or not isinstance(at, int | float):
            raise TokenRefused(f"a time in it is no number ({name})")
    if not times["exp"] > expected.now - expected.skew:
        raise TokenRefused("it has expired (exp): compare the clocks")
    for name in ("iat", "nbf"):
        if name in times and not times[name] <= expected.now + expected.skew:
            raise TokenRefused(f"it is from the future ({name}): compare the clocks")


def _fits(said: object, access_token: str, algorithm: str) -> bool:
    """Whether this is the digest of that access token, as OpenID Connect Core, 3.1.3.6, makes it."""
    digest = hashlib.new(f"sha{algorithm[2:]}", access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return isinstance(said, str) and hmac.compare_digest(said.encode(), half)


def _shown(algorithm: object) -> str:
    plain = isinstance(algorithm, str) and algorithm.isascii() and algorithm.isalnum() and len(algorithm) <= 20
    return str(algorithm) if plain else "an algorithm that is none"
