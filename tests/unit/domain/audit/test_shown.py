"""Text of people as it may be shown, and addresses that may be followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.audit.shown import address, visible


@pytest.mark.parametrize(
    "text",
    ["plain", "two\nlines\tand a tab", "größer, 日本語, עברית, العربية", "👩‍💻 and क्‍ष", "soft\u00adhyphen", "a\u00a0b"],
)
def test_writing_of_any_script_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202egpj.exe", "[U+202E]gpj.exe"),
        ("a\u200bb", "a[U+200B]b"),
        ("\x1b[2J", "[U+001B][2J"),
        ("\x00", "[U+0000]"),
        ("\r\nwindows\rold", "\nwindows\nold"),
        ("\ud800", "\ufffd"),
        ("a\u2028b", "a[U+2028]b"),
    ],
)
def test_what_hides_or_forges_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(alphabet=st.characters()))
def test_what_is_shown_can_be_written_and_is_shown_once(text: str) -> None:
    shown = visible(text)

    shown.encode()
    assert visible(shown) == shown


@pytest.mark.parametrize("url", ["https://runs.example.com/1?a=b#c", "http://x.example.com", "HTTPS://x.example.com/ä"])
def test_web_addresses_may_be_followed(url: str) -> None:
    assert address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " https://x.example.com",
        "data:text/html,<b>",
        "file:///etc/passwd",
        "//x.example.com",
        "https:",
        "https://good.example.com@bad.example.com/",
        "https://good.example.com\\@bad.example.com",
        "https://[::1",
        "https://x.example.com/\u202efdp",
        "https://x.example.com/" + "a" * 3000,
        "",
    ],
)
def test_other_addresses_may_not(url: str) -> None:
    assert address(url) is None
