"""A binder proves itself, and whatever was changed in it is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.binder import file, page
from service.domain.audit import chain
from service.domain.audit.audit import audit
from service.domain.audit.binder import fingerprint
from service.domain.audit.binder_check import Verified
from service.domain.audit.subject import subject_from_json, subject_to_json
from service.verification import verify_file
from tests.effort import examples
from tests.unit.domain.audit import binders

OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
SUBJECTS = [binders.subject(1), binders.waived(binders.subject(2)), binders.subject(3, "## Goal and hypothesis\n\nTBD")]
ENTRIES = binders.evidence(*SUBJECTS)
CONTENT = binders.content(ENTRIES)
BINDER = binders.binder(CONTENT)
PAGE = binders.as_html(CONTENT)

Change = Callable[[Any], object]


def verified(value: Any, key: str | None = None) -> Verified:
    return verify_file(json.dumps(value).encode(), key)


def places(outcome: Verified) -> set[str]:
    return {one.place for one in outcome.mismatches}


@pytest.mark.parametrize("data", [PAGE, file.as_json(BINDER)], ids=["html", "json"])
def test_a_binder_holds_as_it_was_made(data: bytes) -> None:
    outcome = verify_file(data, binders.PUBLIC)

    assert outcome.mismatches == ()
    assert outcome.ok
    assert outcome.expected is True
    assert (outcome.project, outcome.iteration, outcome.iterations, outcome.entries) == ("Churn", None, 3, 4)
    assert json.loads(json.dumps(outcome.to_json()))["ok"] is True


def test_its_verdicts_are_those_of_the_audit_of_its_evidence() -> None:
    assert [CONTENT["audits"][str(number)]["verdict"] for number in (1, 2, 3)] == [
        audit(subject).verdict.value for subject in SUBJECTS
    ]


def test_its_first_page_says_how_iterations_stand_who_signed_and_how_good_the_judging_is() -> None:
    shown = " ".join(PAGE.decode().partition('id="verdicts"')[0].split())

    assert "2 of 3 iterations fail, all on D14." in shown
    assert "Data used (D03)" in shown
    assert "partly documented</span>" in shown
    assert "<bdi>pm-1@example.com</bdi>" in shown
    assert '<th scope="row">D05 Decisions and why</th><td>95</td>' in shown
    assert "in some or all readings without a second opinion" in shown


def test_all_its_times_are_on_the_clock_of_the_project() -> None:
    def times(zone: str | None) -> str:
        return page.render(binders.changed(CONTENT, lambda one: one["project"].update(time_zone=zone)), binders.PUBLIC)

    assert "2026-06-01 14:00 UTC+02:00 by phaseloop" in times("Europe/Paris")
    assert "on the clock of the project (<bdi>Europe/Paris</bdi>)" in times("Europe/Paris")
    assert "2026-06-01 12:00 UTC by phaseloop" in times("UTC")
    for unknown in (None, "Nowhere/Here", "../etc", ""):
        assert "2026-06-01 12:00 UTC by phaseloop" in times(unknown)


def test_a_signature_by_an_unknown_key_is_said_to_prove_little() -> None:
    outcome = verify_file(PAGE)

    assert outcome.ok
    assert outcome.expected is None
    assert "proves only that the file was not changed" in outcome.notes[-1]
    assert fingerprint(binders.PUBLIC) in outcome.notes[-1]


@pytest.mark.parametrize(
    "key",
    [
        binders.PUBLIC,
        binders.PUBLIC.upper(),
        fingerprint(binders.PUBLIC),
        fingerprint(binders.PUBLIC).removeprefix("SHA256:"),
        ":".join(fingerprint(binders.PUBLIC).removeprefix("SHA256:")[at : at + 4] for at in range(0, 64, 4)),
    ],
)
def test_the_expected_signer_is_known_by_the_key_or_its_fingerprint(key: str) -> None:
    assert verify_file(PAGE, key).expected is True


@pytest.mark.parametrize("key", ["", "SHA256:", "me", "ab" * 31, "zz" * 32])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        verify_file(PAGE, key)


def test_a_binder_by_somebody_else_is_not_that_of_the_expected_signer() -> None:
    outcome = verify_file(binders.as_html(CONTENT, OTHER), binders.PUBLIC)

    assert outcome.mismatches == ()
    assert outcome.expected is False
    assert not outcome.ok


def _reading(value: Any, number: int) -> Any:
    return next(one for one in value["content"]["evidence"]["entries"] if one["iteration"] == number)


def _finding(value: Any, number: int, check: str) -> Any:
    return next(one for one in value["content"]["audits"][str(number)]["findings"] if one["check"] == check)


def _text(value: Any) -> Any:
    return _reading(value, 1)["body"]["record"]["document"]


CHANGES: dict[str, tuple[Change, str]] = {
    "a verdict": (lambda one: one["content"]["audits"]["3"].update(verdict="documented"), "verdict of iteration 3"),
    "a score": (lambda one: one["content"]["audits"]["3"].update(score=100), "verdict of iteration 3, score"),
    "a result": (
        lambda one: _finding(one, 3, "D03").update(result="pass"),
        "verdict of iteration 3, findings, D03, result",
    ),
    "a reason": (
        lambda one: _finding(one, 3, "D03").update(reason="It is named."),
        "verdict of iteration 3, findings, D03, reason",
    ),
    "a quote": (
        lambda one: _finding(one, 1, "D03")["evidence"][0].update(quote="other data"),
        "verdict of iteration 1, findings, D03, evidence 1, quote",
    ),
    "a finding left out": (
        lambda one: one["content"]["audits"]["3"]["findings"].pop(2),
        "verdict of iteration 3, findings, D03",
    ),
    "a verdict left out": (lambda one: one["content"]["audits"].pop("3"), "verdict of iteration 3"),
    "the record's text": (lambda one: _text(one).update(text=binders.record(9)), "evidence 2"),
    "who approved": (lambda one: _text(one)["comments"][0].update(author="acc-ml"), "evidence 2"),
    "when it was read": (lambda one: _reading(one, 1).update(at="2026-03-01T00:00:00+00:00"), "evidence 2"),
    "a waiver's reason": (
        lambda one: one["content"]["evidence"]["entries"][0]["body"].update(reason="because"),
        "evidence 1",
    ),
    "an entry dropped": (lambda one: one["content"]["evidence"]["entries"].pop(1), "evidence 2"),
    "the last entry dropped": (lambda one: one["content"]["evidence"]["entries"].pop(), "evidence 4"),
    "the first entry dropped": (lambda one: one["content"]["evidence"]["entries"].pop(0), "evidence 1"),
    "entries in another order": (lambda one: one["content"]["evidence"]["entries"].reverse(), "evidence 1"),
    "an entry twice": (
        lambda one: one["content"]["evidence"]["entries"].append(one["content"]["evidence"]["entries"][3]),
        "evidence 4",
    ),
    "an entry emptied": (lambda one: _reading(one, 1).update(body=None), "evidence 2"),
    "an iteration on an older reading": (lambda one: one["content"]["iterations"][2].update(reading=3), "iteration 3"),
    "iterations in another order": (
        lambda one: one["content"]["iterations"].reverse(),
        "the order of the iterations",
    ),
    "an iteration left out": (lambda one: one["content"]["iterations"].pop(), "iteration 3"),
    "a figure": (
        lambda one: one["content"]["iterations"][0]["figures"]["all"]["done"].update(tickets=50),
        "iteration 1",
    ),
    "a decision's reason": (lambda one: one["content"]["decisions"][0].update(reason="it was cheap"), "decision 1"),
    "a decision left out": (lambda one: one["content"]["decisions"].pop(), "decision 2"),
    "decisions in another order": (lambda one: one["content"]["decisions"].reverse(), "decision 1"),
    "a measure": (
        lambda one: one["content"]["measures"][0]["points"][0].update(value=0.99),
        f"measure {CONTENT['measures'][0]['name']}",
    ),
    "a view": (
        lambda one: one["content"]["views"][0]["items"][1].update(covered=True),
        "view eu-ai-act, items 2, covered",
    ),
    "the project's name": (lambda one: one["content"]["project"].update(name="Other"), "project"),
    "the day it was made": (
        lambda one: one["content"]["made"].update(at="2027-01-01T00:00:00+00:00"),
        "how it was made",
    ),
    "something added inside": (lambda one: one["content"].update(extra="1"), "the order of its parts"),
    "something added outside": (lambda one: one.update(extra="1"), "the file"),
    "the signature cut": (lambda one: one["seal"].update(signature=one["seal"]["signature"][:64]), "the signature"),
    "the signature taken out": (lambda one: one["seal"].pop("signature"), "the signature"),
    "the signature emptied": (lambda one: one["seal"].update(signature=""), "the signature"),
    "the signature in capitals": (
        lambda one: one["seal"].update(signature=one["seal"]["signature"].upper()),
        "the signature",
    ),
    "the key swapped": (
        lambda one: one["seal"].update(public=OTHER.public_key().public_bytes_raw().hex()),
        "the signature",
    ),
    "the way it is signed": (lambda one: one["seal"].update(algorithm="none"), "the signature"),
    "the seal taken out": (lambda one: one.pop("seal"), "the file"),
    "a digest in the seal": (lambda one: one["seal"]["parts"].update(project="0" * 64), "the signature"),
}


@pytest.mark.parametrize(("change", "place"), CHANGES.values(), ids=CHANGES.keys())
def test_what_was_changed_is_refused_and_named(change: Change, place: str) -> None:
    outcome = verified(binders.changed(BINDER, change), binders.PUBLIC)

    assert not outcome.ok
    assert any(one == place or one.startswith(f"{place}, ") for one in places(outcome)), places(outcome)


@pytest.mark.parametrize("name", ["a verdict", "a quote", "the record's text", "a decision's reason", "a measure"])
def test_nothing_but_what_was_changed_is_named(name: str) -> None:
    change, place = CHANGES[name]

    named = places(verified(binders.changed(BINDER, change)))

    whole = place.partition(",")[0]
    follows = ("verdict of iteration 1", "decision 1", "measure", "view") if place == "evidence 2" else ()
    assert all(one.startswith((whole, *follows)) for one in named), named


def test_a_changed_part_and_its_digest_do_not_fit_the_signature() -> None:
    whole = binders.changed(CONTENT, lambda one: one["project"].update(name="Other"))
    forged = binders.binder(whole)
    forged["seal"]["signature"] = BINDER["seal"]["signature"]

    assert places(verified(forged)) == {"the signature"}


RESIGNED = [
    "a verdict",
    "a result",
    "a quote",
    "the record's text",
    "an entry dropped",
    "a decision's reason",
    "a view",
]


@pytest.mark.parametrize("name", RESIGNED)
def test_signing_again_with_another_key_hides_no_change_of_what_follows_from_the_evidence(name: str) -> None:
    change, place = CHANGES[name]
    forged = binders.binder(binders.changed(BINDER, change)["content"], OTHER)

    assert any(one.startswith(place) for one in places(verified(forged)))


def test_evidence_made_up_from_the_beginning_is_told_by_the_key_alone() -> None:
    forged = binders.binder(
        binders.content(binders.evidence(*[binders.subject(number) for number in (1, 2, 3)])), OTHER
    )

    assert verified(forged).ok
    assert "nothing here says whose that is" in verified(forged).notes[-1]
    assert not verified(forged, binders.PUBLIC).ok


def test_a_page_whose_text_was_edited_is_refused_with_the_line() -> None:
    words = f"verdict {CONTENT['audits']['3']['verdict']}".encode()
    edited = PAGE.replace(words, b"verdict documented")

    outcome = verify_file(edited)

    assert edited != PAGE
    assert places(outcome) == {"the page"}
    assert any("its data give" in one.text and "line " in one.text for one in outcome.mismatches)


EDITS = {
    "a script": lambda data: data.replace(b"</body>", b"<script>document.title = 1</script></body>"),
    "a style that hides": lambda data: data.replace(b"<style>", b"<style>.fail{display:none}"),
    "a second binder": lambda data: data.replace(b"</body>", file.OPEN.encode() + b"{}</script></body>"),
    "text after the end": lambda data: data + b"<p>signed by everybody</p>",
    "a line less": lambda data: data.replace(b"</main>\n", b"</main>"),
    "cut in the page": lambda data: data[: len(data) // 3],
    "cut in the data": lambda data: data[:-2000],
    "blanks in the data": lambda data: data.replace(b'"format":', b'"format": '),
    "no data": lambda data: data[: data.index(file.OPEN.encode())] + b"</body></html>",
    "not text": lambda data: data.replace(b"Churn", b"Churn\xff"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_a_page_that_was_edited_is_refused(edit: Callable[[bytes], bytes]) -> None:
    edited = edit(PAGE)

    assert edited != PAGE
    assert not verify_file(edited).ok


def test_the_data_of_one_page_do_not_fit_another() -> None:
    other = binders.as_html(binders.content(ENTRIES, 1)).decode()
    inside = other.partition(file.OPEN)[2].partition(file.CLOSE)[0]
    before, _, rest = PAGE.decode().partition(file.OPEN)

    outcome = verify_file((before + file.OPEN + inside + file.CLOSE + rest.partition(file.CLOSE)[2]).encode())

    assert places(outcome) == {"the page"}


def test_a_page_that_shows_something_else_than_its_data_is_refused_though_it_was_signed() -> None:
    shown = page.render(CONTENT, binders.PUBLIC).replace("undocumented", "documented")
    forged = binders.sealed(CONTENT, binders.PUBLIC, file.page_digest(shown), binders.KEY.sign)

    outcome = verify_file(file.as_page(shown, forged))

    assert places(outcome) == {"the page"}
    assert "its data give" in outcome.mismatches[0].text


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(PAGE) - 1), st.integers(1, 255))
def test_no_byte_of_a_page_can_be_changed(place: int, by: int) -> None:
    edited = bytearray(PAGE)
    edited[place] ^= by

    assert not verify_file(bytes(edited)).ok


def test_a_name_that_stands_twice_is_refused() -> None:
    text = json.dumps(BINDER).replace('"score": ', '"score": 100, "score": ', 1)

    assert "'score' is there twice" in verify_file(text.encode()).mismatches[0].text


def test_the_data_out_of_a_page_hold_and_say_that_the_page_is_missing() -> None:
    inside = PAGE.decode().partition(file.OPEN)[2].partition(file.CLOSE)[0]

    outcome = verify_file(inside.encode())

    assert outcome.ok
    assert "the page itself is not here" in outcome.notes[0]


def test_a_binder_of_an_iteration_follows_the_chain_without_the_others() -> None:
    alone = binders.content(ENTRIES, 2)

    assert [one["seq"] for one in alone["evidence"]["entries"] if one["body"] is not None] == [1, 3]
    assert [one["number"] for one in alone["iterations"]] == [2]
    assert set(alone["audits"]) == {"2"}
    assert verify_file(binders.as_html(alone), binders.PUBLIC).ok


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda one: one["content"]["evidence"]["entries"].pop(1), "evidence 2"),
        (lambda one: one["content"]["evidence"]["entries"][1].update(digest="0" * 64), "evidence 2"),
        (lambda one: one["content"]["evidence"]["entries"][0].update(body=None), "evidence 1"),
        (lambda one: one["content"]["scope"].update(iteration=None), "scope"),
        (lambda one: one["content"]["scope"].update(iteration=3), "scope"),
    ],
)
def test_what_was_changed_in_a_binder_of_an_iteration_is_named(change: Change, place: str) -> None:
    assert place in places(verified(binders.changed(binders.binder(binders.content(ENTRIES, 2)), change)))


def test_an_iteration_rests_on_its_newest_reading() -> None:
    again = replace(SUBJECTS[2], record=binders.subject(3).record)
    entries = binders.evidence(*SUBJECTS, again)
    older = binders.changed(binders.content(entries), lambda one: one["iterations"][2].update(reading=4))

    outcome = verified(binders.binder(older, OTHER))

    assert any("it rests on evidence 4, its newest is 5" in one.text for one in outcome.mismatches)


def test_an_iteration_that_was_never_read_is_in_the_binder_as_such() -> None:
    whole = deepcopy(CONTENT)
    never = {**whole["iterations"][2], "number": 4, "reading": None, "audited_at": None, "trouble": "no permission"}
    whole["iterations"].append(never)

    data = binders.as_html(whole)

    assert verify_file(data).ok
    assert "never read: <bdi>no permission</bdi>" in data.decode()


def test_a_binder_without_evidence_holds() -> None:
    assert verify_file(binders.as_html(binders.content([])), binders.PUBLIC).ok


def test_verdicts_of_another_version_stand_as_they_were_signed() -> None:
    def older(one: Any) -> None:
        one["made"]["phaseloop"] = "0.0.1"
        one["audits"]["3"]["score"] = 77

    outcome = verified(binders.binder(binders.changed(CONTENT, older)))

    assert outcome.ok
    assert "made by phaseloop 0.0.1" in outcome.notes[0]
    assert "verdict of iteration 3, score" in outcome.notes[0]


def test_a_page_of_another_version_is_the_one_that_was_signed() -> None:
    older = binders.changed(CONTENT, lambda one: one["made"].update(page="0"))
    data = binders.as_html(older)

    assert verify_file(data).ok
    assert "not compared with the data" in verify_file(data).notes[0]
    assert not verify_file(data.replace(b"<h2", b"<h2 hidden", 1)).ok


HOSTILE = (
    "<script>alert(1)</script></pre><img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a> "
    "[x](javascript:alert(1)) [y](data:text/html,1) {{ 7 * 7 }} {% raw %} --> ]]> \" ' &lt; "
    "\u202egnp.exe\u2066\u200b\ufeff\x1b[31m\x00\r\n\ud800 </script><!-- " + file.OPEN
)


class Tags(HTMLParser):
    """The tags of a page, and the attributes that can do something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.others: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.addresses.add(value or "")
            elif name.startswith("on") or name in {"src", "style", "action", "srcset", "formaction", "xlink:href"}:
                self.others.add(name)


