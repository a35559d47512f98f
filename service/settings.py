"""The service's settings: everything that can be set from the environment, in one typed class."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")


class Settings(BaseSettings):
    """Read from `PHASELOOP_*` variables and an `.env` file; every one has a default that works on a laptop."""

    model_config = SettingsConfigDict(env_prefix="PHASELOOP_", env_file=".env", extra="ignore", frozen=True)

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
    host: str = Field(default="127.0.0.1", description="Address that `phaseloop serve` listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that `phaseloop serve` listens on.")
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
        description="Seconds after which a run that cannot go on looks for the first time whether what stood in its "
        "way is mended; doubles with each look, up to an hour.",
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
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error."
    )

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
        return said

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_small_letters(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("mlflow_url", "judge_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        """A variable that is passed on from elsewhere is empty where nobody set it."""
        return None if isinstance(value, str) and not value.strip() else value

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


def _psycopg(url: str) -> str:
    """The URL with the driver we ship, whatever of the usual spellings it came in."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url
