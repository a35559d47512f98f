"""What is known of an iteration, as text under the headings of its record."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import Document, text_digest
from connectors.tracking import Dataset, Experiment, ModelVersion, Tracked, TrackedRun
from connectors.values import ItemKey, RemoteRef
from service.domain.audit import rules
from service.domain.audit.facts import LONGEST_BODY, OVERVIEW, Facts, bodies, plain, quoted
from service.domain.audit.headings import OVERVIEW_TITLE
from service.domain.audit.links import links_in
from service.domain.audit.measures import best_of, main_metrics, number_text, taken_as
from service.domain.audit.metrics import metrics_of
from service.domain.audit.outcome import Check, Result
from service.domain.audit.sections import parse
from service.domain.audit.subject import Deadlines, Iteration, Reading, Subject
from service.domain.audit.text_checks import TEXT_CHECKS, read
from service.domain.loop.figures import Outcome, TicketRecord, count
from service.domain.plan.ticket_text import Wording
from service.domain.template.parameters import settle
from service.templates import BUILTIN, read_template_file

STARTS = datetime(2026, 3, 16, 8, tzinfo=UTC)
ENDS = STARTS + timedelta(days=14)
ASKED = {key: f"What about {key}?" for key in ("goal", "data", "experiments", "performance", "next-steps", "links")}
MLFLOW = "https://mlflow.example.com"
FORMS = {
    "data": ("Dataset", "Version", "Change"),
    "experiments": ("Measure", "Value", "Compared with", "Target"),
    "next-steps": ("Step", "Ticket"),
}
BOARD = "https://tracker.example.com/board/1"


def run(name: str, day: float = 1, **more: Any) -> TrackedRun:
    """A run that began so many days after the iteration (before it, if negative)."""
    url = f"{MLFLOW}/#/experiments/7/runs/{name}"
    values: dict[str, Any] = {"status": "finished", "metrics": {"f1": 0.8}, **more}
    return TrackedRun(name, name, "7", url, started=STARTS + timedelta(days=day), **values)


def tracked(*runs: TrackedRun, **more: Any) -> Tracked:
    experiments = (Experiment("7", "churn", f"{MLFLOW}/#/experiments/7"),)
    return Tracked("mlflow.example.com", experiments, tuple(sorted(runs, key=lambda one: one.started)), **more)


def version(number: str, day: float, **more: Any) -> ModelVersion:
    return ModelVersion("churn", number, f"{MLFLOW}/#/models/churn/{number}", STARTS + timedelta(days=day), **more)


def ticket(name: str, outcome: Outcome = Outcome.DONE, **more: Any) -> TicketRecord:
    url = f"https://tracker.example.com/{name}"
    values = {"title": f"Do {name}", "points": 3.0, **more}
    return TicketRecord(ItemKey(f"ticket:{name}"), remote_key=f"ML-{name}", url=url, outcome=outcome, **values)


def facts(**more: Any) -> Facts:
    values: dict[str, Any] = {"phase": "Ideation", "focus": "Understand the problem.", "asked": ASKED, **more}
    return Facts(number=2, starts=STARTS, ends=ENDS, **{"board": BOARD, "title": "ML 2", **values})


def test_at_first_only_the_goal_and_the_iteration_are_known_and_the_prompts_stay() -> None:
    assert bodies(facts()) == {
        "goal": "**Focus of Ideation:** Understand the problem.\n\n> What about goal?",
        "links": f"- Iteration: [ML 2]({BOARD})\n\n> What about links?",
    }


def test_a_section_that_the_template_does_not_have_gets_no_body() -> None:
    known = facts(asked={"goal": "What?"}, tickets=(ticket("1"),), tracked=tracked(run("a")))

    assert set(bodies(known)) == {"goal", OVERVIEW}


def test_runs_are_told_with_links_and_metrics_beside_the_best_of_the_iteration_before() -> None:
    runs = [run("old", -3, metrics={"f1": 0.7}), run("older", -4, metrics={"f1": 0.6})]
    runs += [run("a", 1, metrics={"f1": 0.75}), run("b", 2, metrics={"f1": 0.81}), run("c", 3, status="failed")]

    text = bodies(facts(tracked=tracked(*runs)))["experiments"]

    assert text.startswith("MLflow has 3 runs of this iteration (1 failed, 2 finished).")
    assert (
        f"- **f1** (taken as better the higher): best 0.81 in [b]({MLFLOW}/#/experiments/7/runs/b); "
        f"compared with the best of iteration 1: 0.7 in [old]({MLFLOW}/#/experiments/7/runs/old)"
    ) in text
    assert f"- [a]({MLFLOW}/#/experiments/7/runs/a), finished: f1 0.75" in text
    assert "[older]" not in text
    assert text.endswith("> What about experiments?")


def test_the_rows_of_a_form_are_filled_with_what_is_known_and_people_go_on_below() -> None:
    old = run("old", -3, metrics={"f1": 0.7}, datasets=(Dataset("customers", "1a2b"), Dataset("visits", "77")))
    new = run("new", 3, metrics={"f1": 0.8}, datasets=(Dataset("customers", "9f2c", "training"),))
    done = (ticket("1"), ticket("2", Outcome.CARRIED, title="Do | 2"))

    found = bodies(facts(forms=FORMS, tracked=tracked(old, new), tickets=done, closed=True))

    assert found["data"].endswith(
        "| Dataset | Version | Change |\n| --- | --- | --- |\n"
        "| customers (training) | 9f2c | was 1a2b |\n| visits |  | not read any more |\n|  |  |  |"
    )
    assert found["experiments"].endswith(
        "> What about experiments?\n\n| Measure | Value | Compared with | Target |\n| --- | --- | --- | --- |\n"
        f"| f1 | [0.8]({MLFLOW}/#/experiments/7/runs/new) | [0.7]({MLFLOW}/#/experiments/7/runs/old) |  |\n"
        "|  |  |  |  |"
    )
    assert found["next-steps"] == (
        "| Step | Ticket |\n| --- | --- |\n"
        "| Do \\| 2: carried over into the next iteration | [ML-2](https://tracker.example.com/2) |\n|  |  |"
    )


def test_a_form_without_the_columns_for_it_is_left_to_people() -> None:
    found = bodies(facts(forms={"experiments": ("What", "Who")}, tracked=tracked(run("a"))))["experiments"]

    assert "- **f1** (taken as better the higher): best 0.8 in" in found
    assert found.endswith("| What | Who |\n| --- | --- |\n|  |  |")


def test_without_runs_of_its_own_an_iteration_says_nothing_of_experiments_or_data() -> None:
    found = bodies(facts(tracked=tracked(run("old", -3, datasets=(Dataset("customers", "1a2b"),)))))

    assert not {"experiments", "data"} & set(found)


def test_data_is_told_by_version_with_what_changed_since_the_iteration_before() -> None:
    old = run("old", -3, datasets=(Dataset("customers", "1a2b", "training"), Dataset("visits", "77")))
    new = Dataset("customers", "9f2c", "training", "s3://bucket/customers.parquet")
    text = bodies(facts(tracked=tracked(old, run("a", datasets=(new,)), run("b", datasets=(new, Dataset("ads", ""))))))

    assert text["data"] == (
        "By MLflow, the runs of this iteration read:\n\n"
        "- **ads** (1 run)\n"
        "- **customers**, version `9f2c`, for training, from `bucket/customers.parquet` (2 runs)\n\n"
        "Compared with iteration 1: ads is new; customers was `1a2b` and is `9f2c`; visits was not read any more."
    )


def test_models_are_told_by_alias_and_stage_and_never_with_a_number_of_a_test() -> None:
    versions = (
        version("1", -20),
        version("2", -10, aliases=("champion",), stage="Production"),
        version("3", 2),
        version("4", 15, aliases=("next",)),
    )

    text = bodies(facts(tracked=tracked(run("a"), versions=versions)))["performance"]

    assert text == (
        "By the model registry of MLflow:\n\n"
        f"- [churn v3]({MLFLOW}/#/models/churn/3): new in this iteration\n"
        f"- [churn v2]({MLFLOW}/#/models/churn/2): alias champion, stage Production\n\n"
        "> What about performance?"
    )


def test_what_was_not_done_is_a_next_step_by_its_key_but_meetings_and_records_are_none() -> None:
    chores = [replace(ticket("9", Outcome.LEFT), key=ItemKey(f"{kind}:2")) for kind in ("record", "ceremonies")]
    tickets = (ticket("1"), ticket("2", Outcome.CARRIED, times=3), ticket("3", Outcome.BACKLOG), *chores)

    text = bodies(facts(closed=True, tickets=tickets))["next-steps"]

    assert text == (
        "- [ML-2](https://tracker.example.com/2) Do 2: carried over into the next iteration, 3 times by now\n"
        "- [ML-3](https://tracker.example.com/3) Do 3: back to the backlog"
    )


@pytest.mark.parametrize(("closed", "word"), [(True, "Not done"), (False, "Not done yet")])
def test_the_overview_lists_the_tickets_by_what_became_of_them(closed: bool, word: str) -> None:
    tickets = (ticket("1"), ticket("2", Outcome.LEFT), ticket("3", Outcome.DONE, points=None))

    text = bodies(facts(closed=closed, tickets=tickets))[OVERVIEW]

    assert "**Done:** 2 tickets (3 points)\n\n- [ML-1](https://tracker.example.com/1) Do 1" in text
    assert f"**{word}:** 1 ticket (3 points)\n\n- [ML-2](https://tracker.example.com/2) Do 2" in text


def test_a_closed_iteration_has_its_figures() -> None:
    done = ticket("1", started=STARTS, done=STARTS + timedelta(hours=30))
    tickets = (done, ticket("2", Outcome.CARRIED, planned=False))

    text = bodies(facts(closed=True, tickets=tickets, figures=count(tickets)))[OVERVIEW]

    assert text.startswith(
        "Planned: 1 ticket (3 points); added: 1 ticket (3 points); done: 1 ticket (3 points); "
        "carried over: 1 ticket (3 points).\n\n"
        "Half of the done tickets were in the works no longer than 30 hours, 85 of 100 in 30."
    )


def test_links_lead_to_runs_code_and_models_and_need_no_prompt_then() -> None:
    code = {"repository": "https://git.example.com/team/churn", "commit": "0123456789abcdef"}
    known = tracked(run("a", **code), run("b", **code, metrics={"f1": 0.9}), versions=(version("3", 2),))

    assert bodies(facts(tracked=known))["links"] == (
        f"- Runs: [churn]({MLFLOW}/#/experiments/7)\n"
        f"- Best run by f1: [b]({MLFLOW}/#/experiments/7/runs/b)\n"
        "- Repository: [git.example.com/team/churn](https://git.example.com/team/churn), commit `0123456789`\n"
        f"- Registered model: [churn v3]({MLFLOW}/#/models/churn/3)\n"
        f"- Iteration: [ML 2]({BOARD})"
    )


def test_an_address_that_the_audit_would_refuse_is_written_without_a_link() -> None:
    known = tracked(run("a", repository="https://git.corp/team/churn"))

    text = bodies(facts(tracked=known, hosts=("*.example.com",)))["links"]

    assert "- Repository: git.corp/team/churn\n" in text
    assert {link.url.split("/")[2] for link in links_in(text)} == {"mlflow.example.com", "tracker.example.com"}


def test_failed_runs_are_no_best_unless_there_are_no_others() -> None:
    runs = (run("bad", status="failed", metrics={"f1": 0.99}), run("good", metrics={"f1": 0.5}))

    assert "best 0.5 in [good]" in bodies(facts(tracked=tracked(*runs)))["experiments"]
    assert "best 0.99 in [bad]" in bodies(facts(tracked=tracked(runs[0])))["experiments"]


HOSTILE = [
    "[click](https://evil.example.org)",
    "# heading\n## Sign-off",
    "<script>alert(1)</script>",
    "see https://evil.example.org or www.evil.example.org",
    "| a | b |\n|---|---|",
    "`code` **bold** ~strike~ !image!",
    "a\u202eb\u0000c",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_from_elsewhere_makes_neither_a_link_nor_a_heading(name: str) -> None:
    known = tracked(
        run("a", datasets=(Dataset(name, name, name, name),), metrics={name or "f1": 1.0}),
        versions=(replace(version("1", 1), model=name, aliases=(name,), stage=name),),
    )
    known = replace(known, runs=tuple(replace(one, name=name) for one in known.runs))
    tickets = (ticket("1", title=name), ticket("2", Outcome.CARRIED, title=name))

    plainly = bodies(facts(tracked=known, tickets=tickets, title=name))
    in_forms = bodies(facts(tracked=known, tickets=tickets, title=name, forms=FORMS))
    rows = {key: sum(line.startswith("| ") for line in text.splitlines()) for key, text in in_forms.items()}

    assert {key: rows[key] for key in FORMS} == {"data": 4, "experiments": 4, "next-steps": 4}
    assert all(len(parse(text)[-1].table.rows) == 2 for key, text in in_forms.items() if key in FORMS)
    for text in plainly.values():
        assert not any("evil" in link.url for link in links_in(text))
        assert not re.search(r"(?m)^\s*(#|\||<)", text)
        assert "<script" not in text.replace("\\<script", "")


names = st.text(max_size=300)
runs = st.builds(
    lambda name, day, metrics, data: replace(
        run("r", day, metrics=metrics, datasets=tuple(Dataset(each, each) for each in data)), name=name, id=name or "r"
    ),
    names,
    st.floats(-14, 14),
    st.dictionaries(names, st.floats(allow_nan=False, allow_infinity=False), max_size=6),
    st.lists(names, max_size=4),
)
outcomes = st.sampled_from(Outcome)
tickets = st.builds(lambda name, outcome: ticket("1", outcome, title=name), names, outcomes)


@given(st.lists(runs, max_size=20), st.lists(tickets, max_size=60), st.booleans(), st.sampled_from([{}, FORMS]))
def test_bodies_have_room_on_a_card_and_no_headings_whatever_things_are_called(
    some: list[TrackedRun], done: list[TicketRecord], closed: bool, forms: dict[str, tuple[str, ...]]
) -> None:
    known = facts(tracked=tracked(*some), tickets=tuple(done), closed=closed, figures=count(done) if closed else None)
    known = replace(known, forms=forms)

    found = bodies(known)

    assert found == bodies(known)
    for key, text in found.items():
        assert len(text) <= LONGEST_BODY + len(quoted(ASKED.get(key, ""))) + 2
        assert not re.search(r"(?m)^\s{0,3}#", text)


def test_a_long_list_says_how_many_are_left_out() -> None:
    many = tuple(ticket(str(number), title="x" * 100) for number in range(100))

    text = bodies(facts(closed=True, tickets=many))[OVERVIEW]

    shown = text.count("- [ML-")
    assert f"- and {100 - shown} more" in text
    assert 5 < shown < 100


@given(names)
def test_a_plain_name_is_one_line_of_bounded_length(name: str) -> None:
    assert len(plain(name).splitlines()) <= 1
    assert len(plain(name)) <= 2 * 121


@pytest.mark.parametrize(
    ("name", "better"),
    [("f1", "higher"), ("val_loss", "lower"), ("test/RMSE", "lower"), ("auc", "higher"), ("closs", "higher")],
)
def test_a_metric_s_name_says_which_value_is_taken_as_better(name: str, better: str) -> None:
    assert taken_as(name) == better


def test_the_best_loss_is_the_lowest() -> None:
    best = best_of([run("a", metrics={"loss": 0.4}), run("b", metrics={"loss": 0.3}), run("c")], "loss")

    assert best is not None
    assert best.run.id == "b"


def test_main_metrics_are_those_of_most_runs_and_neither_the_machine_s_nor_training_s() -> None:
    some = [run("a", metrics={"f1": 1, "system/cpu": 1, "train_f1": 1, "x": 1}), run("b", metrics={"f1": 1, "y": 1})]

    assert main_metrics(some) == ("f1", "x", "y")
    assert main_metrics([run("a", metrics={"train_f1": 1})]) == ("train_f1",)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.83456, "0.8346"), (12.0, "12"), (12345.67, "12345.7"), (1e-9, "1e-09"), (1e300, "1e+300"), (-2.5, "-2.5")],
)
def test_numbers_have_no_more_digits_than_tell_something(value: float, text: str) -> None:
    assert number_text(value) == text


# --- the checks look at it --------------------------------------------------------------------------------------------


def test_what_is_filled_in_answers_for_data_runs_and_tickets_but_never_for_people() -> None:
    process = read_template_file(BUILTIN / "iterative-ml.yaml")
    parameters = settle(process, {}, STARTS.date())
    phase = next(one for one in process.phases if one.key == "deployment")
    wording = Wording(process, parameters, {**parameters, "project": {"name": "Churn", "key": "ML"}})
    words = wording.context(phase, {"number": 2, "of_phase": 1, "last": 2, "loop": 1})
    seeded = wording.record(phase, words, closes=False)
    old = run("old", -3, metrics={"f1": 0.7}, datasets=(Dataset("customers", "1a2b"),))
    new = run("new", 3, metrics={"f1": 0.8}, datasets=(Dataset("customers", "9f2c"),))
    done = (ticket("1"), ticket("2", Outcome.CARRIED))
    known = facts(
        phase=phase.title,
        focus=phase.focus,
        asked={one.key: one.prompt for one in process.record.sections},
        forms={one.key: one.form for one in process.record.sections},
        closed=True,
        tickets=done,
        figures=count(done),
        tracked=tracked(old, new, versions=(version("2", -10, aliases=("champion",), stage="Production"),)),
    )
    wanted = bodies(known)
    headings = {one.title: one.key for one in process.record.sections} | {OVERVIEW_TITLE: OVERVIEW}
    head, *sections = seeded.split("\n\n## ")
    parts = (part.partition("\n\n") for part in sections)
    text = "\n\n## ".join([head, *(f"{name}\n\n{wanted.get(headings[name], body)}" for name, _, body in parts)])
    record = Document(
        RemoteRef("1", "ML-9", "https://tracker.example.com/9"), "Record", text, text_digest(text), "todo"
    )
    subject = Subject(
        Iteration(2, "ML 2", phase.key, phase.title, 1, STARTS.date(), ENDS.date(), None, Deadlines(*[ENDS] * 5)),
        rules.settle(process, phase, parameters=parameters),
        Reading(ItemKey("record:2"), record),
        ENDS,
        template=seeded,
    )

    said = read(subject)
    results = {check: look(subject, said).result for check, look in TEXT_CHECKS.items()}

    passed = {Check.DATA, Check.EXPERIMENTS, Check.NEXT_STEPS}
    failed = {Check.GOAL, Check.DECISIONS, Check.PERFORMANCE, Check.RISKS, Check.NEW}
    assert results == dict.fromkeys(passed, Result.PASS) | dict.fromkeys(failed, Result.FAIL)
    assert {(one.name.lower(), one.value) for one in metrics_of(subject)} == {("f1", 0.8)}
