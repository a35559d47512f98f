"""What happened is told by mail to people's own addresses: one mail a day at most of each kind, ended by a link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import HttpUrl

from connectors.guard import Guard
from connectors.network import Network
from service.domain.problems import InvalidInput
from service.usecases.notice import messages, receivers, unsubscribing
from service.usecases.notice.fan_out import A_DAY, TOGETHER, fan_out
from service.usecases.notice.receivers import Asked
from tests.integration.mail_server import PASSWORD, USER, MailServer, serving
from tests.integration.telling import Desk, desk
from tests.unit.connectors.relay import authority
from tests.unit.stores import NOON, project_row

ANA, BEN = "ana@example.com", "ben@example.com"
PAGES = "https://loop.example.com"


def reachable(at: Desk) -> Desk:
    """The desk of a service that people reach, so that links lead there."""
    settings = at.context.settings.model_copy(update={"public_url": HttpUrl(PAGES)})
    at.context = replace(at.context, settings=settings)
    at.sender = at.another("snd_first")
    return at


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk(request.param, tmp_path) as found:
        yield reachable(found)


@pytest.fixture
def desk_of_one(tmp_path: Path) -> Iterator[Desk]:
    with desk("sqlite", tmp_path) as found:
        yield reachable(found)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serving() as found:
        yield found


def tells(at: Desk, server: MailServer, *asked: Asked, secret: str = "", **more: object) -> None:
    settings = {"host": "127.0.0.1", "port": server.port, "sender": "phaseloop <loop@example.com>", "security": "none"}
    receivers.add(at.context, "mail", "email", {**settings, **more}, secret, asked or [Asked(ANA)])


def text_of(mail: EmailMessage, form: str = "plain") -> str:
    """What a mail says, in one of its two forms."""
    found = mail.get_body((form,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def later(at: Desk, span: timedelta = TOGETHER) -> None:
    at.told()
    at.clock.now += span
    at.told()


def test_a_notice_is_mailed_once_as_text_and_as_html(at: Desk, server: MailServer) -> None:
    tells(at, server)
    at.happens("Recall fell <below> 0.8 & stays.\nLook.", to=("ana",))

    later(at)

    [mail] = server.mails
    assert server.envelopes == [("loop@example.com", ANA)]
    assert (mail["From"], mail["To"]) == ("phaseloop <loop@example.com>", ANA)
    [row] = at.messages()
    assert (row.state, mail["Message-ID"]) == ("sent", f"<{row.id}@example.com>")
    assert "Recall fell <below> 0.8 & stays.\nLook." in text_of(mail)
    assert "Recall fell &lt;below&gt; 0.8 &amp; stays.<br>Look." in text_of(mail, "html")
    assert f"{PAGES}/projects/ML" in text_of(mail)
    assert mail["Auto-Submitted"] == "auto-generated"


def test_of_each_kind_there_is_one_mail_a_day_at_most_for_all_projects(at: Desk, server: MailServer) -> None:
    with at.context.database.session() as session:
        session.add(project_row("OTHER"))
    tells(at, server, Asked(ANA), Asked(BEN))
    end = NOON + timedelta(days=5)
    number = 0
    while at.clock() < end:
        for project in ("ML", "OTHER"):
            for kind in ("trigger", "held"):
                number += 1
                at.happens(f"{kind} {number}.", kind, project=project)
        at.told()
        at.clock.pass_by(hours=3)
    at.settled(hours=48)

    sent = [(row.channel, row.kind, row.asked_at) for row in at.messages("sent")]
    for channel in (ANA, BEN):
        for kind in ("message", "run-held"):
            times = sorted(when for to, what, when in sent if (to, what) == (channel, kind) and when is not None)
            assert len(times) >= 5
            assert all(after - before >= A_DAY for before, after in pairwise(times))
    told = [event for row in at.messages("sent") if row.channel == ANA for event in row.events]
    assert sorted(told) == sorted(set(told))
    assert len(told) == number
    assert any(row.project_id == "" for row in at.messages())


def test_what_comes_together_is_in_one_mail_by_project(desk_of_one: Desk, server: MailServer) -> None:
    with desk_of_one.context.database.session() as session:
        session.add(project_row("OTHER"))
    tells(desk_of_one, server)
    desk_of_one.happens("First of ML.")
    desk_of_one.told()
    desk_of_one.happens("Of the other.", project="OTHER")
    desk_of_one.happens("Second of ML.")

    later(desk_of_one)

    [mail] = server.mails
    assert mail["Subject"] == "3 notices: 2 projects"
    text = text_of(mail)
    assert [text.index(said) for said in ("First of ML.", "Second of ML.", "Of the other.")] == sorted(
        text.index(said) for said in ("First of ML.", "Second of ML.", "Of the other.")
    )
    assert "OTHER: Something happened (1)" in text


def test_two_processes_that_make_messages_at_once_make_one_mail(at: Desk, server: MailServer) -> None:
    tells(at, server)
    for _ in range(3):
        at.happens()
        fan_out(at.context)

    assert len(at.messages()) == 1


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_who_says_later_is_asked_again_later(at: Desk, server: MailServer, step: str) -> None:
    tells(at, server)
    server.refusing = {step: ["451 greylisted, come back", "450 not yet"]}
    at.happens()
    later(at)
    assert at.states() == ["waiting"]
    at.happens("comes along")

    at.settled()

    assert at.states() == ["sent"]
    assert len(server.mails) == 1
    assert "comes along" in text_of(server.mails[0])


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_what_breaks_off_before_the_mail_was_handed_over_is_sent_again(at: Desk, server: MailServer, step: str) -> None:
    tells(at, server)
    server.refusing = {step: ["abort", "abort"]}
    at.happens()
    later(at)
    assert at.states() == ["waiting"]

    at.settled()

    assert (at.states(), len(server.mails)) == (["sent"], 1)


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_who_says_no_is_not_asked_again(at: Desk, server: MailServer, step: str) -> None:
    tells(at, server)
    server.refusing = {step: ["550 no such person here"]}
    at.happens()

    later(at)
    at.settled()

    assert at.states() == ["failed"]
    assert "no such person here" in at.messages()[0].error
    assert (server.tried, len(server.mails)) == (1, 0)


@pytest.mark.parametrize(("how", "arrived"), [("close", 1), ("hang", 1), ("cut", 0)])
def test_a_mail_without_the_servers_word_for_it_is_in_doubt_and_not_sent_again(
    at: Desk, server: MailServer, how: str, arrived: int
) -> None:
    tells(at, server)
    server.lost = how
    at.happens()
    later(at)
    assert at.states() == ["in-doubt"]

    at.clock.pass_by(days=3)
    at.settled()
    assert (at.states(), server.tried) == (["in-doubt"], 1)

    [row] = at.messages()
    assert "notify replay" in row.error
    messages.replay(at.context, row.id)
    at.settled()
    assert (at.states(), len(server.mails)) == (["sent"], arrived + 1)


def test_a_server_that_is_not_there_was_sent_nothing(desk_of_one: Desk) -> None:
    with serving() as server:
        tells(desk_of_one, server)
    desk_of_one.happens()

    later(desk_of_one)

    assert desk_of_one.states() == ["waiting"]
    assert "could not be reached" in receivers.get(desk_of_one.context, "mail").trouble


def test_an_address_inside_is_not_called(desk_of_one: Desk, server: MailServer) -> None:
    desk_of_one.context = replace(desk_of_one.context, network=Network(guard=Guard(())))
    tells(desk_of_one, server, host="localhost")

    tried = receivers.test(desk_of_one.context, "mail")

    assert not tried.ok
    assert "PHASELOOP_ALLOWED_ADDRESSES" in tried.problems[0]
    assert server.tried == 0


# --- TLS and signing in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mails_go_over_tls_with_a_password(desk_of_one: Desk, tmp_path: Path, security: str) -> None:
    trusted = authority(tmp_path / "ca", "localhost")
    desk_of_one.context = replace(desk_of_one.context, network=Network(environ={}, ca_bundle=str(trusted.bundle)))
    with serving(trusted.context(), implicit=security == "tls", auth=True) as server:
        tells(desk_of_one, server, secret=PASSWORD, host="localhost", security=security, username=USER)
        tried = receivers.test(desk_of_one.context, "mail")

        assert (tried.problems, tried.account) == ((), f"loop@example.com at localhost:{server.port}")
        assert server.secured == [True]

        receivers.change(desk_of_one.context, "mail", secret="another")
        refused = receivers.test(desk_of_one.context, "mail")
        assert "does not accept the user name and password" in refused.problems[0]
        assert "another" not in refused.problems[0]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_not_trusted(desk_of_one: Desk, tmp_path: Path, security: str) -> None:
    with serving(authority(tmp_path / "ca", "localhost").context(), implicit=security == "tls", auth=True) as server:
        tells(desk_of_one, server, secret=PASSWORD, host="localhost", security=security, username=USER)
        tried = receivers.test(desk_of_one.context, "mail")

    assert "not trusted" in tried.problems[0]
    assert server.tried == 0


def test_a_server_without_tls_is_told_no_password(desk_of_one: Desk, server: MailServer) -> None:
    tells(desk_of_one, server, secret=PASSWORD, security="starttls", username=USER)

    tried = receivers.test(desk_of_one.context, "mail")

    assert "does not offer STARTTLS" in tried.problems[0]
    assert server.tried == 0


# --- ending it --------------------------------------------------------------------------------------------------------


def link_of(server: MailServer) -> str:
    mail = server.mails[-1]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(mail["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"{PAGES}/unsubscribe/")
    assert link in text_of(mail)
    assert link in text_of(mail, "html")
    return link.rpartition("/")[2]


def test_the_link_in_a_mail_ends_that_kind_at_that_address_alone(at: Desk, server: MailServer) -> None:
    tells(at, server, Asked(ANA))
    at.happens("one", "held")
    later(at)
    secret = link_of(server)
    at.happens("waits when it is ended", "held")
    at.told()

    assert unsubscribing.get(at.context, secret).wanted
    assert not unsubscribing.switch(at.context, secret, wanted=False).wanted
    assert not unsubscribing.switch(at.context, secret, wanted=False).wanted
    at.happens("not wanted", "held")
    at.happens("another kind")
    at.settled(hours=60)

    assert len(server.mails) == 2
    assert "another kind" in text_of(server.mails[-1])
    assert at.messages("skipped")[0].kind == "run-held"
    assert receivers.get(at.context, "mail").unsubscribed == ((ANA, "run-held"),)

    receivers.remove(at.context, "mail")
    at.clock.pass_by(minutes=1)
    tells(at, server, Asked("Ana@Example.com"))
    at.happens("still not wanted", "held")
    later(at)
    assert len(server.mails) == 2

    unsubscribing.switch(at.context, secret, wanted=True)
    at.happens("wanted again", "held")
    later(at)
    assert len(server.mails) == 3


def test_without_an_address_of_ours_there_is_no_mail(desk_of_one: Desk, server: MailServer) -> None:
    without = desk_of_one.context.settings.model_copy(update={"public_url": None})
    tells(desk_of_one, server)
    desk_of_one.context = replace(desk_of_one.context, settings=without)
    desk_of_one.sender = desk_of_one.another("snd_first")
    desk_of_one.happens()

    later(desk_of_one)

    assert server.tried == 0
    assert "PHASELOOP_PUBLIC_URL" in receivers.get(desk_of_one.context, "mail").trouble
    assert receivers.change(desk_of_one.context, "mail", paused=True).paused
    with pytest.raises(InvalidInput, match="PHASELOOP_PUBLIC_URL"):
        receivers.add(desk_of_one.context, "m", "email", {"host": "x", "sender": ANA}, "", [Asked(ANA)])
