"""Pages over HTTP, as a browser without a script uses them: the main path, hostile values, rights, ended sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx
import pytest

from service import templates
from service.api.problems import _PAGE as POLICY
from service.domain.access.roles import Role
from service.pages import assets
from service.usecases.access import tokens
from service.usecases.run import run_views
from service.usecases.setup import connections, projects
from tests.pages_desk import PEOPLE, Desk, Visitor, served_desk
from tests.waiting import eventually

HOSTILE = "\"><script>alert(1)</script>{{ 7*7 }}'\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


@pytest.fixture(scope="module")
def lead(desk: Desk) -> Visitor:
    return desk.visitor()


@pytest.fixture(scope="module")
def built(desk: Desk, lead: Visitor) -> str:
    """The run that built a project."""
    start = str(desk.monday - timedelta(days=7))
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Support triage", "SUP", p_start_date=start))
    run = lead.press(plan, f"{plan}/apply")
    desk.wait_for_end(run.rpartition("/")[2])
    return run


def path_of(desk: Desk, run: str) -> str:
    return f"/projects/{run_views.progress(desk.context, run.rpartition('/')[2]).project.id}"


def words(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_project_is_planned_created_and_looked_at_by_forms_alone(desk: Desk, lead: Visitor, built: str) -> None:
    run = words(lead.get(built))
    assert "Build Support triage in Jira" in run
    assert "Completed" in run
    assert "135 of 135 items made" in run
    project = words(lead.get(path_of(desk, built)))
    assert "7 iterations in 4 phases" in project
    assert "5 tickets have nobody." in project
    assert "SUP in Jira" in words(lead.get("/"))
    there = desk.sandbox.site.find_project("SUP")
    assert there is not None
    assert len(list(desk.sandbox.site.issues_of(there.id))) == 16 + 51


def test_the_plan_is_shown_by_epic_by_iteration_and_by_person(lead: Visitor, built: str) -> None:
    plan = re.search(r"/plans/pln_\w+", lead.get(built))
    assert plan is not None
    assert "Goals and hypotheses 3 tickets, 8 points" in words(lead.get(plan[0]))
    by_iteration = words(lead.get(f"{plan[0]}?by=iteration"))
    assert re.search(r"SUP 1 Ideation \([^)]* to [^)]*\) 7 tickets", by_iteration)
    assert "Without a person 5 tickets" in words(lead.get(f"{plan[0]}?by=person"))


def test_one_form_sent_twice_makes_one_plan_and_one_run(desk: Desk, lead: Visitor) -> None:
    form = {**lead.hidden(lead.get("/projects/new")), **desk.entries("Twice", "TWICE")}
    first, second = (lead.send("/projects/new", form).headers["location"] for _ in range(2))
    assert first == second
    form = lead.hidden(lead.get(first))
    runs = {lead.send(f"{first}/apply", form).headers["location"] for _ in range(2)}
    assert len(runs) == 1
    desk.wait_for_end(runs.pop().rpartition("/")[2])
    assert [one.key for one in projects.listed(desk.context)].count("TWICE") == 1


def test_a_form_with_other_entries_under_the_same_press_is_refused(desk: Desk, lead: Visitor) -> None:
    form = {**lead.hidden(lead.get("/projects/new")), **desk.entries("Same", "SAME")}
    assert lead.send("/projects/new", form).status_code == 303
    other = lead.send("/projects/new", {**form, "name": "Another"})
    assert other.status_code == 422
    assert other.headers["content-type"].startswith("text/html")


def test_what_is_wrong_is_told_beside_its_field_and_what_was_entered_stays(desk: Desk, lead: Visitor) -> None:
    entered = desk.entries("Support", "", p_iteration_days="99", people="x", zone="Mars")
    answer = lead.send("/projects/new", {**lead.hidden(lead.get("/projects/new")), **entered})

    assert answer.status_code == 422
    assert "4 fields need a change." in words(answer.text)
    assert 'href="#p_iteration_days"' in answer.text
    assert re.search(r'id="p_iteration_days-e".*?99 is out of range', answer.text, re.DOTALL)
    assert 'value="Support"' in answer.text
    assert 'value="Mars"' in answer.text
    assert "--map" not in answer.text, "no option of a command line"


def test_all_that_is_wrong_is_told_at_once_each_beside_its_field_in_the_order_of_the_page(
    desk: Desk, lead: Visitor
) -> None:
    people = PEOPLE.replace("devops-1@example.com,devops,", "devops-1@example.com,devop,")
    entered = desk.entries("", "c h-1", people=people, p_iteration_days="99")
    answer = lead.send("/projects/new", {**lead.hidden(lead.get("/projects/new")), **entered})

    assert answer.status_code == 422
    assert re.findall(r'<a class="link" href="#(\w+)">', answer.text) == ["name", "key", "people", "p_iteration_days"]
    said = words(answer.text)
    assert "Use 2 to 10 capital letters and digits" in said
    assert 'line 6: "DevOps 1" holds the unknown role "devop"; did you mean "devops"?' in said
    assert "weeks" not in said[said.index("99 is out of range") :][:60], "the field takes a number alone"
    assert "team file" not in said


def test_a_name_that_the_tracker_has_already_is_told_at_the_field(desk: Desk, lead: Visitor) -> None:
    entered = desk.entries("Scrum project", "FREEKEY")
    answer = lead.send("/projects/new", {**lead.hidden(lead.get("/projects/new")), **entered})

    assert answer.status_code == 422
    assert 'href="#name"' in answer.text
    assert "--name" not in answer.text


def test_an_address_fills_the_form_in(lead: Visitor) -> None:
    page = lead.get("/projects/new?name=Churn&key=CHURN&p_iteration_days=21&create=no&people=person%2Cemail")

    assert 'value="Churn"' in page
    assert 'value="21"' in page
    assert re.search(r'value="no" selected', page)
    assert ">\nperson,email</textarea>" in page


def test_the_entries_of_a_plan_can_be_changed(desk: Desk, lead: Visitor) -> None:
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Again", "AGAIN", p_iteration_days="7"))
    again = re.search(r"/projects/new\?plan=pln_\w+", lead.get(plan))
    assert again is not None
    page = lead.get(again[0])

    assert 'value="Again"' in page
    assert 'value="7"' in page
    assert "Product 1,pm-1@example.com,,pm,12" in page


def led_back(lead: Visitor, plan: str) -> str:
    """The form that a plan leads back to."""
    again = re.search(r"/projects/new\?plan=pln_\w+", lead.get(plan))
    assert again is not None
    return lead.get(again[0])


def test_a_plan_leads_back_to_its_own_people_and_not_to_those_of_an_earlier_plan(desk: Desk, lead: Visitor) -> None:
    fewer = PEOPLE.replace("ML 2,ml-2@example.com,ml,12\n", "")
    more = PEOPLE.replace("ML 1,ml-1@example.com,ml,12", "ML 1,ml-1@example.com,ml,7")
    first = lead.press("/projects/new", "/projects/new", **desk.entries("Led", "LED", team_name="Led", people=fewer))
    second = lead.press("/projects/new", "/projects/new", **desk.entries("Led", "LED", team_name="Led", people=more))
    other = lead.press("/projects/new", "/projects/new", **desk.entries("Lad", "LAD", team_name="Led", people=PEOPLE))

    assert "ML 2" not in led_back(lead, first)
    assert "ML 1,ml-1@example.com,,ml,7" in led_back(lead, second)
    assert "ML 1,ml-1@example.com,,ml,12" in led_back(lead, other)
    assert "ML 2" in led_back(lead, other)


def test_a_plan_whose_proposed_team_somebody_else_made_with_other_people_is_stale(desk: Desk, lead: Visitor) -> None:
    fewer = PEOPLE.replace("ML 2,ml-2@example.com,ml,12\n", "")
    first = lead.press("/projects/new", "/projects/new", **desk.entries("Race", "RACEA", team_name="R", people=fewer))
    other = lead.press("/projects/new", "/projects/new", **desk.entries("Race 2", "RACEB", team_name="R"))
    lead.press(other, f"{other}/apply")

    refused = lead.send(f"{first}/apply", lead.hidden(lead.get(first)))

    assert refused.status_code == 409
    assert "changed since it was made" in words(refused.text)


def test_a_plan_leads_back_to_a_template_of_ones_own(desk: Desk, lead: Visitor) -> None:
    own = (templates.BUILTIN / "iterative-ml.yaml").read_text() + "# ours\n"
    entered = desk.entries("Own", "OWNT", template="own", template_text=own, zone="")
    page = led_back(lead, lead.press("/projects/new", "/projects/new", **entered))

    assert "# ours\n</textarea>" in page
    assert re.search(r'value="own" checked', page)
    assert re.search(r'name="zone"[^>]* value=""', page)


def test_a_project_that_could_never_be_built_says_why_and_is_not_kept(desk: Desk, lead: Visitor) -> None:
    entered = desk.entries("Missing", "MISSING", create="no")
    answer = lead.send("/projects/new", {**lead.hidden(lead.get("/projects/new")), **entered})

    assert answer.status_code == 422
    assert "no plan was kept" in words(answer.text)
    assert "MISSING" not in {one.key for one in projects.only_planned(desk.context)}


def test_a_connection_is_checked_in_place_and_added_without_showing_its_token(desk: Desk, lead: Visitor) -> None:
    checked = lead.send(
        "/projects/new/form", {**lead.hidden(lead.get("/projects/new")), "do": "check", "connection": "work"}
    )
    assert "Ready. Signed in as" in words(checked.text)
    added = {"c_kind": "jira", "c_name": "second", "c_jira_url": desk.sandbox.url, "c_jira_email": "a@example.com"}
    form = {
        **lead.hidden(lead.get("/projects/new")),
        "do": "connect",
        **added,
        "c_jira_secret": "s3cr3t-of-mine",
        "name": "Kept",
    }
    page = lead.send("/projects/new/form", form)
    assert "The connection “second” was added." in words(page.text)
    assert "s3cr3t-of-mine" not in page.text
    assert 'value="Kept"' in page.text
    again = lead.send("/projects/new/form", {**form, "c_jira_url": "nothing"})
    assert again.status_code == 422
    assert "s3cr3t-of-mine" not in again.text


def test_an_account_that_may_only_look_is_not_ready_to_create_a_project(desk: Desk, lead: Visitor) -> None:
    settings = {"url": desk.sandbox.url, "email": "viewer@example.com"}
    connections.put(desk.context, "looks", "jira", settings, "viewer-token")
    form = {**lead.hidden(lead.get("/projects/new")), "do": "check", "connection": "looks", "create": "yes"}

    for key in ("", "NEWKEY"):
        said = words(lead.send("/projects/new/form", {**form, "key": key}).text)
        assert "Not ready." in said
        assert 'lacks the "Administer Jira" permission' in said
        assert "Ask an administrator to grant" in said
    said = words(lead.send("/projects/new/form", {**form, "create": "no", "key": ""}).text)
    assert "is checked once its key is entered" in said
    assert "Not ready." in words(lead.send("/projects/new/form", {**form, "create": "no", "key": "SCRUM"}).text)


@pytest.mark.parametrize("field", ["name", "key", "zone", "team", "people", "template", "template_text", "connection"])
def test_hostile_entries_are_shown_as_text_and_run_nothing(desk: Desk, lead: Visitor, field: str) -> None:
    entered = desk.entries("Hostile", "HOSTILE") | {field: HOSTILE}
    if field == "template_text":
        entered["template"] = "own"
    answer = lead.send("/projects/new", {**lead.hidden(lead.get("/projects/new")), **entered})

    assert answer.status_code in (303, 422), answer.text
    page = answer.text if answer.status_code == 422 else lead.get(answer.headers["location"])
    assert "<script>alert" not in page
    assert "49" not in re.findall(r"value=\"([^\"]*)\"", page)


@pytest.mark.parametrize(
    "path",
    [
        "/?q={}",
        "/?show={}",
        "/runs?project={}",
        "/runs?before={}",
        "/projects/{}",
        "/runs/{}",
        "/plans/{}",
        "/projects/new?plan={}",
    ],
)
def test_hostile_addresses_are_answered_with_a_page(lead: Visitor, path: str) -> None:
    answer = lead.client.get(path.format("%3Cscript%3Ealert(1)%3C%2Fscript%3E%C2%BD"))

    assert answer.status_code in (200, 404), answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("length", [1000, 100_000])
def test_over_long_entries_are_refused_in_words(desk: Desk, lead: Visitor, length: int) -> None:
    entered = desk.entries("x" * length, "y" * length, people="z" * length)
    answer = lead.send("/projects/new", {**lead.hidden(lead.get("/projects/new")), **entered})

    assert answer.status_code == 422
    assert "fields need a change" in words(answer.text)


def test_a_button_is_absent_without_the_right_and_its_address_refuses(desk: Desk, built: str) -> None:
    viewer = desk.visitor("viewer@example.com", Role.VIEWER)
    project = path_of(desk, built)
    page = viewer.get(project)

    assert 'method="post"' not in page
    assert "Show advance plan" not in page
    assert "/projects/new" not in viewer.get("/")
    refused = viewer.send(f"{project}/audit", viewer.hidden(viewer.get("/account")))
    assert refused.status_code == 403
    assert "needs the right to operate" in words(refused.text)
    assert viewer.client.get("/projects/new").status_code == 403


def test_an_operator_may_not_apply_what_decides_for_the_project(desk: Desk, lead: Visitor) -> None:
    operator = desk.visitor("operator@example.com", Role.OPERATOR)
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Deciding", "DECIDE"))

    assert "Create the project with 135 items" in lead.get(plan)
    page = operator.get(plan)
    assert "Create the project with 135 items" not in page
    assert "that takes another role" in page


def test_who_is_not_signed_in_is_led_to_the_form_and_back(desk: Desk, built: str) -> None:
    client = httpx.Client(base_url=desk.url, headers={"Accept": "text/html"})
    desk.clients.append(client)
    asked = client.get(f"{built}?step=3")
    assert asked.status_code == 303
    form = client.get(asked.headers["location"])
    following = re.search(r'name="next" value="([^"]+)"', form.text)
    assert following is not None
    code = desk.link().partition("code=")[2]
    data = {"code": code, "next": unescape(following[1])}
    back = client.post("/sign-in", data=data, headers={"Sec-Fetch-Site": "same-origin"})
    assert back.headers["location"] == f"{built}?step=3"


def test_a_form_of_a_session_that_has_ended_leads_to_signing_in_and_back_to_its_page(desk: Desk, built: str) -> None:
    visitor = desk.visitor("ends@example.com")
    form = visitor.hidden(visitor.get(built))
    visitor.client.cookies.clear()

    answer = visitor.send(f"{built}/undo", form)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={built.replace('/', '%2F')}"


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_else(desk: Desk, following: str) -> None:
    code = desk.link().partition("code=")[2]
    answer = httpx.post(
        f"{desk.url}/sign-in", data={"code": code, "next": following}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.headers["location"] == "/"


def test_a_form_without_the_token_of_its_session_changes_nothing(desk: Desk, lead: Visitor, built: str) -> None:
    before = len(run_views.listed(desk.context))
    answer = lead.send(f"{path_of(desk, built)}/audit", {"form_token": "0" * 64})

    assert answer.status_code == 403
    assert "reload the page" in words(answer.text)
    assert len(run_views.listed(desk.context)) == before


def test_undo_shows_its_plan_first_and_takes_the_project_back(desk: Desk, lead: Visitor) -> None:
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Undone", "UNDONE"))
    run = lead.press(plan, f"{plan}/apply")
    desk.wait_for_end(run.rpartition("/")[2])
    undo = lead.press(run, f"{run}/undo")
    shown = lead.get(undo)
    assert "Take back 136 items in Jira" in words(shown)
    assert f'href="{run}"' in shown, "the run that it takes back"
    assert "It takes back the run of" in words(shown)
    assert "Not now" in words(shown)
    back = lead.press(undo, f"{undo}/apply")
    desk.wait_for_end(back.rpartition("/")[2])
    assert "Completed, and taken back since" in words(lead.get(run))


def test_a_run_that_waits_says_until_when_looks_again_when_asked_and_is_cancelled(desk: Desk, lead: Visitor) -> None:
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Waiting", "WAIT"))
    desk.limited()
    run = lead.press(plan, f"{plan}/apply")
    eventually(lambda: "Waiting for Jira until" in words(lead.get(run)))
    page = words(lead.get(run))
    assert "It resumes automatically." in page
    assert "Look again now" in page
    lead.press(run, f"{run}/cancel")
    assert "Cancelled: what it wrote stays" in words(lead.get(run))
    again = lead.press(run, f"{run}/resume")
    desk.wait_for_end(again.rpartition("/")[2])
    assert "Another run took its work up." in words(lead.get(run))


def test_what_was_refused_is_told_with_who_can_fix_it_and_sent_again(desk: Desk, lead: Visitor) -> None:
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("There already", "SCRUM", create="no"))
    with desk.demanding("SCRUM"):
        run = lead.press(plan, f"{plan}/apply")
        desk.wait_for_end(run.rpartition("/")[2])
    page = words(lead.get(run))
    assert "Incomplete: what is below could not be done" in page
    assert "Who can fix it: The template's author" in page
    assert not re.search("phaseloop (runs|plan|apply|undo|status)", page), "no command where a button does the same"
    assert "51 refused: Tickets" in page
    assert "The same of others 50" in page
    again = lead.press(run, f"{run}/retry")
    desk.wait_for_end(again.rpartition("/")[2])
    assert "Completed" in words(lead.get(again))


def test_pausing_takes_a_reason_and_resuming_is_a_press(desk: Desk, lead: Visitor, built: str) -> None:
    project = path_of(desk, built)
    eventually(lambda: "Pause it" in lead.get(project))
    refused = lead.send(f"{project}/pause", {**lead.hidden(lead.get(project)), "reason": ""})
    assert refused.status_code == 422
    lead.press(project, f"{project}/pause", reason=HOSTILE)
    page = lead.get(project)
    assert "Paused." in page
    assert "<script>alert" not in page
    lead.press(project, f"{project}/resume")
    assert "Paused." not in lead.get(project)


def test_the_first_iteration_begins_and_its_record_is_audited_and_a_check_waived(
    desk: Desk, lead: Visitor, built: str
) -> None:
    project = path_of(desk, built)
    eventually(lambda: "Ideation &amp; Experimentation, iteration 1" in lead.get(project))
    eventually(lambda: "finding=1.D05" in lead.get(f"{project}/audit"))
    finding = f"{project}/audit?finding=1.D05"
    assert "Waive D05 for iteration 1" in lead.get(finding)
    waiver = {"check": "D05", "iteration": "1", "until": str(desk.monday)}
    form = {**lead.hidden(lead.get(finding)), **waiver}
    for wrong in (
        {"reason": "short"},
        {"reason": "long enough", "until": "someday"},
        {"iteration": "x"},
        {"check": "D99"},
    ):
        assert lead.send(f"{project}/waivers", {**form, "reason": "It is long enough.", **wrong}).status_code == 422
    back = lead.press(finding, f"{project}/waivers", **waiver, reason=f"No model was trained yet. {HOSTILE[:30]}")

    page = lead.get(back.partition("#")[0])
    assert "No model was trained yet." in page
    assert "<script>alert" not in page
    assert "D05 Decisions and why: Waived" in page
    viewer = desk.visitor("viewer@example.com", Role.VIEWER)
    assert "Waive D05" not in viewer.get(finding)
    assert "1 iteration begun" in words(viewer.get("/audit"))


def test_an_advance_is_shown_before_it_is_done_and_its_button_names_what_it_begins(
    desk: Desk, lead: Visitor, built: str
) -> None:
    project = path_of(desk, built)
    eventually(lambda: "Ideation &amp; Experimentation, iteration 1" in lead.get(project))
    page = words(lead.get(f"{project}/advance"))
    assert "Begin iteration 2 now" in page
    assert "Carried over into iteration 2" in page
    run = lead.press(f"{project}/advance", f"{project}/advance", begins="2")
    desk.wait_for_end(run.rpartition("/")[2])
    again = lead.press(f"{project}/advance", f"{project}/advance", begins="2")
    assert again == run, "a second press of an old page begins no other iteration"
    assert "iteration 2" in words(lead.get(project))


def test_a_part_of_a_page_is_that_part_alone(lead: Visitor, built: str) -> None:
    part = lead.client.get(built, headers={"X-Part": "live"}).text

    assert part.lstrip().startswith("<div")
    assert "Completed" in part
    assert "<html" not in part
    assert "<html" in lead.client.get(built, headers={"X-Part": "nothing"}).text


def test_files_are_kept_for_ever_under_their_digest_and_pages_are_not(desk: Desk, lead: Visitor) -> None:
    for name in assets.FILES:
        answer = httpx.get(desk.url + assets.address(name))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert httpx.get(f"{desk.url}/assets/old/style.css").headers["cache-control"] == "no-store"
    assert httpx.get(f"{desk.url}/assets/old/none.css").status_code == 404
    assert lead.client.get("/").headers["cache-control"] == "no-store"


def test_pages_hold_nothing_that_their_policy_forbids(desk: Desk, lead: Visitor, built: str) -> None:
    for path in ("/", built, path_of(desk, built), "/projects/new", "/runs", "/account", "/sign-in"):
        answer = lead.client.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! type=\"module\" src)", answer.text), path


def test_a_link_leads_only_to_what_is_there(desk: Desk, lead: Visitor, built: str) -> None:
    own = path_of(desk, built)
    eventually(lambda: "finding=1.D05" in lead.get(f"{own}/audit"))
    seen: set[str] = set()
    pages = ("/", built, "/projects/new", "/runs", "/account", "/audit", "/templates", "/templates/iterative-ml")
    for path in (
        *pages,
        own,
        f"{own}/evolution",
        f"{own}/evolution?q=why",
        f"{own}/advance",
        f"{own}/audit",
        f"{own}/audit?finding=1.D05",
    ):
        seen |= {unescape(one) for one in re.findall(r'(?:href|src)="(/[^"#]*)', lead.get(path))}
    assert len(seen) > 20
    wrong = {path: status for path in seen if (status := lead.client.get(path).status_code) != 200}
    assert wrong == {}


def test_a_program_gets_problems_and_no_pages(desk: Desk) -> None:
    token = tokens.create(desk.context, "program")
    answer = httpx.get(f"{desk.url}/projects/none", headers={"Authorization": f"Bearer {token}"})

    assert answer.headers["content-type"] == "application/problem+json"


def test_people_pasted_once_are_a_team_afterwards(desk: Desk, lead: Visitor, built: str) -> None:
    assert PEOPLE.startswith("person,email")
    assert "Team “Support triage”" in lead.get("/projects/new")
