"""People at work in a tracker, past the connector: what they do there by hand, in each tracker's own way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from connectors.values import Place, RemoteRef
from tests import plain


class Person(Protocol):
    """Somebody who works with the items that phaseloop made."""

    @property
    def account(self) -> str:
        """The id of their account."""

    def joins(self, place: Place) -> None:
        """Become a member of a new project, where its maker does not let everybody in."""

    def comments(self, ref: RemoteRef) -> None:
        """Write a comment."""

    def says(self, ref: RemoteRef, text: str) -> str:
        """Write this comment; its id."""

    def corrects(self, ref: RemoteRef, comment: str, text: str) -> None:
        """Change a comment of their own."""

    def calls(self, account: str) -> str:
        """How a text names somebody so that the tracker notifies them."""

    def waits(self) -> None:
        """Let an hour go by."""

    def hears(self, ref: RemoteRef) -> list[str]:
        """The comments on it, oldest first, as the tracker keeps them."""

    def writes(self, ref: RemoteRef, text: str) -> None:
        """Replace its text; of Markdown, headings of the second level and links are known."""

    def links(self, ref: RemoteRef, url: str, title: str) -> None:
        """Put a web address on it, beside its text."""

    def ticks(self, ref: RemoteRef, line: str) -> None:
        """Tick a line of its checklist."""

    def attaches(self, ref: RemoteRef) -> None:
        """Attach a file."""

    def retitles(self, ref: RemoteRef, title: str) -> None:
        """Give it another title."""

    def begins(self, ref: RemoteRef) -> None:
        """Move it to where work is under way."""

    def finishes(self, ref: RemoteRef) -> None:
        """Move it to where work is done."""

    def reopens(self, ref: RemoteRef) -> None:
        """Move it back to where nothing was begun."""

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

    def moves(self, ref: RemoteRef, to: Place) -> None:
        """Move a ticket to another project."""

    def spellings(self, place: Place) -> list[str]:
        """Every way in which people name a project."""

    def renames_the_project(self, place: Place) -> str:
        """Give a project another key, or its board another name; the new one."""

    def empties_the_trash(self, place: Place) -> None:
        """Have nothing left of a deleted project that keeps its key from being used again."""


def an_hour_later(url: str) -> None:
    """Move the clock of a sandbox on."""
    plain.post(f"{url}/sandbox/clock", json={"advanceSeconds": 3600}).raise_for_status()


class JiraPerson:
    """A member of the Jira site; tickets of their own are made by an administrator, who may do so in every project."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, path: str, *, admin: bool = False, **more: Any) -> Any:
        """One request as this person; the answer's JSON, None where there is none."""
        auth = ("demo@example.com", "sandbox-token") if admin else ("member@example.com", "member-token")
        answer = plain.request(method, f"{self.url}/rest/{path}", auth=auth, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    @property
    def account(self) -> str:
        return str(self.send("GET", "api/2/myself")["accountId"])

    def joins(self, place: Place) -> None:
        """Nothing: everybody on the site works in new projects."""

    def comments(self, ref: RemoteRef) -> None:
        self.says(ref, "I looked into it.")

    def says(self, ref: RemoteRef, text: str) -> str:
        return str(self.send("POST", f"api/2/issue/{ref.id}/comment", json={"body": text})["id"])

    def corrects(self, ref: RemoteRef, comment: str, text: str) -> None:
        self.send("PUT", f"api/2/issue/{ref.id}/comment/{comment}", json={"body": text})

    def calls(self, account: str) -> str:
        return f"[~accountid:{account}]"

    def waits(self) -> None:
        an_hour_later(self.url)

    def hears(self, ref: RemoteRef) -> list[str]:
        return [str(one["body"]) for one in self.send("GET", f"api/2/issue/{ref.id}/comment")["comments"]]

    def writes(self, ref: RemoteRef, text: str) -> None:
        wiki = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"[\1|\2]", re.sub(r"^## ", "h2. ", text, flags=re.MULTILINE))
        self.send("PUT", f"api/2/issue/{ref.id}", json={"fields": {"description": wiki}})

    def links(self, ref: RemoteRef, url: str, title: str) -> None:
        self.send("POST", f"api/2/issue/{ref.id}/remotelink", json={"object": {"url": url, "title": title}})

    def ticks(self, ref: RemoteRef, line: str) -> None:
        raise NotImplementedError("Jira has no checklists")

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

    def reopens(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "new")

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

    def moves(self, ref: RemoteRef, to: Place) -> None:
        target = f"{to.ref.key},{to.facts['ticket']['id']}"
        mapping = {target: {"issueIdsOrKeys": [ref.key], "inferFieldDefaults": True, "inferStatusDefaults": True}}
        self.send("POST", "api/3/bulk/issues/move", admin=True, json={"targetToSourcesMapping": mapping})

    def spellings(self, place: Place) -> list[str]:
        key = place.ref.key
        site = place.ref.url.partition("/browse/")[0]
        addresses = [place.ref.url, f"{site}/jira/software/c/projects/{key}/boards/1?selectedIssue={key}-1"]
        return [key, key.lower(), f" {key} ", place.ref.id, *addresses]

    def renames_the_project(self, place: Place) -> str:
        found = self.send("PUT", f"api/2/project/{place.ref.id}", admin=True, json={"key": f"{place.ref.key}X"})
        return str(found["key"])

    def empties_the_trash(self, place: Place) -> None:
        self.send("POST", f"api/2/project/{place.ref.id}/restore", admin=True)
        self.send("DELETE", f"api/2/project/{place.ref.id}?enableUndo=false", admin=True)


