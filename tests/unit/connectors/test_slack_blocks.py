"""Messages as Slack's blocks: within its limits whatever they hold, and what people wrote is text and nothing else."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.messages import Line, Message, Part
from connectors.slack.blocks import BLOCKS, TEXT, body_of, escaped, linked, width
from sandbox.slack.blocks import checked

WILD = st.text(
    st.sampled_from("ab <>&|*_`~@!#\n\r\t\x00\u200b\U0001f600ä") | st.characters(), max_size=80
) | st.sampled_from(["<!channel>", "<@U123>", "&" * 5000, "<" * 3001, "x" * 9000, "\U0001f600" * 2999, "\ud800"])
ADDRESSES = st.sampled_from(
    [
        "",
        "https://tracker.example.com/ML-1",
        "javascript:alert(1)",
        "https://x.example/a|b>c<d e",
        "https://[",
        "x" * 4000,
    ]
)
LINES = st.builds(Line, WILD, ADDRESSES, WILD)
PARTS = st.builds(Part, WILD, WILD, st.lists(LINES, max_size=30).map(tuple))
MESSAGES = st.builds(Message, WILD, st.lists(PARTS, max_size=12).map(tuple), ADDRESSES, WILD, WILD, WILD)


@settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to make such messages smaller takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(MESSAGES)
def test_every_message_is_within_the_limits(message: Message) -> None:
    body = body_of(message)

    checked(body)  # the sandbox is as strict as Slack is
    assert len(body["blocks"]) <= BLOCKS
    assert width(body["text"]) <= TEXT


@given(WILD, st.integers(10, 3000))
def test_what_is_escaped_is_within_its_bound_and_never_cut_within_a_sign(text: str, most: int) -> None:
    found = escaped(text, most)

    assert width(found) <= most
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", found)


@given(WILD)
def test_what_fits_reads_as_it_was_written(text: str) -> None:
    found = escaped(text, 100_000)
    plain = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", text))

    assert found == html.escape(plain, quote=False)


@pytest.mark.parametrize(
    "text", ["<!channel> look", "<!here>", "<@U0000000001>", "<#C1|x>", "<https://evil.example|ok>"]
)
def test_nobody_is_mentioned_and_nothing_is_linked_by_what_people_wrote(text: str) -> None:
    message = Message(text, (Part(text, text, (Line(text, more=text),)),), foot=text)

    said = str(body_of(message))

    assert "<" not in said
    assert all(one["text"]["verbatim"] for one in body_of(message)["blocks"] if one["type"] == "section")


def test_an_address_that_cannot_be_one_is_left_out() -> None:
    assert linked("text", "javascript:alert(1)") == "text"
    assert linked("a|b", "https://x.example/?a=1&b=2|3") == "<https://x.example/?a=1&amp;b=2%7C3|a¦b>"


def test_what_does_not_fit_is_shortened_and_says_where_all_of_it_is() -> None:
    lines = tuple(Line(f"Ticket {number} {'long ' * 20}") for number in range(500))
    page = "https://loop.example.com/projects/ML"
    message = Message("Many", (Part(lines=lines),), page, "Open", "The rest is behind it.")

    texts = [one["text"]["text"] for one in body_of(message)["blocks"]]

    assert "The rest is behind it." in texts
    assert texts[-1] == f"<{page}|Open>"
    assert "Ticket 0 " in texts[1]


def test_what_fits_is_not_said_to_be_shortened() -> None:
    message = Message("One", (Part(text="Short."),), rest="The rest is elsewhere.")

    assert "elsewhere" not in str(body_of(message))
