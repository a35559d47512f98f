"""What an event holds: read with care, and shown without its secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.hook.payload import DEEPEST, HIDDEN, Unreadable, read, redacted, written

JSON = "application/json"


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"{", JSON, "not JSON"),
        (b'{"a": 1', JSON, "not JSON"),
        (b"", JSON, "not JSON"),
        (b"[1]", JSON, "object"),
        (b"1", JSON, "object"),
        (b'{"a": NaN}', JSON, "^`a` is NaN, which is no number of JSON$"),
        (b'{"a": [0, {"b c": -Infinity}]}', JSON, r"^`a\[1\]\.b c` is -Infinity, which is no number of JSON$"),
        (b'{"a": {"b": 1e999}}', JSON, r"^`a\.b` is a number too large to be kept: 1e999$"),
        (b'{"a": [-1e400]}', JSON, r"^`a\[0\]` is a number too large to be kept: -1e400$"),
        (b'{"a": ' + b"9" * 10000 + b"}", JSON, r"^`a` is a number too large to be kept: 9{20}…$"),
        (b'{"a": 1, "b": 2, "a": 3}', JSON, "^the name `a` stands twice$"),
        (b'{"x": [{}, {"y": {"a": 1, "a": 1}}]}', JSON, r"^the name `a` stands twice in `x\[1\]\.y`$"),
        (b'{"x": {"x": 1, "x": NaN}}', JSON, r"^the name `x` stands twice in `x`$"),
        (b'{"' + b"k" * 9000 + b'": NaN}', JSON, r"^`k{200}` is NaN"),
        (b'{"\xc2\x80\\n": NaN}', JSON, "^`` is NaN"),
        (b'{"a": "\xff"}', JSON, "UTF-8"),
        (b"{}", "text/plain", "Content-Type"),
        (b"{}", "", "missing"),
        (b"payload={}", "application/x-www-form-urlencoded", "Content-Type"),
        (deep(DEEPEST + 1), JSON, "deep"),
        (deep(100_000), JSON, "deep"),
        (b'{"a":' + b"[" * 100_000, JSON, "deep"),
    ],
)
def test_what_cannot_be_read_is_told(body: bytes, kind: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read(body, kind)


@pytest.mark.parametrize("body", [b"", b"other=1", b"payload", b"payload=%7B", b"a&b&c"])
def test_a_form_without_json_is_told(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body, "application/x-www-form-urlencoded", forms=True)


def test_a_form_with_json_is_read() -> None:
    assert read(b"payload=%7B%22a%22%3A1%7D", "application/x-www-form-urlencoded", forms=True) == {"a": 1}


def test_json_of_any_kind_is_read() -> None:
    assert read(deep(DEEPEST), "application/cloudevents+json; charset=utf-8")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_what_is_written_is_read_again_as_it_was(payload: dict[str, Any]) -> None:
    assert read(written(payload), JSON) == payload


def test_half_a_character_and_a_zero_are_kept() -> None:
    payload = read(b'{"a": "\\ud800 \\u0000"}', JSON)

    assert json.loads(written(payload)) == {"a": "\ud800 \x00"}


@pytest.mark.parametrize(
    "name", ["password", "client_secret", "token", "access_token", "apiKey", "Authorization", "private-key", "cookies"]
)
def test_a_value_whose_name_says_secret_is_hidden(name: str) -> None:
    assert redacted({"x": [{name: "abc"}]}) == {"x": [{name: HIDDEN}]}


@pytest.mark.parametrize(
    "text",
    [
        "ghp_0123456789abcdefghij",
        "whsec_0123456789abcdef",
        "AKIA0123456789ABCDEF",
        "xoxb-0123456789-abc",
        "phl_" + "a" * 30,
    ],
)
def test_a_text_that_looks_like_a_credential_is_hidden(text: str) -> None:
    assert redacted({"note": f"see {text} there"}) == {"note": f"see {HIDDEN} there"}


def test_a_password_in_an_address_is_hidden() -> None:
    assert redacted({"url": "https://me:pw@example.com/x"}) == {"url": f"https://{HIDDEN}@example.com/x"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "https://example.com/x?a=1&access_token=abcdef123&b=2",
            f"https://example.com/x?a=1&access_token={HIDDEN}&b=2",
        ),
        ("https://example.com/x?token=abcdef123", f"https://example.com/x?token={HIDDEN}"),
        ("run with password=hunter2 now", f"run with password={HIDDEN} now"),
        ("Authorization: Bearer abcdef.123456", f"Authorization: Bearer {HIDDEN}"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", f"{HIDDEN}\n"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEcut", HIDDEN),
    ],
)
def test_what_is_secret_within_a_text_is_hidden_there(text: str, shown: str) -> None:
    assert redacted({"note": text}) == {"note": shown}
    assert json.loads(written({"note": text})) == {"note": shown}


def test_all_texts_of_an_object_that_is_called_a_secret_are_hidden() -> None:
    assert redacted({"secret": {"kind": "x", "parts": ["y", {"z": "w"}]}, "n": "v"}) == {
        "secret": {"kind": HIDDEN, "parts": [HIDDEN, {"z": HIDDEN}]},
        "n": "v",
    }


def test_what_is_no_secret_is_shown() -> None:
    plain = {
        "token_count": 3,
        "key": "ML-1",
        "author": "ml-1@example.com",
        "tokens": 12,
        "title": "Rotate the password",
    }

    assert redacted(plain) == plain


_WORDS = st.sampled_from(
    [
        *(
            "token",
            "issue_token",
            "Api-Key",
            "privateKEY",
            "PassWord",
            "set-cookie",
            "pa\u017f\u017fword",
            "key",
            "note",
        ),
        *("ghp_" + "a" * 20, "xoxb-0123456789ab", "ATTA" + "0" * 24, "ATATT" + "x" * 20, "https://me:pw@example.com"),
        *("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x", "AKIA0123456789ABCDEF", "attachment", "", "a:b@c"),
    ]
)
_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_WORDS, _VALUES, max_size=4))
def test_what_is_kept_is_what_is_shown_without_secrets(payload: dict[str, object]) -> None:
    assert json.loads(written(payload)) == json.loads(json.dumps(redacted(payload)))
