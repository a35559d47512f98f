"""A message as a mail: two forms of the same, with nothing in it that people did not write as text."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from connectors.email.mail import LINES, body_of, mail_of
from connectors.messages import Line, Message, Part

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\r\nBcc: eve@example.com\x00"


def written(message: Message) -> EmailMessage:
    raw = mail_of(message, "dlv_1", "Loop <loop@example.com>", "ana@example.com", AT).as_bytes()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_what_people_wrote_adds_no_header_and_no_markup() -> None:
    message = Message(EVIL, (Part(EVIL, EVIL, (Line(EVIL, "javascript:alert(1)", EVIL),)),), foot=EVIL)

    found = written(message)

    assert found["Bcc"] is None
    html = body_of(message)["html"]
    assert "<script" not in html
    assert "javascript:" not in html


def test_a_link_is_an_address_of_the_web_and_stays_one_in_an_attribute() -> None:
    good = Message("t", (Part(lines=(Line("ML-1", "https://t.example/?a=1&b='2'"),)),), url='https://x.example/"><b>')

    html = body_of(good)["html"]

    assert 'href="https://t.example/?a=1&amp;b=&#x27;2&#x27;"' in html
    assert "<b>" not in html


def test_a_long_link_in_a_header_is_not_folded() -> None:
    link = "https://" + "x" * 200 + ".example/unsubscribe/" + "y" * 60
    raw = mail_of(Message("t", unsubscribe=link), "dlv_1", "l@example.com", "a@example.com", AT).as_bytes()

    assert f"List-Unsubscribe: <{link}>\r\n".encode() in raw
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_too_many_lines_are_cut_and_it_says_where_the_rest_is() -> None:
    lines = tuple(Line(f"line {number}") for number in range(LINES + 1))
    message = Message("t", (Part("p", lines=lines), Part("q", "after")), rest="All of it stands there.")

    text = body_of(message)["text"]

    assert f"line {LINES - 1}\n" in text
    assert f"line {LINES}\n" not in text
    assert "after" in text
    assert "All of it stands there." in text


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=100))
def test_whatever_people_write_arrives_as_a_mail(title: str, text: str, url: str) -> None:
    found = written(Message(title, (Part(title, text, (Line(text, url),)),), url=url, foot=title, unsubscribe=""))

    assert found.get_body(("plain",)) is not None
    assert found.get_body(("html",)) is not None
    assert not found.defects
