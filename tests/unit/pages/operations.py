"""The values of the pages of operations, with something evil in each text, for tests that render them."""

from __future__ import annotations

from typing import Any

from service.pages.connections import AddPage, Change, ConnectionLine, ConnectionPage, ConnectionsPage, HookShown, Taken
from service.pages.connections import Came as ConnectionCame
from service.pages.events import Came, EventLine, EventPage, EventsPage
from service.pages.moments import Moment
from service.pages.new_project import Checked, Choice, Field, KindShown
from service.pages.plan import Contents, Group, Line, Told
from service.pages.schedule import FiringLine, FreezeLine, ProjectSchedulePage, ScheduleLine, SchedulePage, SkipShown
from service.pages.signs import Part, Sign
from service.pages.teams import PersonPage, PersonShown, TeamLine, TeamPage, TeamsPage
from service.pages.triggers import TriedShown, TriggerLine, TriggerPage, TriggersPage, TryPage
from service.pages.vacancies import VacantRole

EVIL = "<script>alert('1')</script>"
AT = Moment("2027-01-21T13:57:00+01:00", "13:57 +01:00", "in 4 days")
BAD = Sign("bad", "bad", EVIL)
TOLD = Told(BAD, EVIL, EVIL, EVIL)
CHOICE = Choice("x", EVIL, chosen=True)
CONTENTS = Contents(
    figures=(),
    takes="41 calls",
    ways=(),
    groups=(Group(EVIL, "1", (Line("+", "Create", EVIL, EVIL, EVIL, "3"),), vacant=True, open=True),),
    besides=(),
    brought=(),
    drift=(),
    findings=(TOLD,),
    vacant=(VacantRole(EVIL, EVIL, EVIL, EVIL),),
    empty=False,
)

