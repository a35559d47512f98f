"""Every page with real data, as pictures to look at: `make screenshots` writes them to `screenshots/`.

Each is taken light, dark and at the width of a phone. The service, its sandbox and the browser are on this machine.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import select, update

from connectors.values import ItemKey
from service import templates as template_files
from service.domain.access.roles import Role
from service.store import unsubscribes
from service.store.access_tables import SessionRow
from service.usecases.access import people, role_rules, tokens
from service.usecases.audit.history import history
from service.usecases.notice import unsubscribing
from service.usecases.plan import inventory
from service.usecases.run import run_views
from service.usecases.setup import projects
from tests import operations_shots, receiver_shots
from tests.browser import CHROMIUM, Browser
from tests.pages_desk import Desk, Visitor, served_desk
from tests.waiting import eventually

FOLDER = Path(__file__).parents[1] / "screenshots"

NEW_TICKET = """\
      - key: name-sponsor
        title: Name the sponsor
        epic: goals-and-hypotheses
        role: pm
        description: Find who pays, and who decides when there is less money than asked for.
        done: [The sponsor is named, The sponsor has agreed]
        deliverable: Sponsor
        points: 1
        origin: extension
"""

SHAPES = {"light": (1280, "light"), "dark": (1280, "dark"), "phone": (390, "light")}

Shot = tuple[str, str, str]
"""The name of a picture, the address of its page, and what is clicked first, if anything is."""


def main() -> None:
    """Take them all, or those whose names begin as asked for."""
    if CHROMIUM is None:
        sys.exit("There is no Chromium here; PHASELOOP_TEST_CHROMIUM names one.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served_desk(Path(folder) / "home") as desk:
        browser = Browser(Path(folder) / "profile")
        try:
            for name, address, click in shots(desk, browser):
                if not sys.argv[1:] or name.startswith(tuple(sys.argv[1:])):
                    for shape, (width, scheme) in SHAPES.items():
                        take(browser, desk.url + address, FOLDER / f"{name}-{shape}.png", width, scheme, click)
        finally:
            browser.close()
    refused = [one for one in browser.said if "Content Security Policy" in one or "exception" in one]
    if refused:
        sys.exit("\n".join(refused))


def shots(desk: Desk, browser: Browser) -> Iterator[Shot]:
    """The pages, each when there is something to see on it."""
    yield "sign-in", "/sign-in?ended=true&next=/projects/new", ""
    with desk.context.database.session() as session:
        row = unsubscribes.link(session, "ana@example.com", "record-overdue", desk.context.now())
    yield "unsubscribe", unsubscribing.PATH + row.secret, ""
    unsubscribing.switch(desk.context, row.secret, wanted=False)
    yield "unsubscribe-ended", unsubscribing.PATH + row.secret, ""
    desk.sign_in(browser)
    visitor = desk.visitor()
    yield "home-empty", "/", ""
    yield "new-project-first", "/projects/new", ""
    desk.connect()
    entered = "connection=work&name=Support%20triage"
    yield "new-project", f"/projects/new?{entered}&key=SUP&team=own", ""
    yield "new-project-wrong", f"/projects/new?{entered}&p_iteration_days=99&people=x&zone=Mars", "[value=plan]"
    start = str(desk.monday - timedelta(days=14))
    plan = visitor.press("/projects/new", "/projects/new", **desk.entries("Support triage", "SUP", p_start_date=start))
    yield "plan", plan, ""
    run = visitor.press(plan, f"{plan}/apply")
    run_id = run.rpartition("/")[2]
    eventually(lambda: run_views.progress(desk.context, run_id).done > 2)
    yield "run-live", run, ""
    desk.wait_for_end(run_id)
    yield "run", f"{run}?step=3", ""
    project = f"/projects/{run_views.progress(desk.context, run_id).project.id}"
    eventually(lambda: "Iteration 1 was begun" in visitor.get(project) or "iteration 1," in visitor.get(project))
    other = visitor.press("/projects/new", "/projects/new", **desk.entries("Fraud scoring", "FRD"))
    built = visitor.press(other, f"{other}/apply").rpartition("/")[2]
    desk.wait_for_end(built)
    yield "home", "/", ""
    yield "project", project, ""
    for ticket in history(desk.context, project.rpartition("/")[2]).iterations[-1].tickets[:4]:
        desk.finish(ticket.remote_key)
    yield "burn-up", f"{project}/burn-up", ""
    changed_by_people(desk, project)
    yield "drift", f"{project}/drift", ""
    yield "project-new", f"/projects/{run_views.progress(desk.context, built).project.id}", ""
    yield "advance", f"{project}/advance", ""
    yield "undo", visitor.press(f"/runs/{built}", f"/runs/{built}/undo"), ""
    waits = visitor.press("/projects/new", "/projects/new", **desk.entries("Invoice reading", "INV"))
    desk.limited()
    waiting = visitor.press(waits, f"{waits}/apply")
    eventually(lambda: "Look again now" in visitor.get(waiting))
    yield "run-waiting", waiting, ""
    visitor.press(waiting, f"{waiting}/cancel")
    refused = visitor.press("/projects/new", "/projects/new", **desk.entries("Demand forecast", "SCRUM", create="no"))
    with desk.demanding("SCRUM"):
        incomplete = visitor.press(refused, f"{refused}/apply")
        desk.wait_for_end(incomplete.rpartition("/")[2])
    yield "run-incomplete", f"{incomplete}?step=10", ""
    yield "home-needs", "/", ""
    yield "runs", "/runs", ""
    yield "audit", "/audit", ""
    eventually(lambda: "D05" in visitor.get(f"{project}/audit") and "Not checked yet" not in visitor.get("/audit"))
    yield "matrix", f"{project}/audit?finding=1.D05", ""
    yield "rooms", "/room", ""
    room = f"{project}/room"
    visitor.press(room, f"{room}/questions", iteration="1", text="Which data was the threshold of 0.62 chosen on?")
    yield "room", f"{room}?seed=2026-Q1&size=5&result=any", ""
    yield "room-finding", f"{room}?seed=2026-Q1&size=5&result=any&finding=1.D05", ""
    yield "evolution", f"{project}/evolution", ""
    yield "templates", "/templates", ""
    yield from template_shots(desk, visitor)
    yield from operations_shots.shots(desk, visitor, project.rpartition("/")[2])
    yield from receiver_shots.shots(desk, visitor, project.rpartition("/")[2])
    yield "kept-form", kept_form(desk, "lead-1@example.com"), ""
    yield "account", "/account", ""
    yield from admin_shots(desk, visitor)
    yield "not-found", "/projects/nothing", ""


def changed_by_people(desk: Desk, project: str) -> None:
    """Have people of the team rename a ticket and an epic, and delete a ticket."""
    items = inventory.page(desk.context, project.rpartition("/")[2], 500)
    remote = {one.key: one.remote_key for one in items}
    desk.jira("PUT", f"api/2/issue/{remote[ItemKey('ticket:set-goals')]}", {"fields": {"summary": "Our goals"}})
    desk.jira("DELETE", f"api/2/issue/{remote[ItemKey('ticket:define-scope')]}")
    desk.jira("PUT", f"api/2/issue/{remote[ItemKey('epic:feedback')]}", {"fields": {"summary": "What users say"}})


def kept_form(desk: Desk, login: str) -> str:
    """The address of a form that this person sent after another session of theirs had run out."""
    visitor = desk.visitor(login)
    hidden = visitor.hidden(visitor.get("/projects/new"))
    with desk.context.database.session() as session:
        newest = select(SessionRow.id).order_by(SessionRow.created_at.desc()).limit(1).scalar_subquery()
        session.execute(update(SessionRow).where(SessionRow.id == newest).values(expires_at=desk.context.now()))
    answer = visitor.send("/projects/new", {**hidden, **desk.entries("Late", "LATE")})
    return unquote(answer.headers["location"].partition("next=")[2].partition("&")[0])


def template_shots(desk: Desk, visitor: Visitor) -> Iterator[Shot]:
    """A template with what waits for what in it, and what its next version changes."""
    text = template_files.load_builtin("iterative-ml").text
    own = {"template": "own", "template_text": next_version(text)}
    visitor.press("/projects/new", "/projects/new", **{**desk.entries("Churn", "CHU"), **own})
    yield "template", "/templates/iterative-ml", ""
    yield "template-epic", "/templates/iterative-ml?epic=experiments-and-insights", ""
    yield "template-difference", "/templates/iterative-ml/difference", ""


def next_version(text: str) -> str:
    """A template's text as its authors would write it anew: a ticket more, a role called otherwise, a stricter gate."""
    edits = (
        ("version: 1.1.0", "version: 1.2.0"),
        ("title: Product Manager", "title: Product Owner"),
        ("gate: warn", "gate: block"),
        ("deliverable: Goal statement\n        points: 2", "deliverable: Goals\n        points: 3"),
        ("with today's value and the value to reach", "with the value of today, and the value to reach by a named day"),
    )
    for old, new in edits:
        text = text.replace(old, new, 1)
    return text.replace("      - key: set-goals\n", f"{NEW_TICKET}      - key: set-goals\n", 1)


