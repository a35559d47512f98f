"""A change of settings that travels with a plan: shown by entry, taken back as far as nobody changed it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.domain.plan.project_settings import (
    ProjectSettings,
    SettingsChange,
    TeamChange,
    differ,
    entries,
    reverse,
)

words = st.sampled_from(["a", "b", "c"])
nested = st.dictionaries(words, st.one_of(st.none(), words, st.integers(0, 3)), max_size=3)
settings = st.builds(
    ProjectSettings,
    name=words,
    team=words,
    team_name=words,
    template=words,
    template_title=words,
    create=st.booleans(),
    parameters=nested,
    time_zone=words,
    calendar=nested,
    turning=nested,
    audit=nested,
)


def plain(one: ProjectSettings) -> ProjectSettings:
    """Without the words for people, which follow what they name."""
    return replace(one, team_name="", template_title="")


@given(settings, settings)
def test_a_change_that_nobody_touched_is_taken_back_whole(before: ProjectSettings, after: ProjectSettings) -> None:
    back, kept = reverse(SettingsChange(before, after), after, None, 0)

    assert kept == []
    if back is None:
        assert not differ(before, after)
    else:
        assert plain(back.after) == plain(before)


@given(settings, settings, settings)
def test_what_somebody_changed_again_stays_and_is_named(
    before: ProjectSettings, after: ProjectSettings, current: ProjectSettings
) -> None:
    change = SettingsChange(before, after)

    back, kept = reverse(change, current, None, 0)

    end = current if back is None else back.after
    left = {entry.field for entry in entries(SettingsChange(before, end))}
    brought = {entry.field for entry in entries(change)}
    assert set(kept) == brought & left
    touched = {entry.field for entry in entries(SettingsChange(current, end))}
    assert touched <= brought, "nothing else is changed"


@given(settings, settings)
def test_entries_name_just_what_differs(before: ProjectSettings, after: ProjectSettings) -> None:
    assert bool(entries(SettingsChange(before, after))) == differ(before, after)


def body(**capacities: int) -> dict[str, Any]:
    return {"name": "T", "members": [{"person": name, "capacity": points} for name, points in capacities.items()]}


A = ProjectSettings("n", "t", "Team", "d" * 64, "small 1.0.0", False, {}, "UTC", {}, {}, {})


def test_of_a_team_the_people_are_named_who_come_go_or_change() -> None:
    change = SettingsChange(A, A, TeamChange("t", "Team", 1, body(One=3, Two=4), body(Two=5, Three=1)))

    assert [(entry.field, entry.before, entry.after) for entry in entries(change)] == [
        ("team One", {"person": "One", "capacity": 3}, None),
        ("team Two", {"person": "Two", "capacity": 4}, {"person": "Two", "capacity": 5}),
        ("team Three", None, {"person": "Three", "capacity": 1}),
    ]


def test_a_team_goes_back_only_while_it_is_as_it_was_brought() -> None:
    change = SettingsChange(A, A, TeamChange("t", "Team", 1, body(One=3), body(One=4)))

    back, kept = reverse(change, A, body(One=4), 2)
    assert back is not None
    assert back.team is not None
    assert (back.team.version, back.team.after, kept) == (2, body(One=3), [])
    assert reverse(change, A, body(One=9), 3) == (None, ["team people"])
    assert reverse(change, A, body(One=3), 3) == (None, []), "it is back already"
