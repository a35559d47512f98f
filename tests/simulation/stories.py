"""What must be true of a simulated project, worked out from the template file and the calendar by other means than the
product's own, and held against what the tracker shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from holidays import country_holidays
from ruamel.yaml import YAML

from service.domain.team.calendar import DateRange
from service.domain.team.team import Team
from service.templates import TemplateText, load_builtin
from simulation.cast import COUNTRY, SUBDIVISION, come_along
from simulation.play import Play, Script
from simulation.report import Began, Closed, Entry, Held, Noted, Report, WentOn
from simulation.stage import Stage
from tests.effort import LONG
from tests.homes import furnish
from tests.simulation.eyes import Eye, Seen, SeenTicket, eye, login

FIRST = date(2026, 1, 5)
"""A Monday. Six months from here have both changes of the clocks' first half, Easter and three long weekends."""

TEMPLATE: Mapping[str, Any] = YAML(typ="safe").load(Path("templates/iterative-ml.yaml").read_text(encoding="utf-8"))
NEEDS = {ticket["key"]: ticket.get("needs", ()) for phase in TEMPLATE["phases"] for ticket in phase["tickets"]}
_WORK = re.compile(r"ticket:(?P<name>[a-z0-9-]+)(?P<turn>[@~]\d+)?")


def script(tracker: str, method: str = "scrum", *, months: int = 6, seed: int = 1, **more: Any) -> Script:
    """A script whose records nobody audits, unless `more` says so: that has stories of its own."""
    team = come_along(seed, DateRange(FIRST, FIRST + timedelta(days=31 * months)))
    template = load_builtin("iterative-ml")
    if "audit" not in more:
        template = TemplateText.of(template.text.replace("\n  gate: warn\n", "\n  gate: off\n"), template.source)
    more = {"audit": {}, **more}
    return Script(template, more.pop("team", team), FIRST, months, tracker, method, seed, **more)


@dataclass
class Story:
    """A play with somebody who watches the tracker: `begun` is what it showed whenever an iteration had begun, and
    `evenings` on the last evening of each."""

    script: Script
    home: Path
    begun: dict[int, Seen] = field(default_factory=dict)
    evenings: dict[int, Seen] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    """Addresses of people who left, and in which iteration."""

    def play(self) -> Report:
        furnish(self.home)
        with (
            Stage(self.home, self.script.tracker, self.script.opens) as stage,
            httpx.Client(base_url=stage.url, timeout=30) as http,
        ):
            self.eye: Eye = eye(self.script.tracker, http)
            return Play(stage, self.script, self.hear, self.evening).run()

    def hear(self, entry: Entry) -> None:
        self.entries.append(entry)
        if isinstance(entry, Noted) and " leaves: " in entry.text:
            name = entry.text.partition(" leaves: ")[0]
            self.left |= {one.email or "": len(self.begun) for one in self.team.members if one.person == name}
        if isinstance(entry, Began):
            self.begun[entry.number] = self.eye.look()

    def evening(self) -> None:
        self.evenings[len(self.begun)] = self.eye.look()

    @property
    def team(self) -> Team:
        return self.script.team

    @cached_property
    def title(self) -> dict[int, str]:
        """What tells in the tracker that a ticket is in an iteration."""
        labelled = self.script.tracker == "jira" and self.script.method == "kanban"
        began = [entry for entry in self.entries if isinstance(entry, Began)]
        return {entry.number: f"iteration:{entry.number}" if labelled else entry.title for entry in began}

    def closing(self, number: int) -> Closed:
        return next(entry for entry in self.entries if isinstance(entry, Closed) and entry.number == number)

    # --- what must be so ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Everything, for every iteration that began."""
        for number, seen in self.begun.items():
            self.check_iterations(number, seen)
            self.check_nothing_twice(seen)
            self.check_own_tickets(number, seen)
            self.check_people(number, seen)
            self.check_dependencies(seen)
            if number > 1:
                self.check_carried(number, self.evenings[number - 1], seen)

    def check_iterations(self, number: int, seen: Seen) -> None:
        """It continues, those before it are closed, those after it are to come; and its dates are right."""
        if not seen.iterations:
            return
        states = {title: seen.state_of(title) for title in self.title.values() if title in _titles(seen)}
        assert {n: states[title] for n, title in self.title.items() if n <= number} == {
            n: "active" if n == number else "closed" for n in range(1, number + 1)
        }
        own = next(one for one in seen.iterations if one.title == self.title[number])
        assert (own.starts, own.ends) == _bounds(self.script, number), own
        others = [
            one for one in seen.iterations if one.title not in set(self.title.values()) and "fixes" not in one.title
        ]
        assert {one.state for one in others} <= {"future"}

    def check_nothing_twice(self, seen: Seen) -> None:
        assert [key for key, count in Counter(one.key for one in seen.tickets if one.key).items() if count > 1] == []
        twice = [one.title for one in seen.tickets if len(_at_once(one, seen)) > 1]
        assert twice == []

    def check_own_tickets(self, number: int, seen: Seen) -> None:
        """Its record and its meetings are in it; and with the first, every ticket of the template is somewhere."""
        inside = {one.key for one in seen.inside(self.title[number])}
        own = {f"record:{number}"} | ({f"ceremonies:{number}"} if self.script.method == "scrum" else set())
        assert own <= inside

    def check_people(self, number: int, seen: Seen) -> None:
        """Who has a ticket that nobody has begun holds its role and is still there; one that nobody has says so."""
        roles = {login(one.email or "", self.script.tracker): set(one.roles) for one in self.team.members}
        for one in seen.inside(self.title[number]):
            role = next((label[5:] for label in one.labels if label.startswith("role:")), None)
            if not one.key or one.status != "todo" or role is None:
                continue
            if one.email is None:
                assert f"vacant:{role}" in one.labels, one
            else:
                assert role in roles[one.email], one
                assert self.left.get(one.email, number) >= number, one

    def check_dependencies(self, seen: Seen) -> None:
        """Every ticket waits for those of its own turn of the loop that the template says, as far as they are there."""
        for one in seen.tickets:
            assert set(self.needed(one, seen)) <= one.waits_for, one

    def needed(self, ticket: SeenTicket, seen: Seen) -> Iterator[str]:
        found = _WORK.fullmatch(ticket.key)
        for need in NEEDS[found["name"]] if found else ():
            other = seen.by_key.get(f"ticket:{need}{found['turn'] or ''}") if found else None
            if other is not None:
                yield other.title

    def check_carried(self, number: int, before: Seen, now: Seen) -> None:
        """What was not done is in the next iteration, the same ticket with the same person; or it is told otherwise."""
        told = [(one.title, one.policy) for one in self.closing(number - 1).unfinished]
        unfinished = {one.id: one for one in before.inside(self.title[number - 1]) if one.status != "done"}
        assert sorted(title for title, _ in told) == sorted(one.title for one in unfinished.values())
        after = {one.id: one for one in now.tickets}
        for id_, one in unfinished.items():
            carried = self.title[number] in after[id_].iterations
            assert carried in {policy == "next" for title, policy in told if title == one.title}, one
            if carried:
                assert after[id_].status == one.status, one
                # What nobody had may be somebody's now, and so may be what somebody had who has left since.
                assert one.email in (None, after[id_].email, *self.left), one
        done = {one.id for one in before.inside(self.title[number - 1]) if one.status == "done"}
        assert done <= {one.id for one in now.inside(self.title[number - 1])}


