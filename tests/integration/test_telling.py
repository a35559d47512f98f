"""What happened is told in Slack: each message once, or shown as failed or in doubt, whatever goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk import WebClient

from sandbox.slack.state import GENERAL, HALF_TOKEN, ML_TEAM, OLD, OPS, TOKEN
from service.store import deliveries
from service.store.notice_tables import DeliveryRow, ReceiverRow
from service.store.tables import ProjectRow
from service.usecases.errors import Conflict
from service.usecases.notice import messages, receivers
from service.usecases.notice.fan_out import fan_out
from service.usecases.notice.receivers import Asked
from tests.integration.telling import Desk, desk
from tests.unit.stores import project_row


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def desk_of_one(tmp_path: Path) -> Iterator[Desk]:
    with desk("sqlite", tmp_path) as found:
        yield found


def test_what_happened_is_posted_once_and_recorded(at: Desk) -> None:
    at.by_bot()
    at.happens("The champion has a new version.", to=("ana",))

    at.told(3)

    slack = WebClient(TOKEN, base_url=f"{at.api}/", retry_handlers=[])
    [found] = slack.conversations_history(channel=ML_TEAM, include_all_metadata=True)["messages"]
    assert "The champion has a new version." in found["text"]
    [row] = at.messages()
    assert (row.state, row.attempts, row.posted, row.kind) == ("sent", 1, found["ts"], "message")
    assert found["metadata"] == {"event_type": "phaseloop_notice", "event_payload": {"delivery": row.id}}


def test_a_webhook_is_told_the_same(at: Desk) -> None:
    at.by_webhook()
    at.happens("The champion has a new version.")

    at.told(3)

    assert len(at.texts()) == 1
    assert at.states() == ["sent"]


def test_nothing_that_happened_before_is_told(desk_of_one: Desk) -> None:
    desk_of_one.happens()
    desk_of_one.clock.pass_by(minutes=1)
    desk_of_one.by_bot()

    desk_of_one.told()

    assert desk_of_one.messages() == []


def test_kinds_and_projects_lead_to_channels(desk_of_one: Desk) -> None:
    with desk_of_one.context.database.session() as session:
        session.add(project_row("OTHER"))
    everything, held = Asked(ML_TEAM, ["ML"]), Asked(OPS, [], ["run-held"])
    desk_of_one.by_bot(everything, held)
    desk_of_one.happens("of ML")
    desk_of_one.happens("held in ML", "held")
    desk_of_one.happens("of OTHER", project="OTHER")
    desk_of_one.happens("held in OTHER", "held", project="OTHER")
    desk_of_one.happens("nobody asked for that", "answered")

    desk_of_one.told(4)

    assert len(desk_of_one.texts(ML_TEAM)) == 2
    assert len(desk_of_one.texts(OPS)) == 2
    assert not any("OTHER" in text for text in desk_of_one.texts(ML_TEAM))


def test_messages_of_an_iteration_stand_in_one_thread(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    for number, text in ((1, "first"), (1, "second"), (2, "other"), (1, "third")):
        desk_of_one.happens(text, iteration=number)

    desk_of_one.told(6)

    first, second, other, third = desk_of_one.channel().messages
    assert [one.text.split()[-1] for one in (first, second, other, third)] == ["first", "second", "other", "third"]
    assert (first.thread_ts, other.thread_ts) == (None, None)
    assert second.thread_ts == third.thread_ts == first.ts


# --- lost answers -----------------------------------------------------------------------------------------------------


def test_a_message_whose_answer_was_lost_is_found_and_not_posted_again(at: Desk) -> None:
    at.by_bot()
    at.fault(action="lose")
    at.happens()

    at.told()
    assert at.states() == ["in-doubt"]
    at.settled()

    assert (at.states(), at.posts(), len(at.texts())) == (["sent"], 1, 1)
    assert at.messages()[0].posted == at.channel().messages[0].ts


def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    desk_of_one.happens(iteration=1)
    desk_of_one.told()
    desk_of_one.fault(action="lose")
    desk_of_one.happens(iteration=1)

    desk_of_one.settled()

    assert (desk_of_one.states(), len(desk_of_one.texts())) == (["sent", "sent"], 2)


def test_a_message_that_never_arrived_is_posted_again_once_it_is_not_found(at: Desk) -> None:
    at.by_bot()
    at.fault(action="reset")
    at.happens()

    at.settled()

    assert (at.states(), at.posts(), len(at.texts())) == (["sent"], 2, 1)


def test_a_message_that_was_not_found_is_posted_within_two_minutes(at: Desk) -> None:
    at.by_bot()
    at.fault(action="reset")
    at.happens()
    began = at.clock()

    at.settled()

    [row] = at.messages()
    assert row.ended_at is not None
    assert row.ended_at - began < timedelta(minutes=2)


def test_a_look_that_fails_is_repeated_until_it_succeeds(at: Desk) -> None:
    at.by_bot()
    at.fault(action="lose")
    for _ in range(2):
        at.fault(action="status", status=302, body="html", path="conversations.history", method="GET")
    at.happens()

    at.settled()

    assert (at.states(), at.posts(), len(at.texts())) == (["sent"], 1, 1)


@pytest.mark.parametrize("arrived", [True, False])
def test_an_answer_that_takes_too_long_is_in_doubt(desk_of_one: Desk, arrived: bool) -> None:
    desk_of_one.by_bot()
    desk_of_one.fault(action="hang", done=arrived)
    desk_of_one.happens()

    desk_of_one.told()
    assert desk_of_one.states() == ["in-doubt"]
    desk_of_one.settled()

    assert (desk_of_one.states(), len(desk_of_one.texts())) == (["sent"], 1)


@pytest.mark.parametrize("done", [True, False])
def test_an_error_on_their_side_is_in_doubt(desk_of_one: Desk, done: bool) -> None:
    desk_of_one.by_bot()
    desk_of_one.fault(action="status", status=503, body="html", done=done)
    desk_of_one.happens()

    desk_of_one.settled()

    assert (desk_of_one.states(), len(desk_of_one.texts())) == (["sent"], 1)


@pytest.mark.parametrize("action", ["lose", "reset"])
def test_of_a_webhook_it_stays_in_doubt_until_a_person_says_so(at: Desk, action: str) -> None:
    at.by_webhook()
    at.fault(action=action)
    at.happens()

    at.settled()
    [row] = at.messages()
    assert (row.state, row.next_at, at.posts()) == ("in-doubt", None, 1)
    assert f"phaseloop notify replay {row.id}" in row.error

    messages.replay(at.context, row.id)
    at.settled()
    assert (at.states(), at.posts()) == (["sent"], 2)


def test_where_the_channel_cannot_be_read_it_stays_in_doubt(desk_of_one: Desk) -> None:
    desk_of_one.by_bot(token=HALF_TOKEN)
    desk_of_one.fault(action="lose")
    desk_of_one.happens()

    desk_of_one.settled()

    [row] = desk_of_one.messages()
    assert (row.state, desk_of_one.posts()) == ("in-doubt", 1)
    assert "channels:history" in row.error


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_refusal_for_rate_is_waited_for_as_long_as_it_says(at: Desk) -> None:
    at.by_bot()
    at.fault(action="limit", retryAfter=40)
    at.happens()
    at.happens()

    at.told()
    before = at.posts()
    at.told(20)
    assert (before, at.posts()) == (1, 1)
    at.clock.pass_by(seconds=20)
    at.told(5)

    assert (at.states(), len(at.texts())) == (["sent", "sent"], 2)


def test_a_channel_that_is_archived_is_tried_for_a_day_then_given_up_and_can_be_replayed(at: Desk) -> None:
    at.by_bot(Asked(OLD), Asked(GENERAL))
    at.happens()

    at.settled(hours=40)
    [failed] = at.messages("failed")
    assert (failed.channel, len(at.texts(GENERAL))) == (OLD, 1)
    assert "is_archived" in failed.error
    assert 5 < failed.attempts < 15
    assert (failed.ended_at or at.clock()) - failed.created_at > deliveries.LEASE * 100  # hours

    at.channel(OLD).archived = False
    assert messages.replay_all(at.context, state="failed") == 1
    at.settled()
    assert (at.states(), len(at.texts(OLD))) == (["sent", "sent"], 1)


def test_a_token_that_is_revoked_stops_everything_until_another_is_given(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    kept = desk_of_one.sandbox.slack.data.tokens.pop("xoxb-sandbox-token")
    for _ in range(4):
        desk_of_one.happens()
    desk_of_one.told(10)
    assert desk_of_one.posts() == 1
    assert "invalid_auth" in receivers.get(desk_of_one.context, "slack").trouble

    desk_of_one.sandbox.slack.data.tokens["xoxb-another"] = kept
    receivers.change(desk_of_one.context, "slack", secret="xoxb-another")
    desk_of_one.settled()

    assert desk_of_one.states() == ["sent"] * 4
    assert receivers.get(desk_of_one.context, "slack").trouble == ""


def test_a_service_that_cannot_be_reached_is_tried_again(desk_of_one: Desk) -> None:
    receivers.add(
        desk_of_one.context, "slack", "slack", {"url": "http://127.0.0.1:9"}, "xoxb-sandbox-token", [Asked(ML_TEAM)]
    )
    desk_of_one.happens()
    desk_of_one.told()
    [row] = desk_of_one.messages()
    assert (row.state, "could not be reached" in row.error) == ("waiting", True)


def test_a_message_that_is_not_taken_fails_at_once(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    desk_of_one.fault(action="status", status=200, body={"ok": False, "error": "invalid_blocks"})
    desk_of_one.happens()

    desk_of_one.told(3)

    assert (desk_of_one.states(), desk_of_one.posts()) == (["failed"], 1)


# --- processes --------------------------------------------------------------------------------------------------------


def test_two_processes_at_once_post_each_message_once(at: Desk) -> None:
    at.by_bot()
    other = at.another("snd_second")
    for _ in range(4):
        at.happens()
    for _ in range(12):
        fan_out(at.context)
        at.sender.turn()
        other.turn()
        at.clock.pass_by(seconds=0.7)

    assert (at.states(), at.posts()) == (["sent"] * 4, 4)


def test_processes_that_really_run_beside_each_other_post_each_message_once(at: Desk) -> None:
    at.by_bot(*(Asked(channel) for channel in (GENERAL, ML_TEAM, OPS)))
    errors: list[Exception] = []

    def works(name: str) -> None:
        sender = at.another(name)
        try:
            for _ in range(12):
                fan_out(at.context)
                sender.turn()
                at.clock.pass_by(seconds=0.6)
        except Exception as error:  # noqa: BLE001 - told by the assertion
            errors.append(error)

    for _ in range(3):
        at.happens()
    workers = [threading.Thread(target=works, args=(f"snd_{number}",)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    at.settled()

    assert errors == []
    assert at.states() == ["sent"] * 9
    assert [len(at.texts(channel)) for channel in (GENERAL, ML_TEAM, OPS)] == [3, 3, 3]


def test_a_receiver_that_is_held_is_left_to_whoever_has_it(at: Desk) -> None:
    at.by_bot()
    at.happens()
    fan_out(at.context)
    with at.context.database.session() as session:
        assert deliveries.take(session, at.clock(), "snd_other") is not None

    assert at.sender.turn() is False
    at.clock.pass_by(minutes=4)
    at.settled()

    assert (at.states(), at.posts()) == (["sent"], 1)


def test_a_process_that_was_away_for_long_sends_nothing_when_it_comes_back(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    desk_of_one.happens()
    fan_out(desk_of_one.context)
    with desk_of_one.context.database.session() as session:
        receiver = deliveries.take(session, desk_of_one.clock(), "snd_first")
        assert receiver is not None
        rows = deliveries.due(session, receiver.id, desk_of_one.clock(), 10)
    began = desk_of_one.clock().timestamp()
    desk_of_one.clock.pass_by(minutes=5)

    desk_of_one.sender._all(receiver, rows, began)

    assert desk_of_one.posts() == 0


# --- bursts -----------------------------------------------------------------------------------------------------------


def test_a_burst_becomes_a_few_messages_without_a_refusal_for_rate(at: Desk) -> None:
    at.sandbox.world.controls.limits.enabled = True
    at.by_bot()
    for _ in range(500):
        at.happens()
    for _ in range(20):
        at.told()
        at.sandbox.world.clock.advance(at.clock() - at.sandbox.world.clock.now())

    assert set(at.states()) == {"sent"}
    assert len(at.texts()) < 20
    assert sum(len(row.events) for row in at.messages()) == 500
    assert at.sandbox.world.controls.log.statuses["429"] == 0


def test_a_steady_stream_is_gathered_too(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    for _ in range(150):
        desk_of_one.happens()
        desk_of_one.told()
    desk_of_one.settled()

    assert sum(len(row.events) for row in desk_of_one.messages("sent")) == 150
    assert len(desk_of_one.texts()) < 18


# --- projects ---------------------------------------------------------------------------------------------------------


def test_a_renamed_project_is_told_of_under_its_new_name_in_the_same_channel(desk_of_one: Desk) -> None:
    desk_of_one.by_bot(Asked(ML_TEAM, ["ML"]))
    with desk_of_one.context.database.session() as session:
        row = session.get_one(ProjectRow, "ML")
        row.key, row.name = "CHURN", "Churn"
    desk_of_one.happens()

    desk_of_one.told()

    assert "CHURN" in desk_of_one.texts()[0]


def test_of_a_project_that_has_ended_only_that_is_told(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    desk_of_one.happens("made before it ended")
    fan_out(desk_of_one.context)
    with desk_of_one.context.database.session() as session:
        session.get_one(ProjectRow, "ML").ended_at = desk_of_one.clock()
    desk_of_one.happens("after that")
    desk_of_one.happens("ML has ended.", "ended")

    desk_of_one.told(4)

    assert len(desk_of_one.texts()) == 1
    assert "ML has ended." in desk_of_one.texts()[0]
    assert sorted(desk_of_one.states()) == ["sent", "skipped"]


# --- looking after them -----------------------------------------------------------------------------------------------


def test_what_was_sent_is_not_sent_again(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    desk_of_one.happens()
    desk_of_one.told()
    [row] = desk_of_one.messages()

    with pytest.raises(Conflict):
        messages.replay(desk_of_one.context, row.id)


def test_a_receiver_that_is_removed_takes_what_was_not_sent_with_it(desk_of_one: Desk) -> None:
    desk_of_one.by_bot()
    desk_of_one.happens()
    fan_out(desk_of_one.context)

    receivers.remove(desk_of_one.context, "slack")
    desk_of_one.told(2)

    assert (desk_of_one.states(), desk_of_one.texts()) == (["skipped"], [])


def test_a_receiver_that_is_removed_leaves_what_may_have_arrived_in_doubt(desk_of_one: Desk) -> None:
    at = desk_of_one
    at.by_webhook()
    at.fault(action="lose")
    at.happens()
    at.told()

    receivers.remove(at.context, "slack")
    at.told(2)

    [row] = at.messages()
    assert (row.state, row.next_at, len(at.texts())) == ("in-doubt", None, 1)
    assert "receiver was removed" in row.error


def test_the_credential_is_kept_encrypted_and_shown_nowhere(desk_of_one: Desk) -> None:
    desk_of_one.by_webhook()
    desk_of_one.fault(action="status", status=404, body="text")
    desk_of_one.happens()
    desk_of_one.told()

    with desk_of_one.context.database.session() as session:
        row = session.get_one(ReceiverRow, receivers.get(desk_of_one.context, "slack").id)
        [sent] = session.query(DeliveryRow).all()
    assert b"sandbox-webhook" not in row.secret
    assert "sandbox-webhook" not in str([row.settings, row.trouble, sent.error, receivers.listed(desk_of_one.context)])
