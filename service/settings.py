"""The service's settings: everything that can be set from the environment, in one typed class."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.addresses import is_loopback, split_address
from connectors.guard import LOOPBACK, checked
from service import env_file, references

PREFIX = "PHASELOOP_"
"""What the names of all our variables begin with."""

_ALIKE = 0.85
"""From how much of it alike a variable's name is taken for a slip of the pen; those of our tests are less so."""

_LINE = 200
"""The most characters of a word of one line."""

_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")


class Settings(BaseSettings):
    """Read from `PHASELOOP_*` variables and an `.env` file; every one has a default that works on a laptop."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=env_file.NAME,
        env_file_encoding=env_file.ENCODING,
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,  # it may be a secret
    )

    home: Path = Field(default=Path(".phaseloop"), description="Folder for the database and the key file.")
    database_url: str | None = Field(
        default=None,
        description="PostgreSQL (`postgresql://…`) to keep the data in; SQLite in the home folder if unset.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Key that encrypts stored credentials, as made by `phaseloop keys new`; "
        "a key file in the home folder if unset. Several, comma-separated, to rotate: the first encrypts.",
    )
    secret_sources: str = Field(
        default="",
        description="Where credentials may stand that are stored as a reference, `env:NAME` or `file:PATH`, in place "
        "of a value: `env:` and a name, with `*` for any letters, and folders, comma-separated. Nowhere if unset.",
    )
    host: str = Field(default="127.0.0.1", description="Address that `phaseloop serve` listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that `phaseloop serve` listens on.")
    public_url: HttpUrl | None = Field(
        default=None,
        description="Address at which people and trackers reach the service, like `https://phaseloop.example.com`; "
        "the one it listens on if unset. Links begin with it (mails need one), and trackers are told to send their "
        "webhooks there; with `https` cookies are sent over nothing else.",
    )
    allowed_addresses: str = Field(
        default="auto",
        description="What may be called besides public addresses where somebody typed an address: networks "
        "(`10.0.0.0/8`), addresses, host names and the word `loopback`, comma-separated; empty for none. `auto` is "
        "`loopback` while the service listens on this machine alone, else none.",
    )
    tracker_timeout: float = Field(
        default=30.0, gt=0, le=600, description="Seconds to wait for a tracker's answer before it counts as lost."
    )
    look_seconds: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="Seconds that a look at items holds, right before they are written or removed: where a batch takes "
        "longer, what is left of it is looked at again. What people save within that time can be overwritten.",
    )
    settle_seconds: float = Field(
        default=10.0,
        ge=0,
        le=600,
        description="Seconds after which a call whose answer was lost is no longer under way at the tracker: only then "
        "does not finding what it creates mean that it was not created.",
    )
    backoff_seconds: float = Field(
        default=2.0,
        gt=0,
        le=600,
        description="Seconds before the second attempt of a step when the tracker does not say how long to wait; "
        "doubles with each attempt.",
    )
    tick_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="Seconds between two looks of the clock at what is due."
    )
    hold_seconds: float = Field(
        default=300.0,
        gt=0,
        le=86400,
        description="Seconds after which a run that cannot continue looks for the first time whether what blocked it "
        "is fixed; doubles with each look, up to an hour.",
    )
    grace_seconds: float = Field(
        default=10.0,
        ge=0,
        le=600,
        description="Seconds that requests and the current step of each run get to end once told to stop.",
    )
    plan_hours: float = Field(
        default=24.0,
        gt=0,
        le=8760,
        description="Hours after which a plan that was not applied has expired: it is refused then, and a new one is "
        "to be made.",
    )
    keep_runs_days: int = Field(
        default=90,
        ge=1,
        le=36500,
        description="Days after which the steps and the plan of an ended run are cleaned up; the run itself stays.",
    )
    keep_events_days: int = Field(
        default=30,
        ge=1,
        le=36500,
        description="Days after which events that arrived by webhook and were handled are cleaned up.",
    )
    requests_per_minute: int = Field(
        default=6000,
        ge=1,
        le=1_000_000,
        description="Requests that one token or session may send within a minute. Each replica counts for itself.",
    )
    refusals_per_minute: int = Field(
        default=60,
        ge=1,
        le=1_000_000,
        description="Attempts without a valid token, code or signature that are answered to one address within a "
        "minute; further ones are told to wait. Each replica counts for itself.",
    )
    ca_bundle: str = Field(
        default="",
        description="File (or OpenSSL folder) of the certificate authorities to trust, in PEM form, in place of those "
        "that come with phaseloop. If unset: `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`.",
    )
    mlflow_url: HttpUrl | None = Field(
        default=None,
        description="Address that opens MLflow in a browser: its runs and models are filled into records; none are if "
        "unset.",
    )
    mlflow_token: SecretStr | None = Field(default=None, description="Token for MLflow, sent as a bearer.")
    mlflow_username: str = Field(default="", description="User name for MLflow, where it asks for one.")
    mlflow_password: SecretStr | None = Field(default=None, description="Password of that user.")
    mlflow_allow_http: bool = Field(
        default=False,
        description="Send that token or password over plain http beyond this machine: for MLflow inside your own "
        "network only.",
    )
    judge_url: str | None = Field(
        default=None,
        description="Address of an OpenAI-compatible server (`https://…/v1`) whose language model is asked about texts "
        "that are unclear: they are sent there. Nothing is if unset.",
    )
    judge_model: str = Field(default="", description="What the model is called there.")
    judge_key: SecretStr | None = Field(default=None, description="Key for it, if it asks for one.")
    judge_header: str = Field(
        default="Authorization", description="Header that carries the key: as a bearer in this one, bare in any other."
    )
    judge_json: Literal["object", "off"] = Field(
        default="object", description="Whether it is asked for JSON by `response_format`: `object`, or `off`."
    )
    judge_tokens_field: str = Field(
        default="max_tokens",
        description="What it calls the longest answer, like `max_completion_tokens`; empty: unsaid.",
    )
    judge_extra: str = Field(
        default="", description='What else to put into every request, as a JSON object; `{"temperature": 0}` if unset.'
    )
    judge_seconds: float = Field(default=30.0, gt=0, le=600, description="Seconds to wait for one of its answers.")
    judge_allow_http: bool = Field(
        default=False,
        description="Send texts and key over plain http beyond this machine: inside your own network only.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="Issuer of the OpenID Connect provider that people sign in with, to the letter as it calls itself, "
        "like `https://login.example.com/realms/ml`; one-time links alone if unset. PHASELOOP_PUBLIC_URL has to "
        "be set, too.",
    )
    oidc_client_id: str = Field(default="", description="Client id that the provider knows phaseloop by.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Client secret; unset for a public client, which PKCE alone protects."
    )
    oidc_scopes: str = Field(
        default="openid profile email",
        description="Scopes that the provider is asked for, separated by blanks; `openid` among them.",
    )
    oidc_groups_claim: str = Field(
        default="groups",
        description="Claim in which the provider names somebody's groups; dots lead into it (`realm_access.roles`).",
    )
    oidc_name: str = Field(
        default="your organization's account", description="What the provider is called on the sign-in page."
    )
    oidc_clock_skew_seconds: float = Field(
        default=60.0, ge=0, le=600, description="Seconds by which the provider's clock and ours may differ."
    )
    oidc_session_hours: float = Field(
        default=12.0,
        gt=0,
        le=168,
        description="Hours after which somebody who signed in with the provider signs in again: changes of roles there "
        "count from then on.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error."
    )

    @field_validator("secret_sources")
    @classmethod
    def _is_a_list_of_sources(cls, value: str) -> str:
        references.checked(value.split(","))
        return value.strip()

    @field_validator("database_url", mode="before")
    @classmethod
    def _is_of_postgresql(cls, value: object) -> object:
        if not isinstance(value, str) or not value.strip():
            return None
        said = value.strip()
        try:
            is_one = bool(_POSTGRESQL.match(said)) and urlsplit(said).port != 0
        except ValueError:
            is_one = False
        if not is_one:
            raise ValueError("must be like postgresql://user:password@host:5432/name; unset, SQLite is used")
        if wrong := _wrong_options(urlsplit(said).query):
            raise ValueError("; ".join(wrong))
        return said

    @field_validator("allowed_addresses")
    @classmethod
    def _is_a_list_of_addresses(cls, value: str) -> str:
        checked(value.split(","))
        return value.strip()

    @field_validator(
        *("database_url", "secret_key", "mlflow_token", "mlflow_password", "judge_key", "oidc_client_secret"),
        mode="before",
    )
    @classmethod
    def _may_stand_elsewhere(cls, value: object) -> object:
        """Any of these may be `env:NAME` or `file:PATH`: it is read once, at the start. The last of a field's
        validators runs first, so the others see what was read."""
        if isinstance(value, str) and references.is_reference(value.strip()):
            return references.read(value.strip())
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_small_letters(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = split_address(value.strip(), "https://login.example.com/realms/ml")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must be the issuer alone: without a user, ? or #")
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("must start with https://; http is for a provider on this machine alone")
        return value.strip()

    @field_validator("oidc_client_id", "oidc_groups_claim", "oidc_name")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        if not value.isprintable() or len(value) > _LINE:
            raise ValueError(f"must be one line of at most {_LINE} characters")
        return value.strip()

    @field_validator("oidc_scopes")
    @classmethod
    def _asks_for_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("must have openid among the scopes, like: openid profile email")
        return " ".join(value.split())

    @model_validator(mode="after")
    def _signs_in(self) -> Self:
        """With an issuer, everything that signing in takes is there. What is missing is told together."""
        if self.oidc_issuer is None:
            return self
        public = self.public_url
        wrong = []
        if not self.oidc_client_id:
            wrong.append("PHASELOOP_OIDC_CLIENT_ID must be set: the client id that the provider knows phaseloop by")
        if public is None:
            wrong.append("PHASELOOP_PUBLIC_URL must be set: the provider sends people back there")
        elif public.scheme != "https" and not is_loopback(public.host or ""):
            wrong.append("PHASELOOP_PUBLIC_URL must start with https://: the provider sends people back there")
        if wrong:
            raise ValueError(f"with PHASELOOP_OIDC_ISSUER, {'; '.join(wrong)}")
        return self

    @property
    def oidc_secret(self) -> str:
        """The client secret; empty for a public client."""
        return self.oidc_client_secret.get_secret_value().strip() if self.oidc_client_secret is not None else ""

    @field_validator("oidc_issuer", "oidc_client_secret", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("mlflow_url", "judge_url", "public_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        """A variable that is passed on from elsewhere is empty where nobody set it."""
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def outbound(self) -> tuple[str, ...]:
        """What may be called besides public addresses: what is listed, and where the administrator's own settings
        lead."""
        chosen = (self.mlflow_url, self.judge_url, self.oidc_issuer)
        named = (urlsplit(str(url)).hostname or "" for url in chosen if url)
        listed = checked(self.allowed_addresses.split(","))
        if self.allowed_addresses == "auto":
            listed = (LOOPBACK,) if is_loopback(self.host) else ()
        return (*listed, *named)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where stored references may lead."""
        return references.checked(self.secret_sources.split(","))

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of our own tables."""
        if self.database_url:
            return _psycopg(self.database_url)
        return f"sqlite:///{self.home.resolve() / 'phaseloop.db'}"

    @property
    def engine_url(self) -> str:
        """SQLAlchemy URL of the durable engine's journal: its own SQLite file, or the same PostgreSQL database."""
        if self.database_url:
            return _psycopg(self.database_url)
        return f"sqlite:///{self.home.resolve() / 'engine.db'}"

    @property
    def embedded(self) -> bool:
        """Whether this is the one-process form on SQLite."""
        return self.database_url is None


