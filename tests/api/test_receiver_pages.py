"""The pages of receivers and messages over HTTP, as a browser without a script uses them. What is true afterwards is
asked of the store, and of the sandbox's Slack where it is posted there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import count

import pytest

from connectors.receivers import KINDS
from service.api.problems import _PAGE as POLICY
from service.domain.access.roles import Role
from service.domain.notice.kinds import NoticeKind
from service.notify.port import Notice, Outbox
from service.usecases.notice import messages, receivers
from service.usecases.setup import projects
from tests import plain
from tests.pages_desk import Desk, Visitor, served_desk
from tests.waiting import eventually

ML_TEAM, OPS, OLD, TOKEN = "C0000000002", "C0000000003", "C0000000005", "xoxb-sandbox-token"
EVIL = "<script>alert(1)</script>"
_numbers = count(1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


@pytest.fixture(scope="module")
def lead(desk: Desk) -> Visitor:
    return desk.visitor()


@pytest.fixture(scope="module")
def viewer(desk: Desk) -> Visitor:
    return desk.visitor("viewer@example.com", Role.VIEWER)


@pytest.fixture(scope="module")
def project(desk: Desk, lead: Visitor) -> str:
    """The id of a project that was built."""
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Support triage", "SUP"))
    desk.wait_for_end(lead.press(plan, f"{plan}/apply").rpartition("/")[2])
    return projects.get(desk.context, "SUP").id


def words(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def added(desk: Desk, lead: Visitor, **more: str) -> str:
    """The path of a new receiver in the sandbox's Slack."""
    entered = {
        "kind": "slack",
        "name": f"slack-{next(_numbers)}",
        "r_slack_url": f"{desk.sandbox.url}/slack/api",
        "r_slack_secret": TOKEN,
        "channel": ML_TEAM,
    }
    return lead.press("/receivers/new", "/receivers/new", **{**entered, **more})


def posted(desk: Desk, channel: str) -> list[str]:
    return [one.text for one in desk.sandbox.slack.data.channels[channel].messages]


def test_a_receiver_is_added_by_a_form_and_its_credential_is_shown_nowhere(
    desk: Desk, lead: Visitor, project: str
) -> None:
    path = added(desk, lead, projects="SUP", **{"notice.run-failed": "yes", "notice.run-held": "yes"})

    [wanted] = receivers.get(desk.context, path.rpartition("/")[2]).subscriptions
    assert (wanted.project, set(wanted.kinds), wanted.channel) == (project, {"run-failed", "run-held"}, ML_TEAM)
    page = lead.get(path)
    assert "A run is held: somebody is needed; A run did not do all it should of SUP to C0000000002" in words(page)
    assert TOKEN not in page + lead.get("/receivers")


def test_every_mistake_is_told_at_its_field_and_what_was_entered_stays(desk: Desk, lead: Visitor) -> None:
    hidden = lead.hidden(lead.get("/receivers/new"))
    wrong = {"kind": "slack", "name": EVIL, "r_slack_secret": "xoxp-1", "channel": ML_TEAM, "projects": "SUP"}

    answer = lead.send("/receivers/new", {**hidden, **wrong, "notice.run-held": "yes"})
    channel = lead.send("/receivers/new", {**hidden, **wrong, "r_slack_secret": TOKEN, "channel": "#general"})
    nowhere = lead.send("/receivers/new", {**hidden, **wrong, "r_slack_secret": TOKEN, "projects": "NONE"})

    assert (answer.status_code, channel.status_code, nowhere.status_code) == (422, 422, 422)
    assert 'id="r_slack_secret-e"' in answer.text
    assert "xoxp-1" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert EVIL not in answer.text
    assert 'name="notice.run-held" value="yes" checked' in answer.text
    assert 'id="channel-e"' in channel.text
    assert 'id="projects-e"' in nowhere.text
    assert receivers.listed(desk.context) == [
        one for one in receivers.listed(desk.context) if one.name.startswith("slack-")
    ]


def test_a_name_that_is_taken_is_told_at_the_name(desk: Desk, lead: Visitor) -> None:
    added(desk, lead, name="slack-twice")
    hidden = lead.hidden(lead.get("/receivers/new"))
    again = {"kind": "slack", "name": "slack-twice", "r_slack_secret": TOKEN, "channel": ML_TEAM}

    answer = lead.send("/receivers/new", {**hidden, **again})

    assert answer.status_code == 422
    assert "There is a receiver 'slack-twice' already." in words(answer.text)
    assert 'id="name-e"' in answer.text


def test_every_kind_of_receiver_and_of_notice_is_offered_by_what_it_says_of_itself(lead: Visitor) -> None:
    page = lead.get("/receivers/new")

    for name, kind in KINDS.items():
        assert f'name="kind" value="{name}"' in page
        assert kind.title in words(page)
        assert kind.secret_words in words(page)
        assert all(f'name="r_{name}_{setting}"' in page for setting, _words, _switch in kind.given)
    assert re.findall(r'name="notice\.([a-z-]+)"', page) == [one.value for one in NoticeKind]


def test_what_is_told_is_changed_by_forms_one_subscription_at_a_time(desk: Desk, lead: Visitor, project: str) -> None:
    path = added(desk, lead)

    lead.press(path, f"{path}/subscribe", channel=OPS, projects="SUP")
    both = receivers.get(desk.context, path.rpartition("/")[2]).subscriptions
    lead.press(path, f"{path}/unsubscribe", project="", channel=ML_TEAM)
    one = receivers.get(desk.context, path.rpartition("/")[2]).subscriptions

    assert [(each.project, each.channel) for each in both] == [(None, ML_TEAM), (project, OPS)]
    assert [(each.project, each.channel) for each in one] == [(project, OPS)]


