"""The checks of what a record says, over the corpus and over what people may do to a text."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import Edit, Part
from service.domain.audit.languages import is_measured
from service.domain.audit.outcome import Check, CheckFinding, Result
from service.domain.audit.subject import LinkKind, Person, Reading
from service.domain.audit.text_checks import TEXT_CHECKS, read
from tests.effort import examples
from tests.unit.domain.audit.corpus import AT, MARKUPS, TEXT, Sample, sample, samples, subject_of


def found(one: Sample, markup: str) -> dict[Check, CheckFinding]:
    subject = one.subject(markup)
    text = read(subject, one.signed)
    return {check: look(subject, text) for check, look in TEXT_CHECKS.items()}


@pytest.mark.parametrize("markup", MARKUPS)
@pytest.mark.parametrize("one", samples(), ids=lambda one: one.name)
def test_the_checks_of_a_record_come_out_as_the_corpus_says(one: Sample, markup: str) -> None:
    findings = found(one, markup)

    assert {c: f.reason for c, f in findings.items() if f.result is Result.FAIL and c not in one.fails} == {}
    assert {c: f.reason for c, f in findings.items() if f.result is not Result.FAIL and c in one.fails} == {}


def test_the_corpus_has_sixty_records_and_every_check_fails_and_passes_somewhere() -> None:
    assert len(samples()) >= 60
    assert {check for one in samples() for check in one.fails} == set(TEXT)
    assert all(any(check not in one.fails for one in samples()) for check in TEXT)


@pytest.mark.parametrize("markup", MARKUPS)
def test_a_finding_quotes_in_plain_words_and_a_failed_one_says_what_to_write(markup: str) -> None:
    findings = [(one.name, finding) for one in samples() for finding in found(one, markup).values()]

    for name, finding in findings:
        assert finding.reason, name
        assert (finding.fix != "") == (finding.result in (Result.FAIL, Result.UNCLEAR)), (name, finding)
        assert all(len(piece.quote) <= 200 and "\n" not in piece.quote for piece in finding.evidence), name
        assert all(piece.source.startswith("section ") and piece.digest for piece in finding.evidence), name
        assert not any("**" in piece.quote or "](" in piece.quote for piece in finding.evidence), name


def checked(text: str, check: Check, *, signed: bool = False, **fields: Any) -> CheckFinding:
    subject = subject_of(text, **fields)
    return TEXT_CHECKS[check](subject, read(subject, signed))


@pytest.mark.parametrize("name", ["good-dutch", "good-italian", "good-polish", "good-swedish"])
def test_in_a_language_that_is_not_measured_a_person_looks_at_sentences_and_keys_are_read(name: str) -> None:
    findings = found(sample(name), MARKUPS[0])

    assert findings[Check.DECISIONS].result is Result.UNCLEAR
    assert "other than English, German" in findings[Check.DECISIONS].reason
    assert "/approve D05" in findings[Check.DECISIONS].fix
    assert findings[Check.NEXT_STEPS].result is Result.PASS
    assert findings[Check.NEW].result is Result.PASS


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("epochs 40, lr 1e-4, recall 0.71", True),
        ("Модель B лучше, чем модель A, на 3 %.", False),
        ("모델 B를 유지합니다.", False),
        ("LightGBMを採用。NNは精度が同じで推論が5倍遅いので見送り", True),
        ("Malli B pidetään, koska sen tulos on parempi kuin mallin A, ja se ei ole niin hidas, joka on hyvä.", False),
        ("", True),
    ],
)
def test_a_language_is_told_by_its_small_words_and_its_script(text: str, *, measured: bool) -> None:
    assert is_measured(text) is measured


def test_what_is_off_in_a_phase_is_not_applicable_in_the_record_s_own_words() -> None:
    text = sample("good-english").text

    finding = checked(text, Check.PERFORMANCE, off=(Check.PERFORMANCE,))

    assert finding.result is Result.NOT_APPLICABLE
    assert "as the record says" in finding.reason
    assert finding.evidence[0].quote.startswith("No model is in production yet")


def test_a_record_that_could_not_be_read_is_neither_good_nor_bad() -> None:
    whole = subject_of(sample("good-english").text)
    document = whole.record.document
    assert document is not None
    unread = replace(whole, record=Reading(whole.record.key, unread="the tracker did not answer"))
    no_text = replace(whole, record=replace(whole.record, document=replace(document, text="", unread=(Part.TEXT,))))
    cut = replace(whole, record=replace(whole.record, document=replace(document, text="## Goal", cut=True)))

    for subject in (unread, no_text, cut):
        findings = [look(subject, read(subject)) for look in TEXT_CHECKS.values()]
        assert {one.result for one in findings} == {Result.INCONCLUSIVE}
    assert "tracker did not answer" in TEXT_CHECKS[Check.GOAL](unread, read(unread)).reason


def test_a_record_that_is_not_there_fails_every_check_of_its_text() -> None:
    subject = replace(subject_of(""), record=Reading(None, missing="it was deleted"))

    findings = [look(subject, read(subject)) for look in TEXT_CHECKS.values()]

    assert {one.result for one in findings} == {Result.FAIL}
    assert all("it was deleted" in one.reason for one in findings)


def test_what_was_seeded_besides_prompts_is_nobody_s_answer() -> None:
    focus = "find out by quick and cheap experiments which of the many ideas are worth building at all"
    seeded = f"## Goal and hypothesis\n\n**Focus of Ideation:** {focus}"
    subject = replace(subject_of(seeded), template=seeded)

    finding = TEXT_CHECKS[Check.GOAL](subject, read(subject))

    assert finding.result is Result.FAIL
    assert "beyond what was there from the start" in finding.reason


def test_the_tickets_and_figures_that_phaseloop_writes_answer_for_nobody() -> None:
    goal = "## Goal and hypothesis\n\n> What should this iteration find out or achieve?\n\n"
    ours = "## Tickets and figures\n\nPlanned: 4 tickets (8 points).\n\n- ML-4 Set the goals of the quarter\n"
    text = f"{goal}{ours}- ML-5 Load the data of last year\n\n## Data used\n\nDataset churn-events, version 2026.3."

    subject = replace(subject_of(text), template=goal)

    finding = TEXT_CHECKS[Check.GOAL](subject, read(subject))

    assert finding.result is Result.FAIL
    assert "nothing was written" in finding.reason


def test_a_signed_record_may_know_of_no_risks_and_an_unsigned_one_may_not() -> None:
    text = sample("bad-none-known-unsigned").text

    assert checked(text, Check.RISKS).result is Result.FAIL
    assert checked(text, Check.RISKS, signed=True).result is Result.PASS


def test_a_finding_names_who_wrote_last_and_when() -> None:
    subject = subject_of(sample("bad-goal-too-short").text)
    document = subject.record.document
    assert document is not None
    edit = Edit("acc-1", "someone", AT, document.digest)
    subject = replace(
        subject,
        record=replace(subject.record, document=replace(document, edits=(edit,))),
        people={"acc-1": Person("ml-1@example.com", ("ml",))},
    )

    finding = TEXT_CHECKS[Check.GOAL](subject, read(subject))

    assert (finding.evidence[0].by, finding.evidence[0].at) == ("ml-1@example.com", AT)
    assert finding.evidence[0].quote == "Make the forecast better."
    assert '"Goal and hypothesis"' in finding.fix
    assert "15 words" in finding.fix


def test_a_run_is_known_by_the_template_s_words_and_shapes() -> None:
    text = "## Experiments and results\n\nAll there: [sweep](https://tracker.example.com/t/9)"
    subject = subject_of(text)
    shaped = replace(
        subject,
        rules=replace(subject.rules, link_kinds=(LinkKind("run", "Run", (), ("https://tracker.example.com/t/*",)),)),
    )

    assert checked(text, Check.EXPERIMENTS).result is Result.FAIL
    finding = TEXT_CHECKS[Check.EXPERIMENTS](shaped, read(shaped))
    assert finding.result is Result.PASS
    assert finding.evidence[0].url == "https://tracker.example.com/t/9"


def test_all_that_is_wrong_with_a_text_is_said_at_once() -> None:
    record = sample("good-english").text
    text = record.replace("ML-32: try", "TBD: try")

    finding = checked(text, Check.NEW, former=record)

    assert "record before it" in finding.reason
    assert '"Next steps"' in finding.reason
    assert "TBD: try" in finding.fix


GOOD_GOAL = "## Goal and hypothesis\n\nWe expect that weighting small stores lifts recall from 0.71 to 0.75.\n\n"


def test_what_phaseloop_filled_in_twice_makes_no_copy_and_no_text_of_anybody_s() -> None:
    facts = "\n".join(
        f"- [ML-{n}](https://example.atlassian.net/browse/ML-{n}) a ticket that continues" for n in range(9)
    )
    text = f"## Next steps\n\n{facts}"
    subject = replace(subject_of(text, former=text), filled=(facts,))

    assert "record before it" in checked(text, Check.NEW, former=text).reason
    finding = TEXT_CHECKS[Check.NEW](subject, read(subject))
    assert finding.result is Result.FAIL
    assert finding.reason.startswith("Nothing stands in the record")
    assert TEXT_CHECKS[Check.NEXT_STEPS](subject, read(subject)).result is Result.FAIL


def test_a_list_of_tickets_that_phaseloop_filled_in_is_for_the_signer_until_somebody_writes_a_step() -> None:
    ours = "- [ML-8](https://example.atlassian.net/browse/ML-8) a ticket that continues"
    text = f"{GOOD_GOAL}## Next steps\n\n{ours}"

    def result(added: str, check: Check = Check.NEXT_STEPS) -> Result:
        subject = replace(subject_of(text + added), filled=(ours,))
        return TEXT_CHECKS[check](subject, read(subject)).result

    assert result("") is Result.UNCLEAR
    assert result("\n- ML-31: weight small stores") is Result.PASS


def test_rows_that_phaseloop_filled_into_a_form_are_nobody_s_text_and_those_below_them_are() -> None:
    ours = "| Measure | Value | Compared with |\n| --- | --- | --- |\n| f1 | 0.83 | 0.79 |"
    text = f"## Experiments and results\n\n{ours}\n| recall on small stores | 0.71 | 0.64 |"
    subject = replace(subject_of(text), filled=(ours,))

    assert read(subject).own == "recall on small stores | 0.71 | 0.64"
    assert read(replace(subject, filled=())).own.count("\n") == 2


@pytest.mark.parametrize("key", ["ML-31", "https://trello.com/c/aB3dE5fG", "OPS-7"])
def test_a_step_is_tied_to_a_ticket_by_key_or_link(key: str) -> None:
    assert checked(f"## Next steps\n\n- weight small stores ({key})", Check.NEXT_STEPS).result is Result.PASS


def test_a_step_may_have_its_ticket_on_the_line_below() -> None:
    text = "## Next steps\n\nFrom this follows:\n\n- weight small stores\n  - ML-31\n- more regions\n\n  see ML-32"

    assert checked(text, Check.NEXT_STEPS).result is Result.PASS


@pytest.mark.parametrize("check", [Check.DATA, Check.EXPERIMENTS, Check.DECISIONS, Check.PERFORMANCE, Check.NEXT_STEPS])
def test_what_a_fix_gives_as_an_example_passes(check: Check) -> None:
    fix = checked("", check).fix
    title, example = re.findall(r'"([^"]+)"', fix)[:2]

    assert checked(f"## {title}\n\n{example}", check).result is Result.PASS


MARKUP = st.text(
    alphabet=st.sampled_from(list("#*_`>|-[]()!<>&\\\n\t :.0129aZé目日本TBDvs%=~\u202e\x00\ud800")), max_size=400
)
PIECES = st.lists(
    st.sampled_from(
        [
            *(line for one in samples() for line in one.text.splitlines()),
            "| a | b |\n|---|---|\n| 1 | 0.5 |",
            "```\nF1 0.8",
            "> > - 1. ## Goal",
            "<script>because",
            "## Experiments and results",
            "F1 improved by 0.02 over the baseline.",
            "sales fell by 0.5 to",
            "F1 from 0.1 to 0.2 vs target 0.3",
            "Decision: Reason: Alternative:",
        ]
    ),
    max_size=25,
).map("\n".join)


@settings(max_examples=examples(150), deadline=None)
@given(
    text=st.one_of(st.text(max_size=300), MARKUP, PIECES), former=st.one_of(st.just(""), PIECES), signed=st.booleans()
)
def test_no_text_can_raise_and_the_same_text_always_gives_the_same_findings(
    text: str, former: str, signed: bool
) -> None:
    subject = subject_of(text, former=former)

    once, again = read(subject, signed), read(subject, signed)
    first = [look(subject, once) for look in TEXT_CHECKS.values()]

    assert first == [look(subject, again) for look in TEXT_CHECKS.values()]
    assert all(one.result in (Result.PASS, Result.FAIL) for one in first)
    assert all(len(piece.quote) <= 200 for one in first for piece in one.evidence)


@settings(max_examples=examples(40), deadline=None)
@given(
    one=st.sampled_from([one for one in samples() if not one.fails and one.text.startswith("## ")]), order=st.randoms()
)
def test_the_order_of_the_sections_makes_no_difference(one: Sample, order: Random) -> None:
    parts = re.split(r"\n(?=## )", one.text)
    order.shuffle(parts)
    subject = replace(one.subject(), record=subject_of("\n".join(parts)).record)

    text = read(subject, one.signed)

    before = {check: finding.result for check, finding in found(one, MARKUPS[0]).items()}
    assert {check: look(subject, text).result for check, look in TEXT_CHECKS.items()} == before
    assert Result.FAIL not in before.values()


HOSTILE = {
    "words": "because F1 0.83 vs 0.79 instead of ",
    "list": "- ML-1 F1 0.8\n",
    "brackets": "[a](b ",
    "escaped": "[\\",
    "quotes": "> a\n",
    "stars": "*_",
    "tags": "<script>",
    "addresses": "https://a.b/c ",
    "headings": "## Goal\n",
    "table": "|a|0.1|\n",
    "labels": "Reason: a. ",
    "prompt": "What follows from this? Give every step the key of its ticket, or say that it was dropped. ",
    "dates": "2026-01-01 v1 ",
    "one word": "x",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_text_that_is_longer_takes_only_as_much_longer(piece: str) -> None:
    def seconds(size: int) -> float:
        text = "\n\n".join(
            f"## {title}\n\n{piece * (size // len(piece))}" for title in ("Decisions and why", "Next steps")
        )
        best = 1e9
        for _ in range(2):
            begin = process_time()
            subject = subject_of(text, former=text)
            answered = read(subject)
            for look in TEXT_CHECKS.values():
                look(subject, answered)
            best = min(best, process_time() - begin)
        return best

    seconds(100)
    small, large = seconds(1_000), seconds(8_000)

    # Eight times the text: a quadratic step would take sixty-four times as long.
    assert large < 24 * small + 0.05


def test_a_text_of_two_megabytes_is_read_as_far_as_any_text_is() -> None:
    text = sample("good-english").text + "\n\n## Appendix\n\n" + "lorem ipsum dolor " * 120_000

    subject = subject_of(text)
    answered = read(subject)

    assert TEXT_CHECKS[Check.GOAL](subject, answered).result is Result.PASS
    assert TEXT_CHECKS[Check.NEXT_STEPS](subject, answered).result is Result.PASS
