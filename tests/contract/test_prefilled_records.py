"""What phaseloop knows of an iteration goes into a record of every tracker, and is told from people's words there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.port import Tracker
from connectors.records import Document, Fill
from connectors.tracking import Dataset, Experiment, ModelVersion, Tracked, TrackedRun
from connectors.values import ItemKey, Place
from service.domain.audit.facts import OVERVIEW, Facts, bodies
from service.domain.audit.headings import OVERVIEW_TITLE
from service.domain.audit.links import links_in
from service.domain.loop.figures import Outcome, TicketRecord, count
from service.domain.plan.ticket_text import Wording
from service.domain.template.parameters import settle
from service.templates import BUILTIN, read_template_file
from tests.contract.items import ticket
from tests.contract.promises import created, promise

STARTS = datetime(2026, 3, 16, 8, tzinfo=UTC)
MLFLOW = "https://mlflow.example.com/#"
ODD = "a_b *c* [d] (e) {f} #g |h| <i> ~j~ k! l^m +n+ ??o?? {{p}} -- q_"


def run(name: str, day: int, f1: float) -> TrackedRun:
    address = f"{MLFLOW}/experiments/7/runs/{name}"
    data = (Dataset("customers_eu", f"digest_{day}", "training", "s3://bucket/customers_eu"),)
    started = STARTS + timedelta(days=day)
    return TrackedRun(name, ODD, "7", address, "finished", started, metrics={"val_f1": f1}, datasets=data)


def known(*outcomes: Outcome) -> tuple[Facts, str, dict[str, str]]:
    """Facts of an iteration whose tickets came to this, the record as it is seeded, and its headings."""
    process = read_template_file(BUILTIN / "iterative-ml.yaml")
    parameters = settle(process, {}, STARTS.date())
    phase = process.phases[1]
    wording = Wording(process, parameters, {**parameters, "project": {"name": "Churn", "key": "ML"}})
    words = wording.context(phase, {"number": 2, "of_phase": 1, "last": 2, "loop": 1})
    headings = {one.key: one.title for one in process.record.sections} | {OVERVIEW: OVERVIEW_TITLE}
    tickets = tuple(
        TicketRecord(
            ItemKey(f"ticket:{number}"),
            ODD,
            remote_key=f"ML-{number}",
            url=f"https://tracker.example.com/ML-{number}",
            points=3,
            outcome=outcome,
        )
        for number, outcome in enumerate(outcomes)
    )
    version = ModelVersion("churn_eu", "3", f"{MLFLOW}/models/churn_eu/versions/3", STARTS, "", ("champion",))
    facts = Facts(
        number=2,
        phase=phase.title,
        focus=phase.focus,
        starts=STARTS,
        ends=STARTS + timedelta(days=14),
        asked={one.key: one.prompt for one in process.record.sections},
        forms={one.key: one.form for one in process.record.sections},
        closed=True,
        tickets=tickets,
        figures=count(tickets),
        title="ML 2",
        board="https://tracker.example.com/board",
        tracked=Tracked(
            "mlflow.example.com",
            (Experiment("7", "churn_eu", f"{MLFLOW}/experiments/7"),),
            (run("old", -3, 0.7), run("new", 3, 0.8)),
            (version,),
        ),
    )
    return facts, wording.record(phase, words, closes=True), headings


@promise("fill")
def test_a_seeded_record_takes_what_is_known_and_later_what_is_known_then(tracker: Tracker, place: Place) -> None:
    first, text, headings = known(Outcome.LEFT, Outcome.DONE)
    later, _, _ = known(Outcome.DONE, Outcome.DONE, Outcome.CARRIED)
    later = replace(later, tracked=replace(later.tracked, versions=())) if later.tracked else later
    item = ticket("a", "Document iteration 2", text=text)
    made = created(tracker, place, item)
    tracker.finish(place, [(item, made[item.key])])
    ref = made[item.key]

    def read() -> Document:
        return tracker.documents(place, made, [item.key])[item.key]

    seeded = {
        heading: part.partition("\n\n")[2]
        for part in text.split("\n\n## ")[1:]
        for heading in [part.partition("\n\n")[0]]
    }
    before = {headings[key]: body for key, body in bodies(first).items()}
    after = {headings[key]: body for key, body in bodies(later).items()}

    filled = tracker.fill(place, ref, [Fill(name, body, (seeded[name],)) for name, body in before.items()])
    assert (set(filled.written), filled.left) == (set(before), ())
    again = tracker.fill(place, ref, [Fill(name, body, (seeded[name],)) for name, body in before.items()])
    assert (again.digest, again.left) == (filled.digest, ())

    document = read()
    for heading in ("Decisions and why", "Risks and limits", "Sign-off"):
        assert f"## {heading}" in document.text
    addresses = {link.url for link in links_in(document.text)}
    assert {f"{MLFLOW}/experiments/7/runs/new", f"{MLFLOW}/models/churn_eu/versions/3"} <= addresses
    assert "https://tracker.example.com/ML-0" in addresses
    assert len(document.text) < 12_000

    filled = tracker.fill(
        place, ref, [Fill(name, body, (seeded[name], before.get(name, ""))) for name, body in after.items()]
    )
    assert (set(filled.written), filled.left) == (set(after), ())
    assert "carried over into the next iteration" in read().text
    assert "not done:" not in read().text