def test_a_channel_that_is_none_is_told_at_its_field(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead)

    answer = lead.send(f"{path}/subscribe", {**lead.hidden(lead.get(path)), "channel": "#general"})

    assert answer.status_code == 422
    assert 'id="channel-e"' in answer.text
    assert 'value="#general"' in answer.text


def test_a_test_is_posted_once_however_often_it_is_pressed(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead, channel=OPS)
    hidden, before = lead.hidden(lead.get(path)), len(posted(desk, OPS))

    answers = [lead.send(f"{path}/test", hidden) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 200]
    assert "Posted to C0000000003" in words(answers[0].text)
    assert len(posted(desk, OPS)) == before + 1


def test_what_is_wrong_with_a_channel_is_told_by_its_test(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead, channel=OLD)

    answer = lead.send(f"{path}/test", lead.hidden(lead.get(path)))

    assert "is_archived" in words(answer.text)
    assert "Not all was posted" in words(answer.text)


def test_a_credential_is_replaced_and_a_wrong_one_refused(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead)
    version = receivers.get(desk.context, path.rpartition("/")[2]).version

    answer = lead.send(f"{path}/credential", {**lead.hidden(lead.get(path)), "secret": "nonsense"})
    lead.press(path, f"{path}/credential", secret="xoxb-sandbox-posts-only")

    assert answer.status_code == 422
    assert 'id="secret-e"' in answer.text
    assert "nonsense" not in answer.text
    assert receivers.get(desk.context, path.rpartition("/")[2]).version == version + 1


def test_a_receiver_is_removed_with_its_credential(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead)

    assert lead.press(path, f"{path}/remove") == "/receivers"

    assert lead.get(path, 404)
    assert path.rpartition("/")[2] not in [one.id for one in receivers.listed(desk.context)]


def test_a_message_is_looked_at_and_nothing_is_sent(desk: Desk, viewer: Visitor, project: str) -> None:
    before = len(messages.listed(desk.context, 100))

    page = words(viewer.get(f"/receivers/preview?project={project}&kind=record-escalated"))

    assert "A record is late and not fixed" in page
    assert "these words are an example's" in page
    assert '"blocks"' in page
    assert len(messages.listed(desk.context, 100)) == before
    assert viewer.get(f"/receivers/preview?project={project}&kind=nothing", 422)
    assert viewer.get("/receivers/preview?project=none&kind=finding", 404)


def test_a_message_that_failed_is_found_and_sent_again(
    desk: Desk, lead: Visitor, viewer: Visitor, project: str
) -> None:
    for one in receivers.listed(desk.context):
        receivers.remove(desk.context, one.id)
    receiver = added(desk, lead, projects="SUP").rpartition("/")[2]
    fault = {"action": "status", "path": "chat.postMessage", "status": 200, "body": {"ok": False, "error": "no_text"}}
    plain.post(f"{desk.sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    with desk.context.database.session() as session:
        notice = Notice(project, "trigger:x", "trigger", f"Look {EVIL}.", desk.context.now(), "clock")
        Outbox().notify(session, notice)
    eventually(lambda: messages.listed(desk.context, 9, state="failed", receiver=receiver), 30)
    path = f"/deliveries?state=failed&receiver={receiver}"
    [failed] = messages.listed(desk.context, 9, state="failed", receiver=receiver)

    shown = lead.get(path)
    assert "no_text" in words(shown)
    assert "Send all again that are failed" in words(shown)
    assert "Send it again" not in words(viewer.get(path))
    refused = viewer.send(f"/deliveries/{failed.id}/replay", viewer.hidden(viewer.get("/account")))
    assert refused.status_code == 403

    assert lead.press(path, f"/deliveries/{failed.id}/replay", receiver=receiver) == f"/deliveries?receiver={receiver}"
    eventually(lambda: messages.get(desk.context, failed.id).state == "sent", 30)
    assert "No message fits" in words(lead.get(path))
    assert "Something happened" in words(lead.get(f"/deliveries?receiver={receiver}"))


def test_who_only_reads_sees_receivers_and_can_change_nothing(desk: Desk, lead: Visitor, viewer: Visitor) -> None:
    path = added(desk, lead)
    page = viewer.get(path)

    assert f'action="{path}' not in page
    assert "Add a receiver" not in words(viewer.get("/receivers"))
    assert viewer.get("/receivers/new", 403)
    for action in ("subscribe", "unsubscribe", "credential", "test", "remove"):
        assert viewer.send(f"{path}/{action}", viewer.hidden(page)).status_code == 403
    assert receivers.get(desk.context, path.rpartition("/")[2]).version == 1


def test_who_sees_some_projects_only_has_no_way_to_receivers(desk: Desk, project: str) -> None:
    some = desk.visitor("some@example.com", Role.LEAD, ["SUP"])

    assert '"/receivers"' not in some.get("/")
    assert some.get("/receivers", 403)
    assert some.get("/deliveries", 403)


def test_the_pages_hold_nothing_that_their_policy_forbids(desk: Desk, lead: Visitor, project: str) -> None:
    path = added(desk, lead)
    for one in (
        "/receivers",
        "/receivers/new",
        path,
        "/deliveries",
        f"/receivers/preview?project={project}&kind=finding",
    ):
        answer = lead.client.get(one)
        assert answer.headers["content-security-policy"] == POLICY
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! type=\"module\" src)", answer.text), one
