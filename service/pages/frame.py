"""What is around every page: who is signed in, where one can go, and what its forms carry."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.access.identity import Caller
from service.domain.access.roles import Permission


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the navigation."""

    href: str
    icon: str
    label: str
    key: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Around one page. `at` is the key of the place that it belongs to, `form_token` proves that a form is of this
    session, `press` is new for each page that is shown: the same form sent twice has the same one. `login` is empty
    where nobody is signed in."""

    login: str = ""
    at: str = ""
    form_token: str = ""
    press: str = ""
    places: tuple[Place, ...] = ()


PROJECTS = "projects"
RUNS = "runs"
AUDIT = "audit"
TEMPLATES = "templates"
ACCOUNT = "account"

_PLACES = (
    Place("/", "home", "Projects", PROJECTS),
    Place("/runs", "pulse", "Runs", RUNS),
    Place("/audit", "audit", "Audit", AUDIT),
    Place("/templates", "tmpl", "Templates", TEMPLATES),
)


def around(caller: Caller, at: str, form_token: str, press: str) -> Frame:
    """The frame for somebody: it leads to what they may see."""
    shown = _PLACES if caller.may_somewhere(Permission.READ) else ()
    return Frame(login=caller.actor.name, at=at, form_token=form_token, press=press, places=shown)
