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
    everywhere: bool = False
    """Only for those who may see all projects: it is of none, or of several."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Around one page. `at` is the key of the place that it belongs to, `form_token` proves that a form is of this
    session, `press` is new for each page that is shown: the same form sent twice has the same one. `login` is empty
    where nobody is signed in. `service` are the places of those who look after phaseloop itself."""

    login: str = ""
    at: str = ""
    form_token: str = ""
    press: str = ""
    places: tuple[Place, ...] = ()
    service: tuple[Place, ...] = ()
    reads: bool = False
    """Whether there is anything that they may go to besides these places."""


PROJECTS = "projects"
RUNS = "runs"
AUDIT = "audit"
ROOM = "room"
SCHEDULE = "schedule"
EVENTS = "events"
MESSAGES = "messages"
TEAMS = "teams"
CONNECTIONS = "connections"
TEMPLATES = "templates"
ACCOUNT = "account"
ACCESS = "access"
CHANGES = "changes"
SETTINGS = "settings"

_PLACES = (
    Place("/", "home", "Projects", PROJECTS),
    Place("/runs", "pulse", "Runs", RUNS),
    Place("/audit", "audit", "Audit", AUDIT),
    Place("/schedule", "cal", "Schedule", SCHEDULE),
    Place("/events", "bolt", "Events", EVENTS, everywhere=True),
    Place("/receivers", "bell", "Messages", MESSAGES, everywhere=True),
    Place("/templates", "tmpl", "Templates", TEMPLATES),
    Place("/teams", "team", "Teams", TEAMS),
    Place("/connections", "plug", "Connections", CONNECTIONS, everywhere=True),
)
_ROOM = Place("/room", "audit", "Auditor's room", ROOM)
"""For those who may see nothing else; others are led there from the audit."""
_SERVICE = (
    (Place("/access", "key", "Access", ACCESS), Permission.ADMINISTER),
    (Place("/changes", "log", "Change log", CHANGES), Permission.READ_LOG),
    (Place("/settings", "gear", "Settings", SETTINGS), Permission.ADMINISTER),
)
"""What is of no project, with the right that each takes."""


def around(caller: Caller, at: str, form_token: str, press: str) -> Frame:
    """The frame for somebody: it leads to what they may see."""
    shown: tuple[Place, ...] = ()
    reads = caller.may_somewhere(Permission.READ)
    if reads:
        all_of_them = caller.may(Permission.READ)
        shown = tuple(one for one in _PLACES if all_of_them or not one.everywhere)
    elif caller.may_somewhere(Permission.INSPECT):
        shown = (_ROOM,)
    service = tuple(place for place, right in _SERVICE if caller.may(right))
    return Frame(caller.actor.name, at, form_token, press, shown, service, reads)
