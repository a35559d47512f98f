"""The team at work in Jira, by plain HTTP: what is in which sprint, tickets done, sprints started by hand."""

from __future__ import annotations

from typing import Any

from tests.integration.desks import JiraDesk


class JiraTeam(JiraDesk):
    """People of the project ML."""

    def board(self) -> int:
        return int(self.send("GET", "agile/1.0/board", params={"projectKeyOrId": "ML"})["values"][0]["id"])

    def sprint(self, title: str) -> dict[str, Any]:
        found = self.send("GET", f"agile/1.0/board/{self.board()}/sprint")["values"]
        return next(dict(sprint) for sprint in found if sprint["name"] == title)

    def all_sprints(self) -> dict[str, dict[str, Any]]:
        found = self.send("GET", f"agile/1.0/board/{self.board()}/sprint")["values"]
        return {sprint["name"]: sprint for sprint in found}

    def states(self) -> dict[str, str]:
        found = self.send("GET", f"agile/1.0/board/{self.board()}/sprint")["values"]
        return {sprint["name"]: sprint["state"] for sprint in found}

    def inside(self, title: str) -> set[str]:
        """The titles of the tickets in a sprint."""
        number = self.sprint(title)["id"]
        found = self.send("GET", f"agile/1.0/sprint/{number}/issue", params={"fields": "summary", "maxResults": 100})
        return {issue["fields"]["summary"] for issue in found["issues"]}

    def bring(self, title: str, status: str) -> None:
        """Move a ticket to a status: To Do, In Progress, Done."""
        key = self.key(title)
        found = self.send("GET", f"api/2/issue/{key}/transitions")["transitions"]
        chosen = next(one["id"] for one in found if one["to"]["name"] == status)
        self.send("POST", f"api/2/issue/{key}/transitions", json={"transition": {"id": chosen}})

    def status(self, title: str) -> str:
        """How a ticket stands."""
        return str(self.issues()[title]["fields"]["status"]["name"])

    def finish(self, *titles: str) -> None:
        for title in titles:
            self.bring(title, "Done")

    def put_into(self, title: str, *tickets: str) -> None:
        """Move tickets into a sprint by hand."""
        keys = [self.key(ticket) for ticket in tickets]
        self.send("POST", f"agile/1.0/sprint/{self.sprint(title)['id']}/issue", json={"issues": keys})

    def set_state(self, title: str, state: str) -> None:
        """Start or complete a sprint by hand."""
        sprint = self.sprint(title)
        dates = {"startDate": sprint["startDate"], "endDate": sprint["endDate"]}
        self.send("POST", f"agile/1.0/sprint/{sprint['id']}", json={"state": state, **dates})

    def make_sprint(self, title: str) -> None:
        dates = {"startDate": "2026-03-01T09:00:00.000Z", "endDate": "2026-03-20T09:00:00.000Z"}
        self.send("POST", "agile/1.0/sprint", json={"name": title, "originBoardId": self.board(), **dates})

    def assignee(self, title: str) -> str | None:
        who = self.issues()[title]["fields"]["assignee"]
        return who["emailAddress"] if who else None

    def leave(self, email: str) -> None:
        """Take a person's account off the site."""
        found = self.send("GET", "api/2/user/search", params={"query": email})
        self.send("DELETE", "api/2/user", params={"accountId": found[0]["accountId"]})