_NO_SETTINGS = frozenset({"DEBUG", "TEST_DATABASE_URL", "TEST_CHROMIUM", "LONG_TESTS"})
"""What is read elsewhere than here, by commands and tests."""


def misspelt() -> dict[str, str]:
    """Variables in the environment and the `.env` file that are no settings and look like one, with its name; and those
    of that file that look like none, with nothing: the file is ours, an environment may be others' as well."""
    known = {field.upper() for field in Settings.model_fields}
    in_file = {name.upper().removeprefix(PREFIX) for name in env_file.variables() if name.upper().startswith(PREFIX)}
    there = {name.upper().removeprefix(PREFIX) for name in os.environ if name.upper().startswith(PREFIX)}
    unknown = (in_file | there) - known - _NO_SETTINGS
    near = {name: get_close_matches(name, known, n=1, cutoff=_ALIKE) for name in sorted(unknown)}
    return {
        f"{PREFIX}{name}": f"{PREFIX}{found[0]}" if found else ""
        for name, found in near.items()
        if found or name in in_file
    }


_OF_EACH_HOST = frozenset({"host", "port"})
"""Options that are given once for each host of several."""


def _wrong_options(query: str) -> list[str]:
    """What is wrong with the options of a database's address: names that PostgreSQL's client does not have, and
    repetitions. The client itself says so only when it connects, and then as a mistake in the program."""
    if not query:
        return []
    from psycopg.pq import Conninfo  # an address with options is rare, and the client is long to import

    known = {one.keyword.decode() for one in Conninfo.get_defaults()}
    options = parse_qsl(query, keep_blank_values=True)
    given = [name for name, _value in options]
    wrong = []
    for name in dict.fromkeys(given):
        if given.count(name) > 1 and name not in _OF_EACH_HOST:
            wrong.append(f'"{name}" is given twice')
        if name not in known:
            near = get_close_matches(name, known, n=1)
            what = f'did you mean "{near[0]}"?' if near else "leave it out"
            wrong.append(f'"{name}" is not an option of PostgreSQL; {what}')
    ports = [port for name, value in options if name == "port" for port in value.split(",")]
    return wrong + [f'the port "{port}" is not a number' for port in ports if port and not port.isdecimal()]


def _psycopg(url: str) -> str:
    """The URL with the driver we ship, whatever of the usual spellings it came in."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url
