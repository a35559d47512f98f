"""The vendor's gateway: where tokens with scopes work, and what they may do there."""

from __future__ import annotations

import json

import pytest

from sandbox.jira import gateway
from sandbox.testing import SandboxServer
from tests import plain
from tests.sandbox.vendor_documents import ABSENT, FILES, SPECS

EMAIL = "member@example.com"
TOKEN = "token-with-scopes"


def give(sandbox: SandboxServer, *scopes: str, email: str = EMAIL, token: str = TOKEN) -> None:
    body = {"user": email, "token": token, "scopes": list(scopes)}
    plain.post(f"{sandbox.url}/sandbox/tokens", json=body).raise_for_status()


def there(sandbox: SandboxServer) -> str:
    cloud = plain.get(f"{sandbox.url}/_edge/tenant_info").raise_for_status().json()
    assert list(cloud) == ["cloudId"]
    return f"{sandbox.url}/ex/jira/{cloud['cloudId']}"


def test_a_token_with_scopes_works_at_the_gateway_and_not_at_the_site(sandbox: SandboxServer) -> None:
    give(sandbox, "read:jira-user")
    basic = (EMAIL, TOKEN)
    assert plain.get(f"{sandbox.url}/rest/api/3/myself", auth=basic).status_code == 401
    for way in ({"auth": basic}, {"headers": {"Authorization": f"Bearer {TOKEN}"}}):
        answer = plain.get(f"{there(sandbox)}/rest/api/3/myself", **way)  # type: ignore[arg-type]
        assert answer.json()["emailAddress"] == EMAIL
        assert answer.json()["self"].startswith(f"{there(sandbox)}/rest/api/3/user")


@pytest.mark.parametrize(
    "auth", [None, ("demo@example.com", "sandbox-token"), ("demo@example.com", TOKEN), (EMAIL, "another")]
)
def test_the_gateway_knows_no_other_credential(sandbox: SandboxServer, auth: tuple[str, str] | None) -> None:
    give(sandbox, "read:jira-user")
    answer = plain.get(f"{there(sandbox)}/rest/api/3/myself", auth=auth)
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Unauthorized"})


def test_the_gateway_refuses_in_its_own_words(sandbox: SandboxServer) -> None:
    give(sandbox, "read:jira-user")
    unknown = plain.get(f"{sandbox.url}/ex/jira/another-cloud/rest/api/3/myself", auth=(EMAIL, TOKEN))
    assert unknown.status_code == 404
    assert unknown.json()["message"] == "No message available"
    answer = plain.get(f"{there(sandbox)}/rest/api/3/field", auth=(EMAIL, TOKEN))
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Unauthorized; scope does not match"})


@pytest.mark.parametrize(
    ("method", "path", "classic", "granular"),
    [
        ("GET", "/rest/api/2/mypermissions?permissions=BROWSE_PROJECTS", ["read:jira-work"], ["read:permission:jira"]),
        ("GET", "/rest/api/3/issueLinkType", ["read:jira-work"], ["read:issue-link-type:jira"]),
        ("GET", "/rest/agile/1.0/board", ["read:board-scope:jira-software", "read:project:jira"], None),
        ("GET", "/rest/agile/1.0/board/1/sprint", ["read:sprint:jira-software"], None),
        ("POST", "/rest/agile/1.0/sprint", ["write:sprint:jira-software"], None),
        ("POST", "/rest/api/3/issue", ["write:jira-work"], None),
    ],
)
def test_an_operation_asks_for_the_scopes_of_the_vendors_document_all_of_one_alternative(
    sandbox: SandboxServer, method: str, path: str, classic: list[str], granular: list[str] | None
) -> None:
    every = sorted(gateway.known_scopes())
    give(sandbox, *[scope for scope in every if scope not in {*classic, *(granular or ())}], token="all-but-these")
    for number, scopes in enumerate((classic, granular)):
        if scopes is None:
            continue
        give(sandbox, *scopes, token=f"enough-{number}")
        answer = plain.request(method, there(sandbox) + path, auth=(EMAIL, f"enough-{number}"), json={})
        assert answer.status_code != 401, answer.text
        give(sandbox, *scopes[:-1], token=f"too-few-{number}")
        answer = plain.request(method, there(sandbox) + path, auth=(EMAIL, f"too-few-{number}"), json={})
        assert answer.json()["message"] == "Unauthorized; scope does not match"


def test_the_servers_kind_is_told_to_every_token_and_names_the_site(sandbox: SandboxServer) -> None:
    give(sandbox)
    info = plain.get(f"{there(sandbox)}/rest/api/3/serverInfo", auth=(EMAIL, TOKEN)).json()
    assert info["baseUrl"] == sandbox.url


def test_scopes_do_not_replace_permissions_nor_pages(sandbox: SandboxServer) -> None:
    give(sandbox, *gateway.known_scopes(), email="viewer@example.com")
    auth = ("viewer@example.com", TOKEN)
    fields = {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "One"}
    assert plain.post(f"{there(sandbox)}/rest/api/3/issue", auth=auth, json={"fields": fields}).status_code == 403
    for path in ("/browse/SCRUM-1", "/", "/rest/greenhopper/1.0/rapidview", "/_edge/tenant_info"):
        answer = plain.get(there(sandbox) + path, auth=auth)
        assert answer.json()["message"] == "Unauthorized; scope does not match"


def test_the_site_keeps_its_limits_behind_the_gateway(sandbox: SandboxServer) -> None:
    give(sandbox, "read:jira-user")
    plain.post(f"{sandbox.url}/sandbox/limits", json={"enabled": True, "scale": 0.01})
    asked = [plain.get(f"{there(sandbox)}/rest/api/3/myself", auth=(EMAIL, TOKEN)).status_code for _ in range(3)]
    assert 429 in asked


def test_a_scope_that_nobody_asks_for_is_no_scope(sandbox: SandboxServer) -> None:
    body = {"user": EMAIL, "token": TOKEN, "scopes": ["read:everything"]}
    answer = plain.post(f"{sandbox.url}/sandbox/tokens", json=body)
    assert answer.status_code == 400
    assert "read:everything" in answer.text


def test_tokens_with_scopes_are_taken_back_with_the_others(sandbox: SandboxServer) -> None:
    give(sandbox, "read:jira-user")
    assert plain.get(f"{sandbox.url}/sandbox/tokens").json() == [EMAIL]
    assert plain.delete(f"{sandbox.url}/sandbox/tokens").json() == []
    assert plain.get(f"{there(sandbox)}/rest/api/3/myself", auth=(EMAIL, TOKEN)).status_code == 401


@pytest.mark.skipif(ABSENT, reason="the vendor's documents are not at hand")
def test_the_table_of_scopes_is_the_vendors() -> None:
    for name in FILES:
        for path, item in json.loads((SPECS / name).read_text(encoding="utf-8"))["paths"].items():
            for method in {"get", "post", "put", "delete"} & set(item):
                said = [one["OAuth2"] for one in item[method].get("security") or () if "OAuth2" in one]
                said += [one.get("scopes") or [] for one in item[method].get("x-atlassian-oauth2-scopes") or ()]
                assert set(gateway.needed(method.upper(), path)) == {frozenset(one) for one in said}, path
