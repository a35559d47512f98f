"""Somebody who works in the tracker by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from connectors.records import Attachment, Tick, WebLink
from connectors.values import ItemKind, Place, RemoteRef
from tests.contract.memory_tracker.site import MEMBER, Site, Thing


class MemoryPerson:
    """A member of the site; see `tests.contract.people.Person`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def account(self) -> str:
        return self._site.tokens[MEMBER][0]

    def _thing(self, ref: RemoteRef) -> Thing:
        return self._site.things[ref.id]

    def joins(self, place: Place) -> None:
        """Nothing: everybody on the site works in new projects."""

    def comments(self, ref: RemoteRef) -> None:
        self.says(ref, "I looked into it.")

    def says(self, ref: RemoteRef, text: str) -> str:
        return self._site.say(self._thing(ref), text, self.account)

    def corrects(self, ref: RemoteRef, comment: str, text: str) -> None:
        said = self._thing(ref).comments
        at = next(number for number, one in enumerate(said) if one.id == comment)
        said[at] = replace(said[at], text=text, edited_at=self._site.now())

    def calls(self, account: str) -> str:
        return f"@{account}"

    def waits(self) -> None:
        self._site.later += timedelta(hours=1)

    def hears(self, ref: RemoteRef) -> list[str]:
        return [one.text for one in self._thing(ref).comments]

    def writes(self, ref: RemoteRef, text: str) -> None:
        self._site.write(self._thing(ref), text, self.account)

    def links(self, ref: RemoteRef, url: str, title: str) -> None:
        self._thing(ref).links.append(WebLink(url, title, self.account, self._site.now()))

    def ticks(self, ref: RemoteRef, line: str) -> None:
        name, now = self._site.accounts[self.account].name, self._site.now()
        thing = self._thing(ref)
        ticked = Tick(line, done=True, by=self.account, person=name, at=now)
        thing.checklist = [ticked if one.text == line else one for one in thing.checklist]

    def attaches(self, ref: RemoteRef) -> None:
        url, now = f"{self._site.page(ref.id)}/notes.txt", self._site.now()
        self._thing(ref).files.append(Attachment("notes.txt", url, "text/plain", 13, self.account, now))

    def retitles(self, ref: RemoteRef, title: str) -> None:
        self._thing(ref).title = title
        self._thing(ref).edited.add("title")

    def begins(self, ref: RemoteRef) -> None:
        self._site.step(self._thing(ref), "doing", self.account)

    def finishes(self, ref: RemoteRef) -> None:
        self._site.step(self._thing(ref), "done", self.account)

    def reopens(self, ref: RemoteRef) -> None:
        self._site.step(self._thing(ref), "todo", self.account)

    def adds_a_ticket(
        self,
        place: Place,
        *,
        epic: RemoteRef | None = None,
        iteration: RemoteRef | None = None,
        labels: Sequence[str] = (),
    ) -> RemoteRef:
        project = self._site.projects[place.ref.id]
        made = self._site.make(project, ItemKind.TICKET, "My own ticket", self.account)
        made.labels = set(labels)
        made.epic = epic.id if epic is not None else None
        made.iteration = iteration.id if iteration is not None else None
        return RemoteRef(made.id, made.key, self._site.page(made.id))

    def deletes(self, ref: RemoteRef) -> None:
        self._site.drop(ref.id)

    def moves(self, ref: RemoteRef, to: Place) -> None:
        self._thing(ref).project = to.ref.id

    def spellings(self, place: Place) -> list[str]:
        key = self._site.projects[place.ref.id].key
        return [key, key.lower(), f" {key} ", place.ref.id, place.ref.url]

    def renames_the_project(self, place: Place) -> str:
        project = self._site.projects[place.ref.id]
        project.key += "X"
        return project.key

    def empties_the_trash(self, place: Place) -> None:
        """Nothing: a deleted project's key is free."""
