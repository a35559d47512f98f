"""A project in which every field of every ticket can be made to change by a new plan, and the hands of people who
change them too: past us, by plain HTTP, in a Jira and in a Trello."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.values import ItemKey, RemoteRef
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.trello.seed import KEY, TOKEN
from service.domain.plan.plan_json import place_from_json
from service.store import items
from service.store.tables import ProjectRow, RunRow
from service.templates import TemplateText
from service.usecases.setup import projects
from tests import plain
from tests.integration.turntable import START, Turntable, team

TICKET_FIELDS = ("iteration", "title", "text", "checklist", "labels", "assignee", "points", "priority", "epic")
"""Each has a ticket of its own, on which people change just that."""

ITERATION_FIELDS = ("title", "goal", "starts", "ends")
"""Each has an iteration of its own, too."""

PLAIN = "plain"
"""The ticket that nobody touches."""

_HEAD = """
format: phaseloop/v1
kind: template
name: meanwhile
version: {version}
title: Meanwhile
description: Enough to change everything.
parameters:
  start_date: {{type: date, description: First day., default: next-monday}}
  meetings: {{type: switch, description: Whether there is a ticket for the meetings., default: false}}
  method: {{type: choice, description: How the team works., default: scrum, choices: [scrum, kanban]}}
roles:
  ml: {{title: ML Engineer, core: true, responsibility: Builds models., skills: [models]}}
  data: {{title: Data Engineer, core: true, responsibility: Builds pipelines., skills: [SQL]}}
  devops: {{title: DevOps Engineer, core: true, responsibility: Runs things., skills: [containers]}}
  qa: {{title: QA Engineer, core: true, responsibility: Tests things., skills: [tests]}}
  pm: {{title: Product Manager, core: true, responsibility: Sets goals., skills: [goals]}}
cadence: {{iteration_days: 14, start_date: "{{{{ start_date }}}}", iteration_name: "{turn} {{{{ iteration.number }}}}"}}
loop: {{carry_over: next}}
ceremonies:
  title: Meetings
  description: The meetings of the iteration.
  role: pm
  when: {{meetings: true}}
  events: [{{key: planning, title: Planning, at: start, minutes: 60, purpose: Plan the iteration.}}]
record:
  title: Document iteration {{{{ iteration.number }}}}
  description: What was done and learnt.
  done: [Every section is written]
  sections: [{{key: goal, title: Goal, prompt: What was the goal?}}]
  grace_working_days: 2
phases:
  - key: only
    title: The only phase
    short: Only
    focus: {focus}
    roles: [ml, data, pm, devops, qa]
    iterations: {iterations}
    epics:
      - {{key: data, title: Data, description: All about the data.}}
      - {{key: model, title: Model, description: All about the model.}}
    tickets:
"""
_TICKET = """
      - {{key: {key}, title: "{key} {title}", epic: {epic}, role: {role}, description: "{text} {key}.",
         done: [{done}], deliverable: something, points: {points}, priority: {priority}}}
"""
_TAIL = """
      - {key: other, title: Another one, epic: data, role: qa, description: Do that.,
         done: [It is done], deliverable: something, points: 1}
    record: {epic: model, author: ml, sign_off: pm, points: 1}
    exit: {output: A model., needs: [plain]}
