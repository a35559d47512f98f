"""What pages for those who look after the service say and leave out, rendered from their values."""

from __future__ import annotations

from dataclasses import replace

from service.domain.access.identity import Actor, Caller, Grant, Kind
from service.domain.access.roles import Role
from service.pages import rendering
from service.pages.entries import Given
from service.pages.frame import Frame, around
from service.pages.new_project import _parameters
from service.pages.template import builtin
from tests.unit.pages.admin_values import AT, PAGES, PERSON, SECRET

FRAME = Frame("lead-1@example.com", "access", "a" * 64, "p" * 24)


def test_a_secret_can_be_copied_and_a_repetition_says_that_it_was_shown() -> None:
    shown = rendering.text(
        "person.html", replace(PERSON, secret=replace(SECRET, value="https://x/sign-in?code=c")), FRAME
    )
    again = rendering.text("person.html", replace(PERSON, secret=replace(SECRET, value="", note="Shown once.")), FRAME)

    assert 'value="https://x/sign-in?code=c" readonly' in shown
    assert 'data-copies="secret-value" hidden' in shown, "a script shows the button that copies"
    assert "secret-value" not in again
    assert "Shown once." in again


def test_why_a_person_stays_stands_beside_the_button() -> None:
    page = rendering.text("person.html", replace(PERSON, refused="The last administrator."), FRAME)
    details = page[page.index("<details open>") :]

    assert details.index("The last administrator.") < details.index("/access/people/per_1/remove")


def test_a_person_who_was_removed_is_let_in_again_and_not_removed_twice() -> None:
    page = rendering.text("person.html", replace(PERSON, removed=AT), FRAME)

    assert "Let them in again with this role" in page
    assert "/remove" not in page
    assert "New sign-in link" not in page


def test_without_a_provider_the_rules_by_group_say_that_they_give_nothing() -> None:
    page = rendering.text("groups.html", replace(PAGES["groups.html"], provider="", rows=()), FRAME)

    assert "PHASELOOP_OIDC_ISSUER" in page
    assert "No group holds a role" in page


def test_parameters_are_called_by_what_their_template_says_or_by_their_key() -> None:
    [template] = [one for one in builtin().values() if one.name == "iterative-ml"]
    labels = {one.name.removeprefix("p_"): one.label for one in _parameters(template, Given({}))}

    assert labels["ux"] == "UX"
    assert labels["iterations_ideation"] == "Iterations planned for ideation and experimentation"
    assert labels["start_date"] == "First day of the first iteration"
    assert labels["iterations_feedback"] == "Turns of the feedback loop planned at the start"
    assert labels["method"] == "Method"
    assert labels["iteration_days"] == "Iteration days"


def test_the_navigation_leads_to_what_somebody_may_see() -> None:
    def places(role: Role, project: str | None = None) -> set[str]:
        caller = Caller(Actor(Kind.PERSON, "per_1", "x"), (Grant(role, project),))
        return {one.href for one in around(caller, "", "", "").service}

    assert places(Role.ADMIN) == {"/access", "/changes", "/settings"}
    assert places(Role.AUDITOR) == {"/changes"}
    assert places(Role.LEAD) == places(Role.ADMIN, "prj_1") == set()