def hostile() -> bytes:
    bad = binders.subject(1, binders.record(1) + HOSTILE)
    document = bad.record.document
    assert document is not None
    comment = replace(document.comments[0], text=HOSTILE, person=HOSTILE)
    link = replace(document.links[0], url="javascript:alert(1)", title=HOSTILE)
    worse = replace(document, title=HOSTILE, comments=(comment,), links=(link,))
    entries = binders.evidence(replace(bad, record=replace(bad.record, document=worse)))
    return binders.as_html(binders.changed(binders.content(entries), lambda one: one["project"].update(name=HOSTILE)))


def test_hostile_text_is_shown_as_text() -> None:
    data = hostile()
    tags = Tags()
    tags.feed(data.decode())

    assert verify_file(data).ok
    assert tags.tags.isdisjoint({"img", "iframe", "object", "embed", "form", "link", "base", "input", "button"})
    assert data.count(b"<script") == 1
    assert tags.others == set()
    assert all(one.startswith(("#", "https://")) for one in tags.addresses)
    assert b"49" not in data[data.index(b"{{ 7") : data.index(b"{{ 7") + 20]


def test_what_hides_or_turns_text_is_made_visible() -> None:
    shown = hostile().decode().partition(file.OPEN)[0]

    assert "[U+202E]gnp.exe[U+2066][U+200B][U+FEFF][U+001B][31m[U+0000]" in shown
    assert not any(sign in shown for sign in "\u202e\u2066\u200b\ufeff\x1b\x00\r\ud800")


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    text = PAGE.decode()

    assert "default-src 'none'; style-src 'sha256-" in text
    assert "url(" not in text.partition(file.OPEN)[0]
    assert "@import" not in text