"""


def template(*, anew: bool, reordered: bool = True) -> TemplateText:
    """The process as it is at first, or `anew`: with everything of every ticket and iteration changed; `reordered`,
    tickets change their iterations too."""
    keys = [*TICKET_FIELDS, PLAIN]
    head = _HEAD.format(
        version="1.1.0" if anew else "1.0.0",
        turn="Round" if anew else "Turn",
        focus="Something else." if anew else "A little of everything.",
        iterations=4,
    )
    values = (
        {"title": "anew", "epic": "model", "role": "ml", "text": "Do it otherwise", "done": "It is done, It is told"}
        if anew
        else {"title": "first", "epic": "data", "role": "data", "text": "Do it", "done": "It is done"}
    )
    more = {"points": 5, "priority": "high"} if anew else {"points": 3, "priority": "low"}
    ordered = reversed(keys) if anew and reordered else keys
    text = head + "".join(_TICKET.format(key=key, **values, **more) for key in ordered) + _TAIL
    lines = [line for line in text.splitlines() if line.strip()]
    return TemplateText.of("\n".join(lines) + "\n", "meanwhile.yaml")


class Hands(Protocol):
    """What people do in a tracker, and what they see there."""

    def change(self, ref: RemoteRef, field: str, again: str = "") -> None:
        """Change this field of a ticket to something that no plan asks for; `again` makes it yet another value."""

    def shows(self, ref: RemoteRef, field: str) -> Any:
        """What the tracker shows in this field of a ticket."""

    def change_iteration(self, ref: RemoteRef, field: str, again: str = "") -> None: ...

    def iteration_shows(self, ref: RemoteRef, field: str) -> Any: ...

    def bring(self, ref: RemoteRef, state: str) -> None:
        """Begin an iteration (`active`), or close it (`closed`)."""

    def finish(self, ref: RemoteRef) -> None:
        """Bring a ticket to where it is done."""

    def delete(self, ref: RemoteRef) -> None: ...

    def take_away(self, ref: RemoteRef) -> None:
        """Bring a ticket to another project."""


def _later(moment: str, days: int) -> str:
    moved = datetime.fromisoformat(moment) + timedelta(days=days)
    return moved.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class JiraHands:
    """At work in Jira."""

    url: str
    people: Sequence[str]
    epics: Sequence[RemoteRef]
    iterations: Sequence[RemoteRef]
    points_field: str = ""

    def send(self, method: str, path: str, **more: Any) -> Any:
        answer = plain.request(method, f"{self.url}/rest/{path}", auth=(DEMO_EMAIL, DEMO_TOKEN), timeout=30, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def _fields(self, ref: RemoteRef) -> dict[str, Any]:
        found: dict[str, Any] = self.send("GET", f"api/2/issue/{ref.id}")["fields"]
        return found

    def change(self, ref: RemoteRef, field: str, again: str = "") -> None:
        if field == "iteration":
            place = self.iterations[1 if again else 2]
            self.send("POST", f"agile/1.0/sprint/{place.id}/issue", json={"issues": [ref.id]})
            return
        now = self._fields(ref)
        body: dict[str, Any] = {
            "title": {"fields": {"summary": f"A title of mine{again}"}},
            "text": {"fields": {"description": f"{now.get('description')}\n\nA line of mine{again}."}},
            "checklist": {"fields": {"description": f"{now.get('description')}\n* A line of mine{again}"}},
            "labels": {"update": {"labels": [{"add": f"mine{again}"}, {"remove": "phase:only"}]}},
            "assignee": {"fields": {"assignee": {"accountId": self.people[-1 if not again else -2]}}},
            "points": {"fields": {self.points_field: 13 if not again else 21}},
            "priority": {"fields": {"priority": {"name": "Highest" if not again else "Lowest"}}},
            "epic": {"fields": {"parent": {"id": self.epics[-1].id}}}
            if again
            else {"update": {"parent": [{"set": {"none": True}}]}},
        }[field]
        self.send("PUT", f"api/2/issue/{ref.id}", json=body)

    def shows(self, ref: RemoteRef, field: str) -> Any:
        now = self._fields(ref)
        match field:
            case "title":
                return now["summary"]
            case "text" | "checklist":
                return now["description"]
            case "labels":
                return sorted(one for one in now["labels"] if not one.startswith("phaseloop-"))
            case "assignee":
                return now["assignee"]["accountId"] if now["assignee"] else None
            case "points":
                return now[self.points_field]
            case "priority":
                return now["priority"]["name"]
            case "epic":
                return now["parent"]["id"] if now.get("parent") else None
        sprints = [one for name, value in now.items() if name.startswith("customfield") for one in _sprints(value)]
        return next((one["id"] for one in sprints if one["state"] != "closed"), None)

    def change_iteration(self, ref: RemoteRef, field: str, again: str = "") -> None:
        now = self.send("GET", f"agile/1.0/sprint/{ref.id}")
        body = {
            "title": lambda: {"name": f"{ref.id} of mine{again}"},
            "goal": lambda: {"goal": f"A goal of mine{again}"},
            "starts": lambda: {"startDate": _later(now["startDate"], 1)},
            "ends": lambda: {"endDate": _later(now["endDate"], 1)},
        }[field]()
        self.send("POST", f"agile/1.0/sprint/{ref.id}", json=body)

    def iteration_shows(self, ref: RemoteRef, field: str) -> Any:
        names = {"title": "name", "goal": "goal", "starts": "startDate", "ends": "endDate"}
        return self.send("GET", f"agile/1.0/sprint/{ref.id}").get(names[field])

    def bring(self, ref: RemoteRef, state: str) -> None:
        self.send("POST", f"agile/1.0/sprint/{ref.id}", json={"state": state})

    def finish(self, ref: RemoteRef) -> None:
        ways = self.send("GET", f"api/2/issue/{ref.id}/transitions")["transitions"]
        done = next(one["id"] for one in ways if one["to"]["statusCategory"]["key"] == "done")
        self.send("POST", f"api/2/issue/{ref.id}/transitions", json={"transition": {"id": done}})

    def delete(self, ref: RemoteRef) -> None:
        self.send("DELETE", f"api/2/issue/{ref.id}")

    def take_away(self, ref: RemoteRef) -> None:
        self.delete(ref)


def _sprints(value: Any) -> list[dict[str, Any]]:
    listed = value if isinstance(value, list) else []
    return [one for one in listed if isinstance(one, dict) and "boardId" in one]


@dataclass
class TrelloHands:
    """At work in Trello."""

    url: str
    people: Sequence[str]
    epics: Sequence[RemoteRef]
    iterations: Sequence[RemoteRef]

    def send(self, method: str, path: str, **more: Any) -> Any:
        header = {"Authorization": f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"'}
        answer = plain.request(method, f"{self.url}/1/{path}", headers=header, timeout=30, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def _card(self, ref: RemoteRef) -> dict[str, Any]:
        params = {"attachments": "true", "checklists": "all"}
        found: dict[str, Any] = self.send("GET", f"cards/{ref.id}", params=params)
        return found

    def _relabel(self, card: dict[str, Any], prefix: str, name: str) -> None:
        for label in card["labels"]:
            if label["name"].startswith(prefix):
                self.send("DELETE", f"cards/{card['id']}/idLabels/{label['id']}")
        known = self.send("GET", f"boards/{card['idBoard']}/labels", params={"limit": 1000})
        there = next((one["id"] for one in known if one["name"] == name), None)
        if there is None:
            self.send("POST", f"cards/{card['id']}/labels", json={"name": name, "color": "red"})
        else:
            self.send("POST", f"cards/{card['id']}/idLabels", json={"value": there})

    def change(self, ref: RemoteRef, field: str, again: str = "") -> None:
        card = self._card(ref)
        match field:
            case "title":
                self.send("PUT", f"cards/{ref.id}", json={"name": f"A title of mine{again}"})
            case "text":
                self.send("PUT", f"cards/{ref.id}", json={"desc": f"A line of mine{again}.\n\n{card['desc']}"})
            case "labels":
                self._relabel(card, "phase:", f"mine{again}")
            case "points":
                self._relabel(card, "points:", f"points:{21 if again else 13}")
            case "priority":
                self._relabel(card, "priority:", "priority:medium" if not again else "urgent")
            case "assignee":
                person = self.people[-1 if not again else -2]
                self.send("PUT", f"cards/{ref.id}", json={"idMembers": person})
            case "epic":
                for one in card["attachments"]:
                    self.send("DELETE", f"cards/{ref.id}/attachments/{one['id']}")
                if again:
                    self.send("POST", f"cards/{ref.id}/attachments", json={"url": self.epics[-1].url})
            case "checklist":
                found = card["checklists"][0]["id"]
                self.send("POST", f"checklists/{found}/checkItems", json={"name": f"A line of mine{again}"})
            case "iteration":
                place = self._card(self.iterations[1 if again else 2])
                self._relabel(card, self._word(card), place["labels"][0]["name"])

    def _word(self, card: dict[str, Any]) -> str:
        names = [one["name"] for one in card["labels"]]
        return next((word for word in ("Turn", "Round") if any(name.startswith(word) for name in names)), "Turn")

    def shows(self, ref: RemoteRef, field: str) -> Any:
        card = self._card(ref)
        names = sorted(one["name"] for one in card["labels"])
        match field:
            case "title":
                return card["name"]
            case "text":
                return card["desc"]
            case "labels":
                return [one for one in names if one.partition(":")[0] not in ("points", "priority", "Turn", "Round")]
            case "points" | "priority":
                return [one for one in names if one.startswith(field) or one == "urgent"]
            case "assignee":
                return card["idMembers"][0] if card["idMembers"] else None
            case "epic":
                return sorted(one["url"] for one in card["attachments"])
            case "checklist":
                return [item["name"] for one in card["checklists"] for item in one["checkItems"]]
        return [one.split()[-1] for one in names if one.startswith(("Turn", "Round"))]

    def change_iteration(self, ref: RemoteRef, field: str, again: str = "") -> None:
        card = self._card(ref)
        body = {
            "title": lambda: {"name": f"{ref.key} of mine{again}"},
            "goal": lambda: {"desc": f"A goal of mine{again}.\n\n{card['desc']}"},
            "starts": lambda: {"start": _later(card["start"], 1)},
            "ends": lambda: {"due": _later(card["due"], 1)},
        }[field]()
        self.send("PUT", f"cards/{ref.id}", json=body)

    def iteration_shows(self, ref: RemoteRef, field: str) -> Any:
        return self._card(ref)[{"title": "name", "goal": "desc", "starts": "start", "ends": "due"}[field]]

    def bring(self, ref: RemoteRef, state: str) -> None:
        self._put(ref, {"active": "Iteration", "closed": "Done"}[state])

    def finish(self, ref: RemoteRef) -> None:
        self._put(ref, "Done")

    def _put(self, ref: RemoteRef, name: str) -> None:
        lists = self.send("GET", f"boards/{self._card(ref)['idBoard']}/lists")
        there = next(one["id"] for one in lists if one["name"] == name)
        self.send("PUT", f"cards/{ref.id}", json={"idList": there})

    def delete(self, ref: RemoteRef) -> None:
        self.send("DELETE", f"cards/{ref.id}")

    def take_away(self, ref: RemoteRef) -> None:
        self.send("PUT", f"cards/{ref.id}", json={"closed": True})


def refs(table: Turntable) -> dict[ItemKey, RemoteRef]:
    """Where everything is, by our records."""
    with table.context.database.session() as session:
        return items.references(items.rows(session, table.project))


def set_up_anew(table: Turntable, start: str = "2026-03-04", *, reordered: bool = True) -> None:
    """Change everything that the project asks for."""
    with table.context.database.session() as session:
        row = session.get_one(ProjectRow, table.project)
    request = projects.Request(
        row.name,
        row.key,
        row.connection_id,
        team().name,
        template(anew=True, reordered=reordered),
        {"start_date": start},
        create=row.create,
    )
    projects.put(table.context, request)


def hands(table: Turntable, tracker: str, run: RunRow) -> Hands:
    """People at work in the project that this run has built."""
    known = refs(table)
    epics = [known[ItemKey("epic:data")], known[ItemKey("epic:model")]]
    turns = [known[key] for key in sorted(known) if key.startswith("iteration:")]
    with table.context.database.session() as session:
        rows = items.rows(session, table.project)
        used = {str(row.wanted.get("assignee")) for row in rows.values() if row.wanted.get("assignee")}
    if tracker == "trello":
        return TrelloHands(table.url, sorted(used), epics, turns)
    assert run.place is not None
    points = str(place_from_json(run.place).facts["points_field"])
    others = plain.get(
        f"{table.url}/rest/api/2/user/assignable/search",
        params={"project": "ML"},
        auth=(DEMO_EMAIL, DEMO_TOKEN),
        timeout=30,
    ).json()
    strangers = sorted(one["accountId"] for one in others if one["accountId"] not in used)
    return replace(JiraHands(table.url, [*sorted(used), *strangers], epics, turns), points_field=points)


__all__ = ["ITERATION_FIELDS", "PLAIN", "START", "TICKET_FIELDS", "Hands", "hands", "refs", "set_up_anew", "template"]
