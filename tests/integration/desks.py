"""What people do in each tracker by hand, past phaseloop: find, rename, delete, make, move. For tests about drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tests import plain
from tests.integration.conftest import Installation


class Desk(Protocol):
    """Somebody's place of work in a tracker that has one project, ML."""

    connect: Callable[[Installation], None]

    def titles(self) -> Counter[str]:
        """The titles of all epics and tickets."""

    def key(self, title: str) -> str:
        """What the tracker calls the item of that title."""

    def retitle(self, title: str, to: str) -> None: ...

    def label(self, title: str, label: str) -> None:
        """Add a label."""

    def labels(self, title: str) -> set[str]: ...

    def unassign(self, title: str) -> None: ...

    def assigned(self, title: str) -> bool: ...

    def delete(self, title: str) -> None:
        """Delete an epic or a ticket."""

    def move_away(self, title: str) -> str:
        """Move a ticket to another project; what people call it there."""

    def make(self, title: str) -> str:
        """Make a ticket; the tracker's key of it."""

    def epic_of(self, title: str) -> str | None:
        """The title of a ticket's epic."""

    def iteration_of(self, title: str) -> str | None:
        """The title of a ticket's iteration."""

    def delete_iteration(self, title: str) -> None: ...

    def delete_project(self) -> None:
        """Delete it for good, or as much so as the tracker can."""

    def item_of(self, title: str) -> str | None:
        """The key of ours in the marker that it carries."""