def test_a_page_has_its_headings_in_order_and_a_caption_for_every_table() -> None:
    text = PAGE.decode().partition(file.OPEN)[0]
    levels = [int(part[0]) for part in text.split("<h")[1:] if part[0].isdigit()]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert text.count("<table") == text.count("<caption")


def test_every_place_that_is_linked_to_is_in_the_page() -> None:
    text = PAGE.decode().partition(file.OPEN)[0]
    names = [part.partition('"')[0] for part in text.split(' id="')[1:]]

    assert len(names) == len(set(names))
    assert {part.partition('"')[0] for part in text.split('href="#')[1:]} <= set(names)


def test_two_megabytes_of_text_are_bound_and_verified() -> None:
    long = binders.subject(1, binders.record(1) + "A word, \u202e and <b>another</b>.\n" * 70_000)

    data = binders.as_html(binders.content(binders.evidence(long)))

    assert len(data) > 4_000_000
    assert verify_file(data, binders.PUBLIC).ok


@given(st.binary(max_size=300))
def test_no_bytes_can_make_verifying_fail(data: bytes) -> None:
    assert not verify_file(data).ok


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def ways(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value in a binder, to a depth of six."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [found for name, one in inside for found in ways(one, (*way, name))] if len(way) < 6 else []
    return [*([way] if way else []), *below]


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ways(BINDER)), JSON)
def test_nothing_can_be_put_in_the_place_of_anything(way: tuple[Any, ...], instead: Any) -> None:
    changed = deepcopy(BINDER)
    inner = changed
    for step in way[:-1]:
        inner = inner[step]
    before, inner[way[-1]] = inner[way[-1]], instead
    unchanged = json.dumps(before) == json.dumps(instead)

    assert verified(changed).ok == unchanged


def test_a_file_nested_without_end_is_refused() -> None:
    assert "nested deeper" in verify_file(b"[" * 100_000 + b"]" * 100_000).mismatches[0].text


def test_a_reading_is_the_same_after_it_was_bound() -> None:
    body = next(one["body"] for one in CONTENT["evidence"]["entries"] if one["kind"] == chain.READING)

    assert subject_to_json(subject_from_json(body)) == subject_to_json(SUBJECTS[0])
