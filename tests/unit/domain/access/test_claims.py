"""What a provider says of somebody, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.access.claims import LOGIN_LIMIT, RoleRule, granted, logins, values_of, verified_email
from service.domain.access.identity import Grant, Origin
from service.domain.access.roles import Role

RULES = [
    RoleRule("groups", "leads", Role.LEAD, "prj_1"),
    RoleRule("groups", "all", Role.VIEWER),
    RoleRule("groups", "too", Role.VIEWER),
    RoleRule("admin", "true", Role.ADMIN),
]


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({}, []),
        ({"groups": []}, []),
        ({"groups": "leads"}, [(Role.LEAD, "prj_1")]),
        ({"groups": ["all", "leads", "other"]}, [(Role.LEAD, "prj_1"), (Role.VIEWER, None)]),
        ({"groups": ["all", "too"]}, [(Role.VIEWER, None)]),
        ({"groups": ["ALL", " all", "all "]}, []),
        ({"groups": {"all": True}}, []),
        ({"groups": [["all"], None, 1.5, {"a": 1}]}, []),
        ({"admin": True}, [(Role.ADMIN, None)]),
        ({"admin": False}, []),
        ({"admin": 1}, []),
    ],
)
def test_a_role_is_given_by_a_rule_to_the_letter_and_by_nothing_else(
    claims: dict[str, Any], roles: list[tuple[Role, str | None]]
) -> None:
    assert granted(RULES, claims) == tuple(Grant(role, project, None, Origin.PROVIDER) for role, project in roles)


def test_a_name_with_dots_is_a_claim_of_its_own_or_leads_into_one() -> None:
    claims = {"realm_access": {"roles": ["a"]}, "https://example.com/groups": ["b"], "x.y": "c", "x": {"y": "d"}}

    assert values_of(claims, "realm_access.roles") == ("a",)
    assert values_of(claims, "https://example.com/groups") == ("b",)
    assert values_of(claims, "x.y") == ("c",)
    assert values_of(claims, "realm_access.roles.more") == ()
    assert values_of(claims, "none.at.all") == ()


@pytest.mark.parametrize("proved", [True, "true"])
def test_an_address_counts_where_the_provider_says_that_it_verified_it(proved: object) -> None:
    assert verified_email({"email": "a@example.com", "email_verified": proved}) == "a@example.com"


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "a@example.com"},
        {"email": "a@example.com", "email_verified": 1},
        {"email": "a@example.com", "email_verified": "True"},
        {"email": "a b@example.com", "email_verified": True},
        {"email": "a@example.com\n", "email_verified": True},
        {"email": ["a@example.com"], "email_verified": True},
        {"email": "x" * 300, "email_verified": True},
        {"email_verified": True},
    ],
)
def test_anything_else_is_no_address(claims: dict[str, Any]) -> None:
    assert verified_email(claims) is None


def test_what_nobody_has_verified_is_told_from_what_an_administrator_types() -> None:
    claims = {"email": "a@example.com", "preferred_username": "ML 1"}

    assert list(logins(claims, "sub-1")) == ["oidc:ML-1", "oidc:sub-1"]
    assert list(logins({**claims, "email_verified": True}, "s")) == ["a@example.com", "oidc:ML-1", "oidc:s"]
    assert list(logins({"name": "\x00", "email": "x" * 500}, "s ü/'\x7f" * 60)) == ["oidc:" + ("s-ü--" + "-") * 25]
    assert all(len(one) <= LOGIN_LIMIT and " " not in one for one in logins({"name": "y" * 500}, "z" * 255))
