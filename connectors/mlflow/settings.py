"""Where an MLflow server is and how it lets us in."""

from __future__ import annotations

from typing import Self
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from connectors.addresses import is_loopback, split_address

EXAMPLE = "https://mlflow.example.com"


class MlflowSettings(BaseModel):
    """The address that opens MLflow in a browser, and a credential: a token, or a user name with its password, or none
    where the server asks for none. A credential is sent over plain http on this machine only, unless `allow_http`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    token: SecretStr | None = None
    username: str = ""
    password: SecretStr | None = None
    allow_http: bool = False

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = split_address(value.strip(), EXAMPLE)
        if parts.username or parts.password:
            raise ValueError("must be the address alone; credentials have their own places")
        if parts.query:
            raise ValueError("must be the address alone, without a query")
        path = parts.path.rstrip("/").removesuffix("/api/2.0/mlflow").removesuffix("/api/2.0")
        return f"{parts.scheme}://{parts.netloc}".lower() + path

    @field_validator("token", "password")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value().strip():
            return None
        text = value.get_secret_value().strip()
        if not text.isprintable():
            raise ValueError("holds a character that no credential has; copy it again")
        return SecretStr(text)

    @model_validator(mode="after")
    def _keeps_the_credential_secret(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and self.credential and not (self.allow_http or is_loopback(parts.hostname or "")):
            raise ValueError(
                f"must start with https:// (use https://{parts.netloc}{parts.path}); plain http would send the"
                " credential readably. Inside your own network allow it by name."
            )
        if self.token is not None and not self.token.get_secret_value().isascii():
            raise ValueError("the token holds a character that no token has; copy it again")
        return self

    @property
    def credential(self) -> bool:
        """Whether anything secret is sent."""
        return self.token is not None or self.password is not None

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return urlsplit(self.url).netloc


def experiment_page(url: str, experiment: str) -> str:
    """The address that opens an experiment in a browser."""
    return f"{url}/#/experiments/{quote(experiment, safe='')}"


def run_page(url: str, experiment: str, run: str) -> str:
    """The address that opens a run in a browser."""
    return f"{experiment_page(url, experiment)}/runs/{quote(run, safe='')}"


def version_page(url: str, model: str, version: str) -> str:
    """The address that opens a version of a registered model in a browser."""
    return f"{url}/#/models/{quote(model, safe='')}/versions/{quote(version, safe='')}"
