"""People at work in a tracker, past the connector: what they do there by hand, in each tracker's own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import httpx

from connectors.tracker import Place, RemoteRef


class Person(Protocol):
    """Somebody who works with the items that phaseloop made."""

    def comments(self, ref: RemoteRef) -> None:
        """Write a comment."""

    def attaches(self, ref: RemoteRef) -> None:
        """Attach a file."""

    def retitles(self, ref: RemoteRef, title: str) -> None:
        """Give it another title."""

    def begins(self, ref: RemoteRef) -> None:
        """Move it to where work is under way."""

    def finishes(self, ref: RemoteRef) -> None:
        """Move it to where work is done."""

    def adds_a_ticket(
        self,
        place: Place,
        *,
        epic: RemoteRef | None = None,
        iteration: RemoteRef | None = None,
        labels: Sequence[str] = (),
    ) -> RemoteRef:
        """Make a ticket of their own, perhaps in an epic or an iteration; `labels` where labels say which."""

    def deletes(self, ref: RemoteRef) -> None:
        """Delete an epic or a ticket."""


class JiraPerson:
    """A member of the Jira site; tickets of their own are made by an administrator, who may do so in every project."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, path: str, *, admin: bool = False, **more: Any) -> Any:
        """One request as this person; the answer's JSON, None where there is none."""
        auth = ("demo@example.com", "sandbox-token") if admin else ("member@example.com", "member-token")
        answer = httpx.request(method, f"{self.url}/rest/{path}", auth=auth, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def comments(self, ref: RemoteRef) -> None:
        self.send("POST", f"api/2/issue/{ref.id}/comment", json={"body": "I looked into it."})

    def attaches(self, ref: RemoteRef) -> None:
        headers = {"X-Atlassian-Token": "no-check"}
        path = f"api/2/issue/{ref.id}/attachments"
        self.send("POST", path, headers=headers, files={"file": ("notes.txt", b"What I found.")})

    def retitles(self, ref: RemoteRef, title: str) -> None:
        self.send("PUT", f"api/2/issue/{ref.id}", json={"fields": {"summary": title}})

    def begins(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "indeterminate")

    def finishes(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "done")

    def _goes_to(self, ref: RemoteRef, category: str) -> None:
        path = f"api/2/issue/{ref.id}/transitions"
        ways = self.send("GET", path)["transitions"]
        way = next(one for one in ways if one["to"]["statusCategory"]["key"] == category)
        self.send("POST", path, json={"transition": {"id": way["id"]}})

    def adds_a_ticket(
        self,
        place: Place,
        *,
        epic: RemoteRef | None = None,
        iteration: RemoteRef | None = None,
        labels: Sequence[str] = (),
    ) -> RemoteRef:
        fields: dict[str, Any] = {
            "project": {"id": place.ref.id},
            "issuetype": {"id": place.facts["ticket"]["id"]},
            "summary": "My own ticket",
        }
        if epic is not None:
            fields["parent"] = {"id": epic.id}
        if labels:
            fields["labels"] = list(labels)
        made = self.send("POST", "api/2/issue", admin=True, json={"fields": fields})
        if iteration is not None:
            path = f"agile/1.0/sprint/{iteration.id}/issue"
            self.send("POST", path, admin=True, json={"issues": [made["key"]]})
        return RemoteRef(str(made["id"]), made["key"], place.ref.url.replace(place.ref.key, made["key"]))

    def deletes(self, ref: RemoteRef) -> None:
        self.send("DELETE", f"api/2/issue/{ref.id}", admin=True)


class TrelloPerson:
    """A member of the board; tickets of their own are made by its admin, because a new board has no other members."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, path: str, *, admin: bool = False, **more: Any) -> Any:
        """One request as this person; the answer's JSON."""
        token = "sandbox-token" if admin else "member-token"
        header = {"Authorization": f'OAuth oauth_consumer_key="sandbox-key", oauth_token="{token}"'}
        answer = httpx.request(method, f"{self.url}/1/{path}", headers=header, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def comments(self, ref: RemoteRef) -> None:
        self.send("POST", f"cards/{ref.id}/actions/comments", json={"text": "I looked into it."})

    def attaches(self, ref: RemoteRef) -> None:
        self.send("POST", f"cards/{ref.id}/attachments", files={"file": ("notes.txt", b"What I found.")})

    def retitles(self, ref: RemoteRef, title: str) -> None:
        self.send("PUT", f"cards/{ref.id}", json={"name": title})

    def begins(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "Doing")

    def finishes(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "Done")

    def _goes_to(self, ref: RemoteRef, name: str) -> None:
        board = self.send("GET", f"cards/{ref.id}", params={"fields": "idBoard"})["idBoard"]
        lists = self.send("GET", f"boards/{board}/lists")
        self.send("PUT", f"cards/{ref.id}", json={"idList": next(one["id"] for one in lists if one["name"] == name)})

    def adds_a_ticket(
        self,
        place: Place,
        *,
        epic: RemoteRef | None = None,
        iteration: RemoteRef | None = None,
        labels: Sequence[str] = (),
    ) -> RemoteRef:
        lists = self.send("GET", f"boards/{place.ref.id}/lists", admin=True)
        body: dict[str, Any] = {"idList": lists[0]["id"], "name": "My own card"}
        if iteration is not None:
            turn = self.send("GET", f"cards/{iteration.id}", admin=True, params={"fields": "idLabels"})
            body["idLabels"] = ",".join(turn["idLabels"])
        card = self.send("POST", "cards", admin=True, json=body)
        if epic is not None:
            self.send("POST", f"cards/{card['id']}/attachments", admin=True, json={"url": epic.url})
        return RemoteRef(card["id"], card["shortLink"], card["shortUrl"])

    def deletes(self, ref: RemoteRef) -> None:
        self.send("DELETE", f"cards/{ref.id}", admin=True)
