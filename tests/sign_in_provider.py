"""An OpenID Connect provider on this machine that is strict where ours has to be right, and can be told to be wrong.

It insists on PKCE (S256), on a nonce, on the redirect address of the authorization request, on the client's secret, and
that each code is used once. Whoever is to sign in next is `claims`; what a test bends is in `bent`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "phaseloop", "oidc-s3cr3t of a client"

Claims = dict[str, Any]


@dataclass
class Bent:
    """What the provider does otherwise than it should; nothing to begin with."""

    claims: Callable[[Claims], Claims] = lambda claims: claims
    header: Mapping[str, Any] = field(default_factory=dict)
    token: Callable[[str], str] = lambda token: token
    discovery: Mapping[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """By path: the status and body that are answered instead."""
    slow: dict[str, float] = field(default_factory=dict)
    """By path: seconds between two pieces of the answer."""
    error: str = ""
    """What the authorization is refused with."""
    callback: Mapping[str, str] = field(default_factory=dict)
    """Parameters that the answer has besides."""


class StrictProvider:
    """One provider, served at `issuer`."""

    def __init__(self, address: str) -> None:
        self.issuer = address
        self.keys: dict[str, RSAKey | ECKey] = {"one": _rsa()}
        self.signs_with = "one"
        self.claims: Claims = {"sub": "sub-1", "email": "ml-1@example.com", "email_verified": True, "groups": []}
        self.userinfo: Claims | None = None
        self.bent = Bent()
        self.asked: list[str] = []
        self.refused: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._access: dict[str, Claims] = {}

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return self.asked.count(path)

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """The answer to a request."""
        parts = urlsplit(target)
        self.asked.append(parts.path)
        if parts.path in self.bent.answers:
            status, content = self.bent.answers[parts.path]
            return status, {"Content-Type": "application/json"}, content
        match method, parts.path:
            case "GET", "/.well-known/openid-configuration":
                return _json(200, self.discovery())
            case "GET", "/jwks":
                return _json(200, {"keys": [key.as_dict(private=False) | {"use": "sig"} for key in self.keys.values()]})
            case "GET", "/authorize":
                return self._authorize({name: values[0] for name, values in parse_qs(parts.query).items()})
            case "POST", "/token":
                return self._token({name: values[0] for name, values in parse_qs(body.decode()).items()}, headers)
            case "GET", "/userinfo":
                told = self._access.get(headers.get("Authorization", "").removeprefix("Bearer "))
                return _json(200, self.userinfo or {"sub": told["sub"]}) if told is not None else _json(401, {})
            case "GET", "/logout":
                back = parse_qs(parts.query)["post_logout_redirect_uri"][0]
                return 302, {"Location": back}, b""
        return _json(404, {})

    def discovery(self) -> Claims:
        """What the provider announces."""
        announced = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/logout",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "scopes_supported": ["openid", "profile", "email"],
        }
        return {name: value for name, value in (announced | dict(self.bent.discovery)).items() if value is not None}

    def _authorize(self, asked: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        good = (
            asked.get("response_type") == "code"
            and asked.get("client_id") == CLIENT
            and "openid" in asked.get("scope", "").split()
            and asked.get("code_challenge_method") == "S256"
            and len(asked.get("code_challenge", "")) == 43
            and asked.get("nonce")
            and asked.get("state")
        )
        if not good:
            self.refused.append("authorize")
            return _json(400, {"error": "invalid_request"})
        back = {"state": asked["state"], **self.bent.callback}
        if self.bent.error:
            back["error"] = self.bent.error
        else:
            back["code"] = code = secrets.token_urlsafe(16)
            self._codes[code] = asked | {"claims": json.dumps(self.claims)}
        return 302, {"Location": f"{asked['redirect_uri']}?{urlencode(back)}"}, b""

    def _token(self, form: dict[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        pair = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        if headers.get("Authorization") != f"Basic {pair}":
            self.refused.append("client")
            return _json(401, {"error": "invalid_client"})
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            self.refused.append("code")
            return _json(400, {"error": "invalid_grant"})
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            self.refused.append("verifier")
            return _json(400, {"error": "invalid_grant"})
        access = secrets.token_urlsafe(16)
        self._access[access] = self.claims
        token = self.id_token(json.loads(asked["claims"]), asked["nonce"], access)
        return _json(200, {"access_token": access, "token_type": "Bearer", "id_token": token})

    def id_token(self, claims: Claims, nonce: str, access: str = "") -> str:
        """An id token for these claims, bent as it is to be."""
        now = int(time.time())
        half = hashlib.sha256(access.encode()).digest()[:16]
        whole = {
            "iss": self.issuer,
            "aud": CLIENT,
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **claims,
        }
        key = self.keys[self.signs_with]
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        header = {"alg": algorithm, "kid": self.signs_with, **self.bent.header}
        header = {name: value for name, value in header.items() if value is not None}
        bent = {name: value for name, value in self.bent.claims(whole).items() if value is not None}
        return self.bent.token(jwt.encode(header, bent, key, algorithms=[algorithm]))

    def rotate(self, kid: str, key: RSAKey | ECKey | None = None) -> None:
        """Sign with another key from now on, and publish that alone."""
        self.keys = {kid: key or _rsa(kid)}
        self.signs_with = kid


_MADE: dict[str, RSAKey] = {}


def _rsa(kid: str = "one") -> RSAKey:
    """A key of that id: made once, which takes its time."""
    if kid not in _MADE:
        _MADE[kid] = RSAKey.generate_key(2048, {"kid": kid})
    return _MADE[kid]


def _json(status: int, body: Claims) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


@contextmanager
def strict_provider() -> Iterator[StrictProvider]:
    """A provider, while the block runs."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = provider.answer(self.command, self.path, self.headers, body)  # type: ignore[arg-type]
            pause = provider.bent.slow.get(urlsplit(self.path).path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                for piece in [content] if pause is None else [content[n : n + 1] for n in range(len(content))]:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    if pause is not None and stop.wait(pause):
                        return
            except OSError:
                return  # whoever asked has gone

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = StrictProvider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
