"""The commands around a sign-in provider, each a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Installation
from tests.sign_in_provider import CLIENT, SECRET, StrictProvider, strict_provider


@pytest.fixture
def provider() -> Iterator[StrictProvider]:
    with strict_provider() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, provider: StrictProvider) -> Installation:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    made = Installation(tmp_path / "home")
    made.extra |= {
        "PHASELOOP_PUBLIC_URL": "https://phaseloop.example.com",
        "PHASELOOP_OIDC_ISSUER": provider.issuer,
        "PHASELOOP_OIDC_CLIENT_ID": CLIENT,
        "PHASELOOP_OIDC_CLIENT_SECRET": f"file:{secret}",
    }
    return made


def test_the_check_says_what_the_provider_has_to_be_told_and_that_nothing_is_wrong(home: Installation) -> None:
    home.ok("people", "add", "ml-1@example.com")
    found = home.ok("oidc", "check")

    assert "https://phaseloop.example.com/sign-in/oidc/callback" in found.out
    assert "1 of 1 keys can be used" in found.out
    assert "Wrong" not in found.out
    assert SECRET not in found.out + found.err
    assert not any(one["wrong"] for one in home.ok("oidc", "check", "--json").json)


@pytest.mark.parametrize(
    ("announced", "said"),
    [
        ({"issuer": "https://evil.example"}, "calls itself"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not support PKCE with S256"),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, "signs with none of"),
        ({"token_endpoint": "http://login.example.com/token"}, "token_endpoint is no https address"),
        (
            {"jwks_uri": None, "authorization_endpoint": None},
            "authorization_endpoint is missing; its jwks_uri is missing",
        ),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "takes a client secret neither"),
        ({"response_types_supported": ["id_token"]}, "authorization code flow"),
    ],
)
def test_the_check_names_what_is_wrong(
    home: Installation, provider: StrictProvider, announced: dict[str, Any], said: str
) -> None:
    home.ok("people", "add", "ml-1@example.com")
    provider.bent.discovery = announced
    found = home.run("oidc", "check")

    assert found.code == 3, found.out + found.err
    assert said in found.out


def test_a_provider_that_cannot_be_reached_is_named(home: Installation) -> None:
    home.ok("people", "add", "ml-1@example.com")
    home.extra["PHASELOOP_OIDC_ISSUER"] = "http://127.0.0.1:9"
    found = home.run("oidc", "check")

    assert found.code == 3
    assert "127.0.0.1:9 did not answer" in found.out


def test_roles_by_groups_are_made_listed_and_taken_away(home: Installation) -> None:
    made = home.ok("oidc", "map", "ml leads", "--role", "lead", "--json").json
    again = home.ok("oidc", "map", "ml leads", "--role", "lead", "--json").json
    assert made["id"] == again["id"]
    assert (made["claim"], made["value"], made["role"], made["project"]) == ("groups", "ml leads", "lead", None)
    home.ok("oidc", "map", "example.com", "--claim", "hd")
    assert [one["claim"] for one in home.ok("oidc", "rules", "--json").json] == ["groups", "hd"]
    assert "ml leads" in home.ok("oidc", "rules").out

    home.ok("oidc", "unmap", made["id"])
    assert [one["value"] for one in home.ok("oidc", "rules", "--json").json] == ["example.com"]
    assert home.run("oidc", "unmap", made["id"]).code == 1
    assert home.run("oidc", "map", "x", "--project", "NONE").code == 1
    assert "must be one line" in home.run("oidc", "map", " ").err
    things = [one["thing"] for one in home.ok("log", "list", "--json", "--thing", "role rule").json]
    assert things == ["role rule"] * 3


def test_who_somebody_is_at_the_provider_is_said_and_taken_back(home: Installation) -> None:
    home.ok("people", "add", "ml-1@example.com")
    home.ok("oidc", "link", "ml-1@example.com", "sub-1")
    (found,) = home.ok("people", "list", "--json").json
    assert found["subject"] == "sub-1"
    assert "sub-1" in home.ok("people", "list").out
    assert "somebody else" in home.run("oidc", "link", "ml-1@example.com", "sub-2").err

    home.ok("oidc", "unlink", "ml-1@example.com")
    assert home.ok("people", "list", "--json").json[0]["subject"] is None
    assert home.run("oidc", "link", "nobody@example.com", "sub-1").code == 1


def test_without_a_provider_the_commands_say_what_to_set(tmp_path: Path) -> None:
    home = Installation(tmp_path / "home")
    home.ok("people", "add", "ml-1@example.com")
    for command in (("check",), ("link", "ml-1@example.com", "sub-1")):
        found = home.run("oidc", *command)
        assert found.code == 1
        assert "PHASELOOP_OIDC_ISSUER" in found.err


def test_settings_that_do_not_fit_together_are_told_all_at_once(home: Installation) -> None:
    home.extra |= {"PHASELOOP_PUBLIC_URL": "", "PHASELOOP_OIDC_CLIENT_ID": "", "PHASELOOP_OIDC_CLIENT_SECRET": SECRET}
    found = home.run("config")

    assert found.code == 1
    for word in ("PHASELOOP_PUBLIC_URL must be set", "PHASELOOP_OIDC_CLIENT_ID must be set"):
        assert word in found.err
    assert SECRET not in found.err
