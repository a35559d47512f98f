"""Go to: the pages, projects and actions that a few words name, of those that somebody may see and do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted
from service.pages.frame import Place
from service.usecases.overview.portfolio import named
from service.views.setup import ProjectView

MOST = 8
"""Projects that are shown; more words find the others."""

FEW = 3
"""With so many projects or fewer, what can be done with each is shown, too."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something to go to."""

    href: str
    icon: str
    label: str
    under: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind."""

    title: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class GoPage:
    """What was found; `said` is that in a few words, for who cannot see it."""

    query: str
    groups: tuple[Group, ...]
    said: str


_ACTIONS = (
    (Hit("/projects/new", "plus", "New project"), Permission.DECIDE),
    (Hit("/?show=attention", "warn", "Projects that need someone"), Permission.READ),
    (Hit("/access#add", "plus", "Add a person"), Permission.ADMINISTER),
    (Hit("/access/tokens#add", "plus", "Make a token"), Permission.ADMINISTER),
    (Hit("/access/sessions", "team", "Who is signed in"), Permission.ADMINISTER),
    (Hit("/access/groups#add", "plus", "Give a group a role"), Permission.ADMINISTER),
    (Hit("/connections/new", "plus", "Add a connection"), Permission.ADMINISTER),
    (Hit("/events?state=failed", "bad", "Events that failed"), Permission.READ),
    (Hit("/deliveries?state=failed", "bad", "Messages that failed"), Permission.READ),
    (Hit("/receivers/new", "plus", "Add a receiver"), Permission.ADMINISTER),
    (Hit("/triggers", "bolt", "Triggers"), Permission.READ),
    (Hit("/triggers/test", "bolt", "Test a trigger"), Permission.OPERATE),
    (Hit("/changes?verify=yes", "audit", "Verify the change log"), Permission.READ_LOG),
)

_OF_PROJECT = (
    ("audit", "audit", "Audit of", "/projects/{}/audit", Permission.READ),
    ("runs", "pulse", "Runs of", "/runs?project={}", Permission.READ),
    ("schedule", "cal", "Schedule of", "/projects/{}/schedule", Permission.READ),
    ("advance", "next", "Advance", "/projects/{}/advance", Permission.OPERATE),
    ("pause", "hold", "Pause", "/projects/{}/schedule#pa", Permission.DECIDE),
    ("skip", "next", "Skip an iteration of", "/projects/{}/schedule#sk", Permission.DECIDE),
    ("freeze", "hold", "Freeze", "/projects/{}/schedule#off", Permission.DECIDE),
    ("settings", "gear", "Settings of", "/projects/{}/settings", Permission.DECIDE),
)
_USUAL = ("audit", "runs", "schedule", "advance")
"""What is shown of a project where nobody asked for one of these."""
"""What can be done with a project, by the word that asks for it."""


def page_of(context: Context, caller: Caller, places: Sequence[Place], query: str) -> GoPage:
    """What the words find; without any, the pages and actions there are."""
    words = query.casefold().split()
    verbs = {word for word, *_ in _OF_PROJECT} & set(words)
    rest = " ".join(one for one in query.split() if one.casefold() not in verbs)
    found = named(context, rest, MOST + 1) if rest or verbs else []
    projects = () if verbs else tuple(Hit(f"/projects/{one.id}", "home", one.name, one.key) for one in found[:MOST])
    of_projects = list(_of(caller, found[:MOST], verbs)) if verbs or len(found) <= FEW else []
    pages = [Hit(one.href, one.icon, one.label) for one in places]
    pages.append(Hit("/account", "team", "Your account"))
    actions = [hit for hit, right in _ACTIONS if _may(caller, hit, right)]
    groups = [
        Group("Projects", projects),
        Group("Of a project", tuple(of_projects)),
        Group("Pages", tuple(_fitting(pages, words))),
        Group("Actions", tuple(_fitting(actions, words))),
    ]
    groups = [one for one in groups if one.hits]
    number = sum(len(one.hits) for one in groups)
    more = "; more projects fit, add a word" if len(found) > MOST else ""
    return GoPage(query, tuple(groups), f"{counted(number, 'result')}{more}." if number else "Nothing fits.")


def _may(caller: Caller, hit: Hit, right: Permission) -> bool:
    return caller.may_somewhere(right) if hit.href.startswith("/?") else caller.may(right)


def _fitting(hits: Iterable[Hit], words: Sequence[str]) -> Iterable[Hit]:
    return (one for one in hits if all(word in one.label.casefold() for word in words))


def _of(caller: Caller, found: Sequence[ProjectView], verbs: set[str]) -> Iterable[Hit]:
    for one in found:
        for word, icon, label, path, right in _OF_PROJECT:
            if word in (verbs or _USUAL) and caller.may(right, one.id):
                yield Hit(path.format(one.id), icon, f"{label} {one.name}", one.key)
