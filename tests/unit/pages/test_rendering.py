"""Each page rendered from its value, without HTTP: what it says, and that nothing of it is taken for markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from service.domain.audit import plot
from service.domain.audit.metrics import Point, Series
from service.pages import rendering, timeline
from service.pages.account import AccountPage, GrantShown, NotSignedInPage, SessionShown, SignedOutPage, SignInPage
from service.pages.advance import AdvancePage, CarriedLine
from service.pages.audit import AuditPage, AuditRow, FindingShown, MatrixPage, MatrixRow, Quoted, WaiverLine
from service.pages.audit import Cell as AuditCell
from service.pages.evolution import DecisionLine, EvolutionPage, MeasurePicture
from service.pages.frame import PROJECTS, Frame, Place
from service.pages.home import Choice, HomePage, Row
from service.pages.moments import Moment
from service.pages.new_project import Field
from service.pages.plan import Brought, Contents, Figure, Group, Line, PlanPage, Told
from service.pages.project import (
    CheckLine,
    DriftShown,
    EventLine,
    ExitLine,
    LoadRow,
    NextLine,
    ProjectActions,
    ProjectPage,
    RecordShown,
)
from service.pages.run import Actions, Detail, Found, ItemLine, RunLine, RunPage, RunsPage, StepGroup, StepLine
from service.pages.signs import Bar, Part, Sign, Track
from service.pages.timeline import Cell, Span, Timeline, TimelineRow
from service.pages.trouble import TroublePage
from service.pages.unsubscribe import UnsubscribePage
from service.pages.vacancies import VacantRole
from service.views.course import CourseView, IterationLine, TicketLine
from tests.unit.pages import admin_values, project_values, receiver_values, template_values
from tests.unit.pages.operations import OPERATIONS

EVIL = "<script>alert('1')</script>"
AT = Moment("2027-01-21T13:57:00+01:00", "13:57 +01:00", "in 4 days")
OK, BAD = Sign("ok", "ok", "Done"), Sign("bad", "bad", EVIL)
FRAME = Frame(EVIL, PROJECTS, "a" * 64, "p" * 24, (Place("/", "home", "Projects", PROJECTS),), reads=True)
TOLD = Told(BAD, EVIL, EVIL, EVIL)
LINE = Line("+", "Create", EVIL, EVIL, EVIL, "3")
CONTENTS = Contents(
    figures=(Figure(3, "tickets", needs=True),),
    takes="41 calls, about 12 s",
    ways=(("epic", "By epic", True),),
    groups=(Group(EVIL, "3 tickets", (LINE,), vacant=True, open=True),),
    besides=(Group("Epics", "1", (LINE,)),),
    brought=(Brought(EVIL, EVIL, EVIL),),
    drift=(EVIL,),
    findings=(TOLD,),
    empty=False,
)
RUN_LINE = RunLine("run_1", EVIL, "/projects/p", EVIL, BAD, AT, EVIL, "3 s", EVIL)
TICKET = TicketLine(EVIL, EVIL, "https://jira.example.com/browse/ML-1", "done", 3)
DETAIL = Detail(27, EVIL, AT, "1 write", EVIL, (ItemLine(EVIL, BAD, "ML-1", "", EVIL, EVIL, EVIL),))
PICTURE = Timeline(EVIL, (Span(0, 50, EVIL),), (Cell(0, 49, "b1", 1, "3", OK, "1 Mar"),), 12.5, (
    TimelineRow(1, EVIL, EVIL, "3", BAD),
))  # fmt: skip

HOME = HomePage(
    rows=(
        Row("/projects/p", EVIL, EVIL, OK, Track(EVIL, EVIL, 13, (Bar("b1", 0.5),)), EVIL, BAD, EVIL, AT, EVIL, "/r"),
    ),
    total=1,
    counts=EVIL,
    choices=(Choice("all", EVIL, chosen=True),),
    query=EVIL,
    show="all",
    fresh=((EVIL, AT, EVIL),),
    may_start=True,
    connected=True,
)
PLAN = PlanPage(
    id="pln_1",
    heading=EVIL,
    lead=EVIL,
    project="/projects/p",
    project_name=EVIL,
    made=AT,
    made_by=EVIL,
    until=AT,
    contents=CONTENTS,
    button=EVIL,
    danger=False,
    instead="",
    run="",
    again="/projects/new?plan=pln_1",
    may=True,
    team="/teams/tem_1",
    undoes=("/runs/run_1", EVIL),
)
RUN = RunPage(
    id="run_1",
    heading=EVIL,
    project="/projects/p",
    project_name=EVIL,
    plan="/plans/pln_1",
    started_by=EVIL,
    started=AT,
    ended=None,
    sign=BAD,
    said=EVIL,
    wait=AT,
    amount=EVIL,
    explains=EVIL,
    bar=(Part("b1", 0, 50),),
    groups=(StepGroup("part-0", EVIL, OK, "1 of 2", open=True, steps=(StepLine(1, EVIL, OK, "3 s", chosen=True),)),),
    findings=(Found(TOLD, (EVIL,)),),
    detail=DETAIL,
    actions=Actions(cancel=True, retry=True, resume=EVIL, undo=True),
    events="/api/v1/runs/run_1/events",
    requests="1 read and 1 write",
    tracker=EVIL,
    tracker_url="https://jira.example.com",
    continued_by="",
    continues="/runs/run_0",
    undone=False,
)
PROJECT = ProjectPage(
    id="p",
    name=EVIL,
    key=EVIL,
    tracker=EVIL,
    url="https://jira.example.com",
    lead=EVIL,
    facts=((EVIL, EVIL),),
    need=TOLD,
    need_run="/runs/run_1",
    present=RUN_LINE,
    timeline=PICTURE,
    load_title=EVIL,
    load_note=EVIL,
    load=(
        LoadRow("", "", "5", "", (), "", "", (TICKET,), ""),
        LoadRow(EVIL, EVIL, "5 of 7", EVIL, (Part("b0", 0, 50),), EVIL, EVIL, (), EVIL),
    ),
    burn_up=project_values.BURN_UP,
    record=RecordShown(1, BAD, EVIL, "https://jira.example.com", EVIL, (CheckLine(EVIL, BAD, EVIL, EVIL),), EVIL, AT),
    exit_title=EVIL,
    exit_note=EVIL,
    exit=(ExitLine(TICKET, OK),),
    next=(NextLine(AT, EVIL),),
    next_note="",
    drift=DriftShown((EVIL,), AT),
    events=(EventLine(AT, EVIL, EVIL, "/runs/run_1"),),
    runs=(RUN_LINE,),
    actions=ProjectActions(True, True, True, True, True, "run_1"),
    zone="Europe/Berlin",
    ended=False,
    paused="",
    vacant=((VacantRole(EVIL, EVIL, EVIL, EVIL), (TICKET,)),),
    team="/teams/tem_1",
    freezes=(EVIL,),
    pause=Field("reason", EVIL, EVIL, error=EVIL),
    refused=((EVIL, EVIL),),
)
CARRIED = (CarriedLine(EVIL, EVIL, "3", EVIL),)
ADVANCE = AdvancePage("p", EVIL, EVIL, 2, EVIL, EVIL, EVIL, CARRIED, CARRIED, CONTENTS, True, False, EVIL)
ACCOUNT = AccountPage(
    EVIL, EVIL, (GrantShown("lead", EVIL, EVIL, True),), (SessionShown("ses_1", EVIL, AT, AT, False),)
)

FINDING = FindingShown(
    iteration=3,
    title=EVIL,
    check="D05",
    name=EVIL,
    sign=BAD,
    weight="critical",
    reason=EVIL,
    evidence=(Quoted(EVIL, EVIL, "https://jira.example.com", EVIL, AT),),
    fix=EVIL,
    waived=EVIL,
    close_call=True,
    url="https://jira.example.com",
    record=EVIL,
    may_waive=True,
    waive=(Field("reason", EVIL, EVIL, "prose", EVIL, EVIL),),
)
CELLS = (AuditCell("D05", BAD, "/f", EVIL, chosen=True), AuditCell("D06", OK, "", "", chosen=False))
MATRIX = MatrixPage(
    id="p",
    name=EVIL,
    said=EVIL,
    gate=EVIL,
    checks=(("D05", EVIL),),
    rows=(
        MatrixRow(
            1,
            EVIL,
            BAD,
            (AuditCell("D05", BAD, "/f", EVIL, chosen=True), AuditCell("D06", OK, "", "", chosen=False)),
            "",
        ),
        MatrixRow(2, EVIL, OK, (), EVIL),
    ),
    legend=(OK, BAD),
    finding=FINDING,
    waivers=(WaiverLine(EVIL, EVIL, EVIL, EVIL, EVIL, EVIL),),
    looked=AT,
    may_audit=True,
)

SERIES = Series(EVIL, "%", (Point(1, EVIL, 81.0, 90.0), Point(2, EVIL, 88.0, None)))
EVOLUTION = EvolutionPage(
    id="p",
    key=EVIL,
    name=EVIL,
    query=EVIL,
    measures=(MeasurePicture("m0", EVIL, EVIL, plot.svg(SERIES), plot.rows(SERIES)),),
    decisions=(
        DecisionLine(EVIL, EVIL, EVIL, EVIL, "https://jira.example.com/browse/ML-1", EVIL, AT, ((EVIL, "/x"),)),
    ),
    said=EVIL,
    none=EVIL,
)
PAGES: dict[str, Any] = {
    "evolution.html": EVOLUTION,
    **OPERATIONS,
    "audit.html": AuditPage(EVIL, (AuditRow("/projects/p/audit", EVIL, EVIL, BAD, EVIL, 1, 0, AT, 1),)),
    "matrix.html": MATRIX,
    **template_values.PAGES,
    "home.html": HOME,
    "plan.html": PLAN,
    "run.html": RUN,
    "runs.html": RunsPage((RUN_LINE,), "run_0", "p", EVIL),
    "project.html": PROJECT,
    "advance.html": ADVANCE,
    "account.html": ACCOUNT,
    "sign-in.html": SignInPage(EVIL, True, EVIL, EVIL, "/sign-in/oidc", EVIL),
    "signed-out.html": SignedOutPage("https://login.example.com", EVIL),
    "not-signed-in.html": NotSignedInPage(EVIL, {EVIL: EVIL}),
    "unsubscribe.html": UnsubscribePage(EVIL, EVIL, True, True),
    "trouble.html": TroublePage(EVIL, EVIL, (EVIL, EVIL), EVIL, ((EVIL, "/"),)),
    **admin_values.PAGES,
    **project_values.PAGES,
    **receiver_values.PAGES,
}


@pytest.mark.parametrize("template", PAGES)
def test_what_people_wrote_is_text_wherever_it_is_shown(template: str) -> None:
    page = rendering.text(template, PAGES[template], FRAME)

    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert page.count("<h1") == 1
    assert page.count("<main") == 1


@pytest.mark.parametrize("template", PAGES)
def test_every_id_is_there_once_and_every_label_and_description_names_one(template: str) -> None:
    page = rendering.text(template, PAGES[template], FRAME)
    ids = re.findall(r'\sid="([^"]*)"', page)
    named = re.findall(r'\s(?:for|popovertarget|list)="([^"]*)"', page)
    named += [one for many in re.findall(r'\saria-(?:labelledby|describedby)="([^"]*)"', page) for one in many.split()]

    assert sorted({one for one in ids if ids.count(one) > 1}) == []
    assert sorted(set(named) - set(ids)) == []


@pytest.mark.parametrize("template", PAGES)
def test_an_icon_always_stands_beside_a_word_and_is_in_the_sprite(template: str) -> None:
    page = rendering.text(template, PAGES[template], FRAME)
    sprite = (rendering.TEMPLATES.parent / "static" / "icons.svg").read_text()

    assert [one for one in re.findall(r"icons\.svg#(i-[a-z]+)", page) if f'id="{one}"' not in sprite] == []
    assert re.findall(r'<svg class="i[^"]*"(?! aria-hidden="true")', page) == []


def test_a_button_is_absent_where_it_is_not_allowed() -> None:
    page = rendering.text("project.html", replace(PROJECT, actions=ProjectActions()), FRAME)
    assert 'method="post"' not in page
    assert "Show advance plan" not in page
    run = rendering.text("run.html", replace(RUN, actions=Actions()), FRAME)
    assert 'method="post"' not in run
    plan = rendering.text("plan.html", replace(PLAN, button="", instead="It was applied.", run="/runs/r"), FRAME)
    assert 'method="post"' not in plan
    assert "It was applied." in plan


def test_a_page_without_anything_says_why_and_what_to_do() -> None:
    empty = replace(HOME, rows=(), total=0, counts="", query="")
    assert "No project yet" in rendering.text("home.html", empty, FRAME)
    assert "/projects/new" not in rendering.text("home.html", replace(empty, may_start=False), FRAME)
    assert "Show all 1" in rendering.text("home.html", replace(HOME, rows=()), FRAME)
    assert "Nothing ran yet" in rendering.text("runs.html", RunsPage((), "", "", ""), FRAME)


def test_every_template_of_a_page_is_rendered_here() -> None:
    parts = {
        "base.html",
        "frame.html",
        "outside.html",
        "parts.html",
        "burn_up_parts.html",
        "receiver_parts.html",
        "fields.html",
        "plan_parts.html",
        "access_parts.html",
        "matrix_parts.html",
    }
    there = {path.name for path in rendering.TEMPLATES.glob("*.html")}

    assert there - parts == {*PAGES, "new-project.html"}


def test_a_run_that_has_ended_is_followed_no_more() -> None:
    assert "data-events" in rendering.text("run.html", RUN, FRAME)
    ended = rendering.text("run.html", replace(RUN, events="", ended=AT), FRAME)
    assert "data-events" not in ended
    assert "http-equiv" not in ended


def test_a_part_is_the_same_as_in_its_page() -> None:
    part = rendering.text("run.html", RUN, FRAME, "live")

    assert part.strip() in rendering.text("run.html", RUN, FRAME)
    assert rendering.text("run.html", RUN, FRAME, "nothing") == rendering.text("run.html", RUN, FRAME)


def test_of_many_iterations_those_around_the_current_one_are_in_the_picture_and_all_in_the_table() -> None:
    noon = datetime(2027, 1, 4, 12, tzinfo=UTC)
    lines = tuple(
        IterationLine(n, "a", "closed" if n < 20 else "to come", noon.date(), noon.date(), noon, noon, 1, 3, 0)
        for n in range(1, 41)
    )
    found = timeline.timeline(CourseView(lines, (("a", "A"),), 20, 20, (), (), False), {}, noon.date())

    assert [one.number for one in found.cells] == list(range(15, 27))
    assert len(found.rows) == 40


def test_style_and_script_keep_to_their_size() -> None:
    static = rendering.TEMPLATES.parent / "static"
    assert len((static / "style.css").read_bytes()) <= 16_000
    assert len((static / "pages.js").read_text().splitlines()) <= 300
    assert "innerHTML" not in (static / "pages.js").read_text()
