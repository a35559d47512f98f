"""Values of the pages for those who look after the service, full of what people may have written."""

from __future__ import annotations

from typing import Any

from service.pages.access import (
    GroupsPage,
    PeoplePage,
    PersonLine,
    PersonPage,
    RoleLine,
    RuleLine,
    Secret,
    SessionLine,
    SessionsPage,
    Tab,
    TokenLine,
    TokensPage,
)
from service.pages.audit import MatrixRow
from service.pages.changes import ChangeLine, ChangesPage, Difference, Proof
from service.pages.go import GoPage, Group, Hit
from service.pages.moments import Moment
from service.pages.new_project import Choice, Field
from service.pages.project_settings import ProjectSettingsPage
from service.pages.room import (
    DrawnLine,
    QuestionLine,
    RoomLine,
    RoomPage,
    RoomsPage,
    SaidLine,
    SampleShown,
)
from service.pages.settings import SettingLine, SettingsPage
from service.pages.signs import Sign

EVIL = "<script>alert('1')</script>"
AT = Moment("2027-01-21T13:57:00+01:00", "13:57 +01:00", "in 4 days")
BAD = Sign("bad", "bad", EVIL)
TABS = (Tab("/access", "People", here=True),)
FIELDS = (
    Field("login", "Login", EVIL, error=EVIL, help=EVIL),
    Field("role", "Role", EVIL, "choice", choices=(Choice(EVIL, EVIL, chosen=True),)),
)
ERRORS = (("login", EVIL),)
SECRET = Secret(EVIL, "Token", EVIL, EVIL)
SESSION = SessionLine("ses_1", EVIL, "/access/people/per_1", EVIL, AT, AT, own=False)
TOKEN = TokenLine("tok_1", EVIL, BAD, (EVIL,), AT, AT, AT, works=True)

PERSON = PersonPage(
    id="per_1",
    login=EVIL,
    facts=((EVIL, EVIL),),
    roles=(RoleLine(EVIL, EVIL, EVIL, EVIL, EVIL),),
    sessions=(SESSION,),
    secret=SECRET,
    fields=FIELDS,
    errors=ERRORS,
    refused=EVIL,
    removed=None,
)

CHANGES = ChangesPage(
    rows=(
        ChangeLine(2, AT, EVIL, "/changes?by=x", EVIL, EVIL, EVIL, EVIL, "/p", (Difference(EVIL, EVIL, EVIL),), True),
    ),
    fields=FIELDS,
    errors=ERRORS,
    filtered=True,
    older="/changes?before=2",
    newest="/changes",
    csv="/api/v1/changes.csv",
    json="/api/v1/changes",
    verify="/changes?verify=yes",
    proof=Proof(BAD, EVIL, EVIL, (EVIL,)),
)

ROOM = RoomPage(
    id="p",
    name=EVIL,
    said=EVIL,
    days=EVIL,
    checks=(("D05", EVIL),),
    rows=(MatrixRow(1, EVIL, BAD, (), EVIL),),
    legend=(BAD,),
    finding=None,
    binders=((1, "/projects/p/room/1/binder"),),
    drawing=FIELDS,
    opened="",
    closed="/projects/p/room",
    drawn=SampleShown(EVIL, (DrawnLine("/projects/p/room?finding=1.D05#finding", EVIL, EVIL, BAD, EVIL),), "/x.csv"),
    questions=(
        QuestionLine(
            EVIL,
            EVIL,
            EVIL,
            AT,
            BAD,
            EVIL,
            "https://jira.example.com/browse/ML-1",
            (SaidLine(EVIL, EVIL, AT),),
            EVIL,
            "",
        ),
        QuestionLine(EVIL, EVIL, EVIL, AT, BAD, "", "", (), EVIL, "/projects/p/room/questions/q/ticket"),
    ),
    asking=(Field("iteration", EVIL, kind="choice"), Field("text", EVIL, EVIL, "prose", error=EVIL)),
    may_ask=True,
    note=EVIL,
    looked=AT,
)

PAGES: dict[str, Any] = {
    "rooms.html": RoomsPage(
        (RoomLine("/projects/p/room", EVIL, EVIL, EVIL, ended=True),), EVIL, EVIL, alone=True, until=AT
    ),
    "room.html": ROOM,
    "people.html": PeoplePage(TABS, EVIL, (PersonLine("/p", EVIL, (EVIL,), BAD, AT),), FIELDS, ERRORS),
    "person.html": PERSON,
    "tokens.html": TokensPage(TABS, (TOKEN,), (TOKEN,), SECRET, FIELDS, ERRORS),
    "sessions.html": SessionsPage(TABS, EVIL, (SESSION,), 3),
    "changes.html": CHANGES,
    "settings.html": SettingsPage(
        "1.0", EVIL, BAD, EVIL, EVIL, (SettingLine(EVIL, EVIL, EVIL, EVIL),), (SettingLine(EVIL, "", EVIL, EVIL),)
    ),
    "project-settings.html": ProjectSettingsPage(
        "p", EVIL, EVIL, FIELDS, (("was_login", EVIL),), ((EVIL, EVIL, EVIL),), ERRORS, (), (EVIL,)
    ),
    "go.html": GoPage(EVIL, (Group(EVIL, (Hit("/projects/p", "home", EVIL, EVIL),)),), EVIL),
    "groups.html": GroupsPage(TABS, EVIL, (RuleLine("rul_1", EVIL, EVIL, EVIL, EVIL),), FIELDS, ERRORS),
}