class TrelloPerson:
    """A member of the board; tickets of their own are made by its admin, because a new board has no other members."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, path: str, *, admin: bool = False, **more: Any) -> Any:
        """One request as this person; the answer's JSON."""
        token = "sandbox-token" if admin else "member-token"
        header = {"Authorization": f'OAuth oauth_consumer_key="sandbox-key", oauth_token="{token}"'}
        answer = plain.request(method, f"{self.url}/1/{path}", headers=header, **more)
        assert answer.is_success, answer.text
        return answer.json()

    @property
    def account(self) -> str:
        return str(self.send("GET", "members/me", params={"fields": "id"})["id"])

    def joins(self, place: Place) -> None:
        path = f"boards/{place.ref.id}/members/{self.account}"
        self.send("PUT", path, admin=True, json={"type": "normal"})

    def comments(self, ref: RemoteRef) -> None:
        self.says(ref, "I looked into it.")

    def says(self, ref: RemoteRef, text: str) -> str:
        return str(self.send("POST", f"cards/{ref.id}/actions/comments", json={"text": text})["id"])

    def corrects(self, ref: RemoteRef, comment: str, text: str) -> None:
        self.send("PUT", f"cards/{ref.id}/actions/{comment}/comments", json={"text": text})

    def calls(self, account: str) -> str:
        return f"@{self.send('GET', f'members/{account}', params={'fields': 'username'})['username']}"

    def waits(self) -> None:
        an_hour_later(self.url)

    def hears(self, ref: RemoteRef) -> list[str]:
        said = self.send("GET", f"cards/{ref.id}/actions", params={"filter": "commentCard", "limit": 1000})
        return [str(one["data"]["text"]) for one in reversed(said)]

    def writes(self, ref: RemoteRef, text: str) -> None:
        self.send("PUT", f"cards/{ref.id}", json={"desc": text})

    def links(self, ref: RemoteRef, url: str, title: str) -> None:
        self.send("POST", f"cards/{ref.id}/attachments", json={"url": url, "name": title})

    def ticks(self, ref: RemoteRef, line: str) -> None:
        lists = self.send("GET", f"cards/{ref.id}/checklists")
        item = next(one["id"] for each in lists for one in each["checkItems"] if one["name"] == line)
        self.send("PUT", f"cards/{ref.id}/checkItem/{item}", json={"state": "complete"})

    def attaches(self, ref: RemoteRef) -> None:
        self.send("POST", f"cards/{ref.id}/attachments", files={"file": ("notes.txt", b"What I found.")})

    def retitles(self, ref: RemoteRef, title: str) -> None:
        self.send("PUT", f"cards/{ref.id}", json={"name": title})

    def begins(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "Doing")

    def finishes(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "Done")

    def reopens(self, ref: RemoteRef) -> None:
        self._goes_to(ref, "To Do")

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

    def moves(self, ref: RemoteRef, to: Place) -> None:
        column = self.send("POST", "lists", json={"name": "Theirs", "idBoard": to.ref.id})["id"]
        self.send("PUT", f"cards/{ref.id}", json={"idBoard": to.ref.id, "idList": column})

    def spellings(self, place: Place) -> list[str]:
        board = self.send("GET", f"boards/{place.ref.id}", admin=True, params={"fields": "name,shortLink,url"})
        name, link = board["name"], board["shortLink"]
        addresses = [board["url"], f"https://trello.com/b/{link}/of-old", f"trello.com/b/{link}"]
        return [name, name.upper(), f"  {name} ", link, place.ref.id, *addresses]

    def renames_the_project(self, place: Place) -> str:
        name = self.send("GET", f"boards/{place.ref.id}", admin=True)["name"]
        return str(self.send("PUT", f"boards/{place.ref.id}", admin=True, json={"name": f"{name} of old"})["name"])

    def empties_the_trash(self, place: Place) -> None:
        """Nothing: a closed board's name is free."""
