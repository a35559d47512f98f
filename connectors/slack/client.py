"""Slack over HTTP, each call once. What a vendor's own client does by itself, sending again, is just what must not be
done here: see decision 0066."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from connectors.calls import Call
from connectors.httpx_faults import CAUGHT
from connectors.network import Network, said_by
from connectors.pacing import retry_after_seconds
from connectors.slack.failures import broken, foreign, refused, unknown
from connectors.slack.settings import SlackSettings

SECONDS = 30.0
"""How long an answer is waited for."""

_WORD = re.compile(r"[a-z][a-z_]{2,60}")


class SlackClient:
    """Sends single calls to Slack and raises only what `connectors.errors` names. Not to be shared between threads."""

    def __init__(self, settings: SlackSettings, timeout: float | None = None, network: Network | None = None) -> None:
        self._settings = settings
        self._way = (network or Network()).way_to(settings.called)
        secret = settings.credential.get_secret_value()
        seconds = SECONDS if timeout is None else timeout
        self._http = httpx.Client(
            headers={
                "User-Agent": "phaseloop",
                **({} if settings.is_webhook else {"Authorization": f"Bearer {secret}"}),
            },
            timeout=httpx.Timeout(seconds, connect=min(5.0, seconds)),
            follow_redirects=False,  # the credential goes to one server only
            **self._way.for_httpx(),
        )

    def __repr__(self) -> str:
        return f"SlackClient({self._settings.host})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def read(self, method: str, params: Mapping[str, str | int]) -> dict[str, Any]:
        """The answer to a method that changes nothing."""
        call = Call("GET", f"/{method}", self._settings.host, False, self._way)
        return self._answer(call, self._sent(call, "GET", f"{self._settings.url}/{method}", params=params))

    def write(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a method that posts something."""
        call = Call("POST", f"/{method}", self._settings.host, True, self._way)
        return self._answer(call, self._sent(call, "POST", f"{self._settings.url}/{method}", body=body))

    def post(self, body: Mapping[str, Any]) -> None:
        """Send a message to the webhook. Its address is the secret, so it is in no error."""
        call = Call("POST", "/services/…", self._settings.host, True, self._way)
        answer = self._sent(call, "POST", self._settings.called, body=body)
        said = answer.text.strip()
        if answer.status_code == httpx.codes.OK and said == "ok":
            return
        if answer.status_code == httpx.codes.OK:
            raise unknown(call, "was answered with something else than Slack's word for it", answer.status_code)
        raise self._refusal(call, answer, said)

    def _sent(
        self,
        call: Call,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body, ensure_ascii=True).encode()
        headers = {} if body is None else {"Content-Type": "application/json; charset=utf-8"}
        try:
            return self._http.request(method, url, params=params, content=content, headers=headers)
        except CAUGHT as error:
            raise broken(call, error, said_by(error)) from None  # the original holds the request, and so the credential

    def _answer(self, call: Call, answer: httpx.Response) -> dict[str, Any]:
        try:
            said = json.loads(answer.text)
        except ValueError:
            said = None
        if isinstance(said, dict) and said.get("ok") is True and answer.status_code == httpx.codes.OK:
            return said
        if isinstance(said, dict) and isinstance(said.get("error"), str):
            raise self._refusal(call, answer, said["error"], str(said.get("needed") or ""))
        if answer.status_code == httpx.codes.OK:
            raise foreign(call, "something else than Slack's JSON", answer.status_code)
        raise self._refusal(call, answer, "")

    def _refusal(self, call: Call, answer: httpx.Response, said: str, more: str = "") -> Exception:
        word = said if _WORD.fullmatch(said) else ""
        return refused(call, word, answer.status_code, retry_after_seconds(answer.headers), more)
