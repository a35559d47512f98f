"""The settings of the environment: what is no number or no setting is told, never passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.settings import Settings, misspelt


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_time_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PHASELOOP_TRACKER_TIMEOUT", value)

    with pytest.raises(ValidationError):
        Settings()


def test_a_variable_that_is_nearly_a_setting_is_named_with_what_it_may_mean(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PHASELOOP_LOG_LEVLE=debug\nPHASELOOP_HOME=here\nPHASELOOP_COLOUR=red\n")
    monkeypatch.setenv("PHASELOOP_TRAKER_TIMEOUT", "3")
    monkeypatch.setenv("PHASELOOP_TEST_DATABASE_URL", "elsewhere")
    monkeypatch.setenv("TRAKER_TIMEOUT", "3")

    assert misspelt() == {
        "PHASELOOP_COLOUR": "",
        "PHASELOOP_LOG_LEVLE": "PHASELOOP_LOG_LEVEL",
        "PHASELOOP_TRAKER_TIMEOUT": "PHASELOOP_TRACKER_TIMEOUT",
    }


OIDC = {
    "oidc_issuer": "https://login.example.com/realms/ml",
    "oidc_client_id": "phaseloop",
    "public_url": "https://phaseloop.example.com",
}


def test_a_provider_needs_an_issuer_a_client_and_our_own_address(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("oidc-s3cr3t of a client\n")
    settings = Settings(_env_file=None, **OIDC, oidc_client_secret=f"file:{file}")

    assert settings.oidc_issuer == "https://login.example.com/realms/ml", "to the letter, no slash added"
    assert settings.oidc_secret == "oidc-s3cr3t of a client"
    assert "login.example.com" in settings.outbound
    assert Settings(_env_file=None, **OIDC).oidc_secret == "", "a public client"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"oidc_issuer": "http://login.example.com"}, "must start with https"),
        ({"oidc_issuer": "login.example.com"}, "must start with https"),
        ({"oidc_issuer": "https://login.example.com?tenant=1"}, "the issuer alone"),
        ({"oidc_issuer": "https://user:x@login.example.com"}, "the issuer alone"),
        ({"oidc_scopes": "profile email"}, "openid"),
        ({"oidc_client_id": ""}, "PHASELOOP_OIDC_CLIENT_ID"),
        ({"public_url": None}, "PHASELOOP_PUBLIC_URL"),
        ({"public_url": "http://phaseloop.example.com"}, "must start with https"),
        ({"oidc_client_secret": "file:/nowhere/at/all"}, "cannot be read"),
        ({"oidc_client_secret": "file:/dev/null"}, "is empty"),
        ({"oidc_client_secret": "oidc-s3cr3t", "public_url": ""}, "PHASELOOP_PUBLIC_URL"),
    ],
)
def test_what_does_not_fit_is_told_and_no_secret_with_it(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        Settings(_env_file=None, **{**OIDC, **changed})

    assert "s3cr3t" not in str(refused.value)
