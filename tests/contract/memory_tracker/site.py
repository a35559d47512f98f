"""What the tracker keeps: accounts, projects, and things in them. Shared by everything in this process, by its name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.errors import CredentialsRefused
from connectors.records import Attachment, Comment, Edit, Step, Tick, WebLink, text_digest
from connectors.values import Account, ItemKey, ItemKind

OWNER, MEMBER, VIEWER = "owner-token", "member-token", "viewer-token"


@dataclass
class Project:
    """A project; one that was deleted can be put back by hand."""

    id: str
    key: str
    title: str
    deleted: bool = False
    numbered: int = 0


@dataclass
class Thing:
    """An epic, an iteration or a ticket. `mark` says whose it is: our project's id and the item's key."""

    id: str
    key: str
    kind: ItemKind
    project: str
    title: str
    by: str
    at: datetime
    mark: tuple[str, ItemKey] | None = None
    type: str = "task"
    text: str = ""
    status: str = "todo"
    labels: set[str] = field(default_factory=set)
    assignee: str | None = None
    points: float | None = None
    priority: str | None = None
    epic: str | None = None
    iteration: str | None = None
    goal: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    checklist: list[Tick] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    links: list[WebLink] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    edited: set[str] = field(default_factory=set)


class Site:
    """One site. Whoever reads or writes holds the lock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = f"http://{name}.example.com"
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, tuple[str, bool]] = {}
        self.projects: dict[str, Project] = {}
        self.things: dict[str, Thing] = {}
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.later = timedelta()
        self._last = 100
        for token, email in (
            (OWNER, "owner@example.com"),
            (MEMBER, "member@example.com"),
            (VIEWER, "viewer@example.com"),
        ):
            self.tokens[token] = self.admit(email).id, token != VIEWER

    def admit(self, email: str, name: str = "", *, active: bool = True) -> Account:
        """Let somebody in."""
        made = Account(f"user-{len(self.accounts) + 1}", name or email.partition("@")[0], email, active)
        self.accounts[made.id] = made
        return made

    def who(self, token: str) -> tuple[Account, bool]:
        """Whose token it is, and whether it may write. Raises CredentialsRefused."""
        if token not in self.tokens:
            raise CredentialsRefused(f"{self.name} does not accept the token.", fix="Replace the connection's token.")
        account, writes = self.tokens[token]
        return self.accounts[account], writes

    def now(self) -> datetime:
        """The present instant, by the site's clock."""
        return self.clock() + self.later

    def number(self) -> str:
        """An id that no other thing or project has; later ones are greater."""
        self._last += 1
        return str(self._last)

    def project(self, name: str) -> Project | None:
        """The project of that key, id or address."""
        wanted = name.strip().rstrip("/").casefold()
        there = (one for one in self.projects.values() if not one.deleted)
        return next((one for one in there if wanted in (one.key.casefold(), one.id, self.page(one.id))), None)

    def page(self, number: str) -> str:
        """The address of a project or a thing."""
        return f"{self.address}/{number}"

    def make(self, project: Project, kind: ItemKind, title: str, by: str) -> Thing:
        """A new thing of a project."""
        project.numbered += 1
        status = "future" if kind is ItemKind.ITERATION else "todo"
        key = f"{project.key}-{project.numbered}"
        made = Thing(self.number(), key, kind, project.id, title, by, self.now(), status=status)
        self.things[made.id] = made
        return made

    def within(self, project: str) -> Iterator[Thing]:
        """What is in a project, unless that is gone."""
        found = self.projects.get(project)
        if found is not None and not found.deleted:
            yield from (one for one in self.things.values() if one.project == project)

    def write(self, thing: Thing, text: str, by: str) -> None:
        """Replace a thing's text."""
        if text.strip() != thing.text:
            thing.text = text.strip()
            thing.edited.add("text")
            thing.edits.append(Edit(by, self.accounts[by].name, self.now(), text_digest(thing.text)))

    def step(self, thing: Thing, status: str, by: str) -> None:
        """Bring a ticket to a status."""
        if thing.status != status:
            thing.status = status
            thing.steps.append(Step(status, by, self.accounts[by].name, self.now()))

    def say(self, thing: Thing, text: str, by: str) -> str:
        """Say something on a ticket; the comment's id."""
        thing.comments.append(Comment(self.number(), by, self.accounts[by].name, text, self.now()))
        return thing.comments[-1].id

    def drop(self, number: str) -> None:
        """Remove a thing; what is in it stays."""
        self.things.pop(number, None)
        for one in self.things.values():
            one.epic = None if one.epic == number else one.epic
            one.iteration = None if one.iteration == number else one.iteration
            one.waits_for = [other for other in one.waits_for if other != number]


SITES: dict[str, Site] = {}


def site_of(name: str) -> Site:
    """The site of that name, made when it is asked for first."""
    return SITES.setdefault(name, Site(name))