def admin_shots(desk: Desk, visitor: Visitor) -> Iterator[Shot]:
    """The pages for those who look after the service."""
    for login, role in (("ml-1@example.com", Role.OPERATOR), ("auditor-1@example.com", Role.AUDITOR)):
        desk.visitor(login, role)
    people.put(desk.context, "lead-2@example.com", Role.LEAD, ["SUP", "FRD"])
    people.put(desk.context, "gone-1@example.com", Role.VIEWER)
    people.remove(desk.context, "gone-1@example.com")
    tokens.create(desk.context, "ci", role=Role.OPERATOR, within=["SUP"], expires_at=desk.context.now() + timedelta(30))
    tokens.create(desk.context, "dashboard", role=Role.VIEWER)
    tokens.revoke(desk.context, tokens.make(desk.context, "old", role=Role.ADMIN)[0].id)
    role_rules.add(desk.context, "ml-leads", Role.LEAD, project="SUP")
    yield "access", "/access", ""
    yield "access-person", f"/access/people/{people.get(desk.context, 'lead-2@example.com').row.id}", ""
    own = f"/access/people/{people.get(desk.context, 'lead-1@example.com').row.id}"
    yield "access-last", own, "form[action$='/remove'] button"
    yield "access-tokens", "/access/tokens", ""
    yield "access-sessions", "/access/sessions", ""
    yield "access-groups", "/access/groups", ""
    yield "project-settings", f"/projects/{projects.get(desk.context, 'SUP').id}/settings", ""
    yield "go", "/go?q=s", ""
    yield "settings", "/settings", ""
    yield "changes", "/changes?verify=yes", ""
    yield "changes-wrong", "/changes?since=someday&thing=token", ""


def take(browser: Browser, url: str, path: Path, width: int, scheme: str, click: str) -> None:
    """One picture of a whole page."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.do("Emulation.setDeviceMetricsOverride", **size)
    browser.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.visit(url)
    if click:
        browser.click(click)
        browser.until("!!document.querySelector('[data-focus]') && document.readyState === 'complete'")
    wider = browser.value("document.documentElement.scrollWidth")
    if wider > width:
        sys.stdout.write(f"{path.stem}: {wider} px wide\n")
    picture = browser.do("Page.captureScreenshot", format="png", captureBeyondViewport=True)
    path.write_bytes(base64.b64decode(picture["data"]))


if __name__ == "__main__":
    main()