def _at_once(ticket: SeenTicket, seen: Seen) -> list[str]:
    """The iterations, not over yet, that a ticket is in. Of labels all count."""
    over = {one.title for one in seen.iterations if one.state == "closed"}
    return [title for title in ticket.iterations if title not in over]


def _titles(seen: Seen) -> set[str]:
    return {one.title for one in seen.iterations}


def _bounds(told: Script, number: int) -> tuple[datetime, datetime]:
    """When an iteration of two weeks starts and ends: nine on its first day that is no holiday, five on its last."""
    first = told.first + timedelta(days=14 * (number - 1))
    free = country_holidays(COUNTRY, SUBDIVISION, years=first.year)
    days = [first + timedelta(days=n) for n in range(14)]
    working = [one for one in days if one.weekday() < 5 and one not in free]
    starts, ends = datetime.combine(working[0], time(9)), datetime.combine(working[-1], time(17))
    return starts.replace(tzinfo=told.zone), ends.replace(tzinfo=told.zone)


def half_a_year(tracker: str, method: str, home: Path) -> None:
    """Play six months, or four where there is little time, and hold every iteration against what the tracker shows."""
    months = 6 if LONG else 4
    story = Story(script(tracker, method, months=months), home)

    report = story.play()

    begun = 13 if LONG else 9
    assert [one.number for one in report.of(Began)] == list(range(1, begun + 1))
    assert [one.number for one in report.of(Closed)] == list(range(1, begun))
    story.check()
    assert len(story.left) == (1 if tracker == "jira" else 0)
    assert [one.iteration for one in report.of(Held)] == [one.iteration for one in report.of(WentOn)]
    assert len(report.of(Held)) == (0 if (tracker, method) == ("jira", "kanban") else 1)
    for one in report.of(Closed):
        tally = one.tally
        ended = (tally.done, tally.carried, tally.backlog, tally.left, tally.removed)
        assert tally.planned.tickets + tally.added.tickets == sum(end.tickets for end in ended)
