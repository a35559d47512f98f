"""The simulated team's Jira."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from simulation.office import Desk, Ticket, token_of

_CATEGORY = {"new": "todo", "indeterminate": "doing", "done": "done"}
_WAY = {status: category for category, status in _CATEGORY.items()}
_HEADING = re.compile(r"^h2\. ", re.MULTILINE)
_PAGE = 200
_SHOWN = ["summary", "status", "assignee", "labels"]

HOT_FIX = "Hot fixes"
"""The sprint that somebody starts of their own accord."""


class JiraOffice:
    """One project in Jira, sprints or none (then labels such as iteration:3 say what is in an iteration).

    Raises httpx.HTTPStatusError where the sandbox refuses something: that is a mistake of this simulation.
    """

    def __init__(self, url: str, key: str, admin: tuple[str, str], member: tuple[str, str]) -> None:
        self._admin, self._member = Desk(url, auth=admin), Desk(url, auth=member)
        self._url, self._key = url, key
        self._desks: dict[str, Desk] = {}
        board = self._admin.send("GET", "/rest/agile/1.0/board", params={"projectKeyOrId": key})["values"][0]
        self._board, self._sprints = int(board["id"]), board["type"] != "kanban"
        setup = self._admin.send("GET", f"/rest/agile/1.0/board/{self._board}/configuration")
        self._points = setup.get("estimation", {}).get("field", {}).get("fieldId", "")
        self._shown = [*_SHOWN, self._points] if self._points else _SHOWN

    def close(self) -> None:
        """Release connections."""
        for desk in (self._admin, self._member, *self._desks.values()):
            desk.close()

    def at_work(self, number: int) -> list[Ticket]:
        """What is in the active sprint, or has the label."""
        return self._labelled(number) if not self._sprints else self._in_sprint(self._sprint("active"))

    def coming(self, number: int) -> list[Ticket]:
        """What is in the first sprint that was not started, or has the label."""
        return self._labelled(number) if not self._sprints else self._in_sprint(self._sprint("future"))

    def take(self, ticket: Ticket, email: str) -> None:
        """Assign it, if nobody has it, and bring it into progress."""
        if ticket.email is None:
            account = self._account(email)
            body = {"fields": {"assignee": {"accountId": account}}}
            self._member.send("PUT", f"/rest/api/2/issue/{ticket.id}", json=body)
        self._go(ticket, "doing")

    def finish(self, ticket: Ticket, email: str | None = None) -> None:
        """Bring it to done."""
        self._go(ticket, "done", self._desk(email))

    def text(self, ticket: Ticket) -> str:
        """The description, in Jira's own markup but for the headings."""
        path = f"/rest/api/2/issue/{ticket.id}"
        text = self._member.send("GET", path, params={"fields": "description"})["fields"]["description"] or ""
        return _HEADING.sub("## ", text.replace("\r\n", "\n"))

    def write(self, ticket: Ticket, text: str, email: str) -> None:
        """Replace the description."""
        wiki = "\n".join(f"h2. {line[3:]}" if line.startswith("## ") else line for line in text.split("\n"))
        body = {"fields": {"description": wiki}}
        self._desk(email).send("PUT", f"/rest/api/2/issue/{ticket.id}", json=body)

    def say(self, ticket: Ticket, text: str, email: str) -> None:
        """Write a comment."""
        self._desk(email).send("POST", f"/rest/api/2/issue/{ticket.id}/comment", json={"body": text})

    def add(self, title: str, email: str, number: int) -> Ticket:
        """Make a task and put it into the active sprint, or give it the label."""
        fields: dict[str, Any] = {
            "project": {"key": self._key},
            "issuetype": {"name": "Task"},
            "summary": title,
            "assignee": {"accountId": self._account(email)},
        }
        if not self._sprints:
            fields["labels"] = [_label(number)]
        made = self._admin.send("POST", "/rest/api/2/issue", json={"fields": fields})
        sprint = self._sprint("active") if self._sprints else None
        if sprint is not None:
            self._into(sprint["id"], made["id"])
        return Ticket(str(made["id"]), made["key"], title, "todo", email)

    def put_off(self, ticket: Ticket, number: int) -> bool:
        """Move it into the next sprint, or give it the next label."""
        if not self._sprints:
            self._relabel(ticket, number - 1, number)
            return True
        sprint = self._sprint("future")
        if sprint is not None:
            self._into(sprint["id"], ticket.id)
        return sprint is not None

    def pull_in(self, ticket: Ticket, number: int) -> None:
        """Move it into the active sprint, or give it this label."""
        if not self._sprints:
            self._relabel(ticket, number + 1, number)
        else:
            self.bring(ticket, number)

    def drop(self, ticket: Ticket, number: int) -> None:
        """Move it to the backlog, or take the label off."""
        if not self._sprints:
            self._relabel(ticket, number, None)
        else:
            self._admin.send("POST", "/rest/agile/1.0/backlog/issue", json={"issues": [ticket.name]})

    def backlog(self) -> list[Ticket]:
        """The board's backlog, or what has no label of an iteration."""
        if self._sprints:
            path = f"/rest/agile/1.0/board/{self._board}/backlog"
            found = self._tickets(self._admin.send("GET", path, params=self._page())["issues"])
        else:
            jql = f"project = {self._key} AND statusCategory != Done AND issuetype != Epic ORDER BY rank"
            body = {"jql": jql, "fields": self._shown, "maxResults": _PAGE}
            found = self._tickets(self._admin.send("POST", "/rest/api/2/search/jql", json=body)["issues"])
        return [one for one in found if not any(label.startswith("iteration:") for label in one.labels)]

    def bring(self, ticket: Ticket, number: int) -> None:
        """Move it into the active sprint, or give it the label."""
        if not self._sprints:
            self._relabel(ticket, None, number)
        elif (sprint := self._sprint("active")) is not None:
            self._into(sprint["id"], ticket.id)

    def close_by_hand(self) -> bool:
        """Complete the active sprint."""
        sprint = self._sprint("active") if self._sprints else None
        if sprint is not None:
            self._admin.send("POST", f"/rest/agile/1.0/sprint/{sprint['id']}", json={"state": "closed"})
        return sprint is not None

    def get_in_the_way(self) -> str:
        """Complete the active sprint and start another one: only one can be active."""
        if not self._sprints or not self.close_by_hand():
            return ""
        coming = self._sprint("future")
        if coming is None:
            return ""
        dates = {name: coming[name] for name in ("startDate", "endDate")}
        body = {"name": HOT_FIX, "originBoardId": self._board, **dates}
        made = self._admin.send("POST", "/rest/agile/1.0/sprint", json=body)
        self._admin.send("POST", f"/rest/agile/1.0/sprint/{made['id']}", json={"state": "active"})
        return f'somebody completes the sprint by hand and starts another, "{HOT_FIX}"'

    def fix(self) -> str:
        """Complete that sprint."""
        for sprint in self._all_sprints("active"):
            if sprint["name"] == HOT_FIX:
                self._admin.send("POST", f"/rest/agile/1.0/sprint/{sprint['id']}", json={"state": "closed"})
        return f'"{HOT_FIX}" is completed'

    def _desk(self, email: str | None) -> Desk:
        """Where this person sits; nobody in particular sits at the member's."""
        if email is None:
            return self._member
        if email not in self._desks:
            self._desks[email] = Desk(self._url, auth=(email, token_of(email)))
        return self._desks[email]

    def _go(self, ticket: Ticket, status: str, desk: Desk | None = None) -> None:
        path, desk = f"/rest/api/2/issue/{ticket.id}/transitions", desk or self._member
        ways = desk.send("GET", path)["transitions"]
        way = next(way for way in ways if way["to"]["statusCategory"]["key"] == _WAY[status])
        desk.send("POST", path, json={"transition": {"id": way["id"]}})

    def _into(self, sprint: int, issue: str) -> None:
        self._admin.send("POST", f"/rest/agile/1.0/sprint/{sprint}/issue", json={"issues": [str(issue)]})

    def _relabel(self, ticket: Ticket, was: int | None, number: int | None) -> None:
        edits = [{"remove": _label(was)}] if was is not None else []
        edits += [{"add": _label(number)}] if number is not None else []
        self._member.send("PUT", f"/rest/api/2/issue/{ticket.id}", json={"update": {"labels": edits}})

    def _account(self, email: str) -> str:
        found = self._admin.send("GET", "/rest/api/2/user/search", params={"query": email})
        return str(found[0]["accountId"])

    def _all_sprints(self, state: str) -> list[dict[str, Any]]:
        path, query = f"/rest/agile/1.0/board/{self._board}/sprint", {"state": state}
        found: list[dict[str, Any]] = self._admin.send("GET", path, params=query)["values"]
        return found

    def _sprint(self, state: str) -> dict[str, Any] | None:
        own = (sprint for sprint in self._all_sprints(state) if sprint["name"] != HOT_FIX)
        # The ids of sprints tell nothing about their order: one that was deleted by hand was made anew, later.
        return min(own, key=lambda sprint: sprint.get("startDate") or "9", default=None)

    def _in_sprint(self, sprint: dict[str, Any] | None) -> list[Ticket]:
        if sprint is None:
            return []
        path = f"/rest/agile/1.0/sprint/{sprint['id']}/issue"
        return self._tickets(self._admin.send("GET", path, params=self._page())["issues"])

    def _labelled(self, number: int) -> list[Ticket]:
        jql = f'project = {self._key} AND labels = "{_label(number)}" AND issuetype != Epic ORDER BY rank'
        body = {"jql": jql, "fields": self._shown, "maxResults": _PAGE}
        return self._tickets(self._admin.send("POST", "/rest/api/2/search/jql", json=body)["issues"])

    def _page(self) -> dict[str, Any]:
        return {"maxResults": _PAGE, "fields": ",".join(self._shown)}

    def _tickets(self, issues: Iterable[dict[str, Any]]) -> list[Ticket]:
        return [self._ticket(issue["id"], issue["key"], issue["fields"]) for issue in issues]

    def _ticket(self, number: str, key: str, fields: dict[str, Any]) -> Ticket:
        return Ticket(
            id=str(number),
            name=key,
            title=fields["summary"],
            status=_CATEGORY[fields["status"]["statusCategory"]["key"]],
            email=(fields.get("assignee") or {}).get("emailAddress"),
            labels=frozenset(fields.get("labels") or ()),
            points=float(fields.get(self._points) or _points_of(fields.get("labels") or ())),
        )


def _label(number: int) -> str:
    return f"iteration:{number}"


def _points_of(labels: Iterable[str]) -> float:
    said = (label.removeprefix("points:") for label in labels if label.startswith("points:"))
    return max((float(points) for points in said if points.isdigit()), default=0.0)
