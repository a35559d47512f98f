"""A month of three projects, told in Slack, by mail and to a program: nobody gets more than is documented, and each
notice once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import HttpUrl
from sqlalchemy import select, update

from service import schedule
from service.domain.notice.kinds import NoticeKind
from service.store import loops
from service.store.tables import EventRow, LoopRow, TeamRow
from service.usecases.notice import hours, receivers
from service.usecases.notice.composing import told_of
from service.usecases.notice.receivers import Asked
from tests.integration.mail_server import serving
from tests.integration.telling import desk
from tests.integration.test_telling_in_hours import TEAM
from tests.integration.webhook_listener import SECRET, listening
from tests.unit.stores import project_row

BEGAN = datetime(2026, 3, 2, 0, 40, tzinfo=UTC)
MONTH = timedelta(days=30)
STEP = timedelta(hours=3)
PROJECTS = ("ML", "CHURN", "PRICES")
PEOPLE = ("ana@example.com", "ben@example.com")
HAPPENS = ("trigger", "held", "failed", "record-due", "finding", "waiting")


def working_days() -> int:
    days = (BEGAN.date() + timedelta(days=number) for number in range(MONTH.days))
    return sum(day.weekday() < 5 for day in days)


def test_a_month_of_three_projects_is_told_within_what_is_documented(tmp_path: Path) -> None:
    chance = random.Random(20)
    with desk("sqlite", tmp_path) as at, serving() as server, listening() as program:
        settings = at.context.settings.model_copy(update={"public_url": HttpUrl("https://loop.example.com")})
        at.context = replace(at.context, settings=settings)
        at.sender, at.clock.now = at.another("snd_first"), BEGAN
        with at.context.database.session() as session:
            session.get_one(TeamRow, "team").body = TEAM
            session.add_all([project_row(name) for name in PROJECTS[1:]])
            session.flush()
            for name in PROJECTS:
                loops.create_if_missing(session, name, BEGAN, next_due=None)
            session.execute(update(LoopRow).values(current=1))
        for name in PROJECTS:
            hours.put(at.context, name, "20:00", "07:00", days_off=True, stand_up="09:30")
        of = {"host": "127.0.0.1", "port": server.port, "sender": "loop@example.com", "security": "none"}
        receivers.add(at.context, "mail", "email", of, "", [Asked(person) for person in PEOPLE])
        receivers.add(at.context, "program", "webhook", {"url": program.url}, SECRET, [Asked()])
        at.by_bot()

        while at.clock() < BEGAN + MONTH:
            for _ in range(chance.choice((0, 0, 0, 1, 7))):
                at.happens(kind=chance.choice(HAPPENS), project=chance.choice(PROJECTS))
            if at.clock().hour > 12 and chance.random() < 0.2:
                server.refusing = {"RCPT": ["451 come back"] * 2}
            schedule.fire(at.context, at.clock())
            begins = at.clock()
            at.told(25 if begins.hour == 9 else 1)  # one message a second to a channel
            at.clock.now = begins + STEP
        at.settled(hours=96)

        assert [row.error for row in at.messages() if row.state != "sent"] == []
        with at.context.database.session() as session:
            told = {row.id: found for row in session.scalars(select(EventRow)) if (found := told_of(row)) is not None}
        assert Counter(one.kind for one in told.values())[NoticeKind.STAND_UP] == working_days() * len(PROJECTS)
        names = {row.id: row.name for row in receivers.listed(at.context)}
        for place in [("mail", person) for person in PEOPLE] + [("program", ""), ("slack", "C0000000002")]:
            events = [
                event for row in at.messages() if (names[row.receiver_id], row.channel) == place for event in row.events
            ]
            assert sorted(events) == sorted(told), place
        assert set(program.ids.values()) == {1}
        mails: Counter[tuple[str, str, date]] = Counter(
            (row.channel, row.kind, row.asked_at.date())
            for row in at.messages()
            if names[row.receiver_id] == "mail" and row.kind != "stand-up" and row.asked_at is not None
        )
        assert set(mails.values()) == {1}
        assert len(server.mails) == len([row for row in at.messages() if names[row.receiver_id] == "mail"])
        quiet = [row for row in at.messages() if names[row.receiver_id] != "program" and row.asked_at is not None]
        assert all(7 <= row.asked_at.hour < 20 and row.asked_at.weekday() < 5 for row in quiet if row.asked_at)