CAME = Came(BAD, EVIL, EVIL, "/triggers/trg_1", "/runs/run_1", EVIL, AT)
EVENTS = EventsPage(
    lag=EVIL,
    late=True,
    states=(CHOICE,),
    senders=(CHOICE,),
    sources=(CHOICE,),
    rows=(EventLine("evt_1", EVIL, EVIL, EVIL, BAD, AT, EVIL),),
    older="/events?before=evt_0",
    narrowed=True,
    failed=2,
    sender=EVIL,
    source=EVIL,
    may_replay=True,
)
EVENT = EventPage(
    id="evt_1",
    name=EVIL,
    source=EVIL,
    sender=EVIL,
    sender_href="/triggers/trg_1",
    sign=BAD,
    said=EVIL,
    received=AT,
    handled=AT,
    error=EVIL,
    came=(CAME,),
    did=(CAME,),
    facts=((EVIL, EVIL),),
    payload=EVIL,
    cut=True,
    may_replay=True,
    may_try=True,
    again=EVIL,
)
TRIGGER = TriggerPage(
    id="trg_1",
    name=EVIL,
    sign=BAD,
    description=EVIL,
    message=EVIL,
    warns=EVIL,
    facts=((EVIL, EVIL),),
    condition=EVIL,
    given=((EVIL, EVIL),),
    definition=EVIL,
    did=(CAME,),
    switch="on",
    switch_label=EVIL,
    may_remove=True,
    holds="",
    may_try=True,
    changed=AT,
)
TRY = TryPage(
    trigger=Field("yaml", EVIL, EVIL, "lines", EVIL, error=EVIL),
    payload=Field("payload", EVIL, EVIL, "lines"),
    event=Field("event", EVIL, EVIL),
    errors=(),
    tried=(TriedShown(EVIL, BAD, EVIL, EVIL, ((EVIL, EVIL),), CONTENTS),),
    said=EVIL,
)
HOOK = HookShown(
    sign=BAD,
    means=EVIL,
    trouble=EVIL,
    facts=((EVIL, EVIL),),
    steps=(EVIL,),
    own_secret=EVIL,
    secret=Field("secret", EVIL, error=EVIL),
    registered=True,
    sends=True,
)
CONNECTION = ConnectionPage(
    id="con_1",
    name=EVIL,
    kind=EVIL,
    site=EVIL,
    read=AT,
    trouble=EVIL,
    facts=((EVIL, EVIL),),
    projects=(EVIL,),
    triggers=(EVIL,),
    hook=HOOK,
    check=Checked(BAD, EVIL, (TOLD,)),
    checked=AT,
    change=Change(
        Field("c_jira_secret", EVIL, error=EVIL),
        (Field("c_jira_url", EVIL, EVIL, error=EVIL),),
        (Field("c_x", EVIL),),
        Field("unchecked", EVIL, kind="choice", choices=(Choice(EVIL, EVIL, chosen=True),)),
        (("c_jira_secret", EVIL),),
        Checked(BAD, EVIL, (TOLD,)),
        open=True,
    ),
    came=ConnectionCame(Checked(BAD, EVIL, (TOLD,)), EVIL, (TOLD,), (EVIL,), EVIL, "", EVIL),
    may_check=True,
    may_change=True,
    holds="",
)
SCHEDULE = ProjectSchedulePage(
    id="p",
    name=EVIL,
    key=EVIL,
    zone=EVIL,
    sign=BAD,
    paused=EVIL,
    firings=(FiringLine(AT, EVIL, EVIL),),
    nothing=EVIL,
    skip=SkipShown(EVIL, EVIL, "2027-01-25"),
    no_skip="",
    freezes=(FreezeLine(EVIL, EVIL, "2027-01-25", "2027-01-29"),),
    days_off=(EVIL,),
    feed="/feeds/x.ics",
    may_decide=True,
    may_pause=True,
    may_resume=True,
    pause=Field("reason", EVIL, EVIL, error=EVIL),
    decide=(Field("move", EVIL, EVIL, "choice", EVIL, EVIL, (Choice(EVIL, EVIL, chosen=True),)),),
    decided=EVIL,
    why=Field("why", EVIL, EVIL, error=EVIL),
    freeze=(Field("from", EVIL, EVIL, "date", error=EVIL),),
    tracker=EVIL,
)
PERSON = PersonShown(EVIL, EVIL, EVIL, EVIL, (EVIL,), "5 of 7", EVIL, (Part("b0", 0, 50),), EVIL, EVIL)
TEAM = TeamPage(
    id="tem_1",
    name=EVIL,
    said=EVIL,
    zone=EVIL,
    version=3,
    changed=AT,
    people=(PERSON,),
    projects=(("/projects/p", EVIL),),
    vacant=(("/projects/p", EVIL, (VacantRole(EVIL, EVIL, EVIL, EVIL),)),),
    unknown=((EVIL, EVIL),),
    may_change=True,
)
EDITED = PersonPage(
    id="tem_1",
    team=EVIL,
    version=3,
    was=EVIL,
    seen=EVIL,
    fields=(Field("person", EVIL, EVIL, error=EVIL, help=EVIL), Field("absences", EVIL, EVIL, "lines")),
    errors=(("person", EVIL),),
    conflict=EVIL,
    changes=(EVIL,),
    gone=False,
)
KIND = KindShown("jira", EVIL, True, (Field("c_jira_url", EVIL, EVIL, error=EVIL),), (Field("c_x", EVIL),), True)

OPERATIONS: dict[str, Any] = {
    "events.html": EVENTS,
    "event.html": EVENT,
    "triggers.html": TriggersPage(EVIL, (TriggerLine("trg_1", EVIL, EVIL, EVIL, EVIL, BAD, EVIL),), may_try=True),
    "trigger.html": TRIGGER,
    "try-trigger.html": TRY,
    "connections.html": ConnectionsPage(
        EVIL, (ConnectionLine("con_1", EVIL, EVIL, EVIL, EVIL, AT, EVIL, BAD, AT, EVIL, BAD, EVIL),), may_add=True
    ),
    "connection.html": CONNECTION,
    "schedule.html": SchedulePage(EVIL, (ScheduleLine("/projects/p", EVIL, EVIL, BAD, EVIL, AT, EVIL, "/runs/r"),)),
    "project-schedule.html": SCHEDULE,
    "teams.html": TeamsPage((TeamLine("tem_1", EVIL, EVIL, EVIL, AT),), may_start=True),
    "team.html": TEAM,
    "member.html": EDITED,
    "new-connection.html": AddPage((KIND,), Field("c_name", EVIL, EVIL), (("c_name", EVIL),), Taken("con_1", EVIL)),
}