@dataclass
class JiraDesk:
    """At work in Jira."""

    url: str

    def connect(self, installation: Installation) -> None:
        installation.connect(self.url)

    def send(self, method: str, path: str, **more: Any) -> Any:
        answer = plain.request(
            method, f"{self.url}/rest/{path}", auth=("demo@example.com", "sandbox-token"), timeout=30, **more
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def issues(self) -> dict[str, dict[str, Any]]:
        body = {"jql": "project = ML ORDER BY key", "fields": ["*all"], "properties": ["phaseloop"], "maxResults": 100}
        found = self.send("POST", "api/2/search/jql", json=body)["issues"]
        return {issue["fields"]["summary"]: issue for issue in found}

    def titles(self) -> Counter[str]:
        body = {"jql": "project = ML", "fields": ["summary"], "maxResults": 100}
        found = self.send("POST", "api/2/search/jql", json=body)["issues"]
        return Counter(issue["fields"]["summary"] for issue in found)

    def key(self, title: str) -> str:
        return str(self.issues()[title]["key"])

    def edit(self, title: str, **body: Any) -> None:
        self.send("PUT", f"api/2/issue/{self.key(title)}", json=body)

    def retitle(self, title: str, to: str) -> None:
        self.edit(title, fields={"summary": to})

    def label(self, title: str, label: str) -> None:
        self.edit(title, update={"labels": [{"add": label}]})

    def labels(self, title: str) -> set[str]:
        return set(self.issues()[title]["fields"]["labels"])

    def unassign(self, title: str) -> None:
        self.edit(title, fields={"assignee": None})

    def assigned(self, title: str) -> bool:
        return self.issues()[title]["fields"]["assignee"] is not None

    def delete(self, title: str) -> None:
        self.send("DELETE", f"api/2/issue/{self.key(title)}")

    def move_away(self, title: str) -> str:
        key = self.key(title)
        types = self.send("GET", "api/2/project/SCRUM")["issueTypes"]
        target = f"SCRUM,{next(one['id'] for one in types if one['name'] == 'Task')}"
        moving = {"issueIdsOrKeys": [key], "inferFieldDefaults": True, "inferStatusDefaults": True}
        self.send("POST", "api/3/bulk/issues/move", json={"targetToSourcesMapping": {target: moving}})
        return str(self.send("GET", f"api/2/issue/{key}")["key"])

    def make(self, title: str) -> str:
        fields = {"project": {"key": "ML"}, "issuetype": {"name": "Task"}, "summary": title}
        return str(self.send("POST", "api/2/issue", json={"fields": fields})["key"])

    def epic_of(self, title: str) -> str | None:
        parent = self.issues()[title]["fields"].get("parent")
        return next((name for name, one in self.issues().items() if parent and one["id"] == parent["id"]), None)

    def sprints(self) -> dict[str, int]:
        board = self.send("GET", "agile/1.0/board", params={"projectKeyOrId": "ML"})["values"][0]
        found = self.send("GET", f"agile/1.0/board/{board['id']}/sprint")["values"]
        return {sprint["name"]: sprint["id"] for sprint in found}

    def iteration_of(self, title: str) -> str | None:
        for name, number in self.sprints().items():
            found = self.send("GET", f"agile/1.0/sprint/{number}/issue", params={"fields": "summary"})["issues"]
            if title in {issue["fields"]["summary"] for issue in found}:
                return name
        return None

    def delete_iteration(self, title: str) -> None:
        self.send("DELETE", f"agile/1.0/sprint/{self.sprints()[title]}")

    def delete_project(self) -> None:
        self.send("DELETE", "api/2/project/ML", params={"enableUndo": "false"})

    def item_of(self, title: str) -> str | None:
        marker = self.issues()[title].get("properties", {}).get("phaseloop")
        return marker["key"] if marker else None


@dataclass
class TrelloDesk:
    """At work in Trello."""

    url: str

    def connect(self, installation: Installation) -> None:
        add = (
            "connections",
            "add",
            "trello",
            "--kind",
            "trello",
            "--url",
            self.url,
            "--key",
            "sandbox-key",
            "--invite",
        )
        installation.ok(*add, stdin="sandbox-token")

    def send(self, method: str, path: str, **more: Any) -> Any:
        header = {"Authorization": 'OAuth oauth_consumer_key="sandbox-key", oauth_token="sandbox-token"'}
        answer = plain.request(method, f"{self.url}/1/{path}", headers=header, timeout=30, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def board(self) -> str:
        boards = self.send("GET", "members/me/boards", params={"fields": "name,closed"})
        return str(next(one["id"] for one in boards if one["name"] == "ML" and not one["closed"]))

    def all_cards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.send(
            "GET", f"boards/{self.board()}/cards", params={"filter": "all", "attachments": "true"}
        )
        return found

    def cards(self) -> dict[str, dict[str, Any]]:
        return {card["name"]: card for card in self.all_cards()}

    def titles(self) -> Counter[str]:
        return Counter(card["name"] for card in self.all_cards() if not card["name"].startswith("Small "))

    def key(self, title: str) -> str:
        return str(self.cards()[title]["shortLink"])

    def edit(self, title: str, **body: Any) -> None:
        self.send("PUT", f"cards/{self.cards()[title]['id']}", json=body)

    def retitle(self, title: str, to: str) -> None:
        self.edit(title, name=to)

    def label(self, title: str, label: str) -> None:
        self.send("POST", f"cards/{self.cards()[title]['id']}/labels", json={"name": label, "color": "red"})

    def labels(self, title: str) -> set[str]:
        return {label["name"] for label in self.cards()[title]["labels"]}

    def unassign(self, title: str) -> None:
        self.edit(title, idMembers="")

    def assigned(self, title: str) -> bool:
        return bool(self.cards()[title]["idMembers"])

    def delete(self, title: str) -> None:
        self.send("DELETE", f"cards/{self.cards()[title]['id']}")

    def move_away(self, title: str) -> str:
        other = self.send("POST", "boards", json={"name": "Theirs"})["id"]
        column = self.send("POST", "lists", json={"name": "In", "idBoard": other})["id"]
        moved = self.send("PUT", f"cards/{self.cards()[title]['id']}", json={"idBoard": other, "idList": column})
        return str(moved["shortLink"])

    def make(self, title: str) -> str:
        lists = self.send("GET", f"boards/{self.board()}/lists")
        return str(self.send("POST", "cards", json={"idList": lists[1]["id"], "name": title})["shortLink"])

    def epic_of(self, title: str) -> str | None:
        cards = self.cards()
        links = " ".join(one["url"] for one in cards[title]["attachments"])
        return next((name for name, one in cards.items() if one["shortLink"] in links), None)

    def iteration_of(self, title: str) -> str | None:
        return next((label for label in self.labels(title) if label.startswith("Small ")), None)

    def delete_iteration(self, title: str) -> None:
        self.delete(title)

    def delete_project(self) -> None:
        self.send("PUT", f"boards/{self.board()}", json={"closed": True})

    def item_of(self, title: str) -> str | None:
        _, mark, rest = self.cards()[title]["desc"].rpartition("(phaseloop ")
        return rest.split()[1].rstrip(")") if mark else None
