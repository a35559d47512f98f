"""A language model behind an OpenAI-compatible address: one question, one answer. Off unless an address is set."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.addresses import is_loopback, split_address
from connectors.errors import CredentialsRefused, NotATracker, TrackerError, TrackerUnavailable
from connectors.network import Network, said_by

EXAMPLE = "https://api.example.com/v1"
LARGEST = 1024 * 1024
"""The most bytes of one answer that are read."""
LONGEST = 120.0
"""Seconds that all questions of one look may take together."""
_PATH = "/chat/completions"
_CHECK = "Check PHASELOOP_JUDGE_URL and PHASELOOP_JUDGE_MODEL."

COLD: Mapping[str, Any] = {"temperature": 0}
"""The same question is to have the same answer."""

JsonMode = Literal["object", "off"]


class ChatSettings(BaseModel):
    """Where the model is, what it is called, and how its server likes to be asked: `header` carries the key (as a
    bearer in `Authorization`, bare in any other), `json_mode` asks for an object by `response_format`, `tokens_field`
    is what the longest answer is called (empty: not said), `extra` is put into every request as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    model: str = Field(min_length=1, max_length=200)
    key: SecretStr | None = None
    header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]{1,64}$")
    json_mode: JsonMode = "object"
    tokens_field: str = Field(default="max_tokens", pattern=r"^[a-z_]{0,40}$")
    extra: Mapping[str, Any] = Field(default=COLD)
    seconds: float = Field(default=30.0, gt=0, le=600)
    allow_http: bool = False

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = split_address(value.strip(), EXAMPLE)
        if parts.username or parts.password:
            raise ValueError("must be the address alone; the key has its own place")
        path = parts.path.rstrip("/").removesuffix(_PATH)
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))

    @field_validator("key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value().strip() if value is not None else ""
        if not (text.isprintable() and text.isascii()):
            raise ValueError("holds a character that no key has; copy it again")
        return SecretStr(text) if text else None

    @field_validator("extra", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else COLD
        except ValueError:
            raise ValueError('must be a JSON object, like {"temperature": 0}') from None

    @model_validator(mode="after")
    def _is_read_by_nobody_else(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not (self.allow_http or is_loopback(parts.hostname or "")):
            raise ValueError(
                "must start with https://: texts and the key would be sent readably. Inside your own network allow it"
                " by name."
            )
        return self

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return urlsplit(self.url).netloc

    @property
    def endpoint(self) -> str:
        """Where questions are sent."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path + _PATH, parts.query, ""))


class ChatClient:
    """Asks one model. Not to be shared between threads."""

    def __init__(
        self,
        settings: ChatSettings,
        *,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._ends = clock() + LONGEST
        key = settings.key.get_secret_value() if settings.key is not None else ""
        bearer = f"Bearer {key}" if settings.header.lower() == "authorization" else key
        self._http = httpx.Client(
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": "phaseloop",
                **({settings.header: bearer} if key else {}),
            },
            timeout=httpx.Timeout(settings.seconds, connect=min(5.0, settings.seconds)),
            **(network or Network()).way_to(settings.url).for_httpx(),
            follow_redirects=False,  # the key goes to one server only
        )

    def __repr__(self) -> str:
        return f"ChatClient({self.settings.host})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def body_of(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The body of the request that asks this, always the same for the same settings. Holds no credential."""
        settings = self.settings
        body: dict[str, Any] = {"model": settings.model, "messages": list(messages)}
        if settings.json_mode == "object":
            body["response_format"] = {"type": "json_object"}
        if settings.tokens_field:
            body[settings.tokens_field] = 1000
        return json.dumps({**body, **settings.extra}, sort_keys=True, ensure_ascii=False)

    def ask(self, body: str) -> str:
        """Send a body; the text of the answer. Once: who asks continues without one. Raises TrackerError."""
        if self._clock() >= self._ends:
            raise TrackerUnavailable(f"The language model at {self.settings.host} takes longer than {LONGEST:.0f} s.")
        try:
            with self._http.stream("POST", self.settings.endpoint, content=body.encode()) as answer:
                return self._understood(answer.status_code, self._read(answer))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = said_by(error) or type(error).__name__
            said = f"The language model at {self.settings.host} did not answer ({why})."
            raise TrackerUnavailable(said, fix=f"See whether it runs. {_CHECK}") from None

    def _read(self, answer: httpx.Response) -> bytes:
        read = bytearray()
        for chunk in answer.iter_bytes():
            read += chunk
            if len(read) > LARGEST or self._clock() >= self._ends:
                raise httpx.ReadTimeout("the answer has no end")
        return bytes(read)

    def _understood(self, status: int, body: bytes) -> str:
        where = f"The language model at {self.settings.host}"
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            fix = "Set PHASELOOP_JUDGE_KEY anew, and PHASELOOP_JUDGE_HEADER where it goes elsewhere."
            raise CredentialsRefused(f"{where} does not accept the key (HTTP {status}).", fix=fix, status=status)
        if status != httpx.codes.OK:
            passing = status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS
            kind: type[TrackerError] = TrackerUnavailable if passing else NotATracker
            raise kind(f"{where} answered with HTTP {status}.", fix=_CHECK, status=status)
        try:
            text = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            text = None
        if not isinstance(text, str):
            raise NotATracker(f"{where} answered, but not as the chat of OpenAI does.", fix=_CHECK, status=status)
        return text
