"""Records are filled with what a real MLflow server knows; where it is away, with the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl, SecretStr

from connectors.mlflow import server as reading
from connectors.mlflow.server import MlflowServer
from connectors.mlflow.settings import MlflowSettings
from connectors.records import Fill
from connectors.tracking import Dataset, Tracked
from connectors.values import Content, ItemKey, RemoteRef, Severity
from service.domain.audit.facts import OVERVIEW_SEEDED
from service.domain.audit.headings import OVERVIEW_TITLE
from service.domain.audit.outcome import Audited, Clock, Verdict
from service.domain.loop.figures import Outcome, TicketRecord, count
from service.settings import Settings
from service.store import audits
from service.store.tables import IterationRow, ProjectRow
from service.usecases.audit.record_prefill import Prefill, prefill
from service.usecases.plan.project_state import material
from tests.integration.loops import Shop, at
from tests.integration.mlflow_server import Lab, mlflow_server, unique
from tests.unit.connectors.loopback import Say, loopback

FIRST, SECOND = at("2026-03-04T10:00"), at("2026-03-18T10:00")
"""Instants in the first and in the second iteration of the shop's project."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as started:
        yield started


def read(lab: Lab, *experiments: str, models: tuple[str, ...] = ()) -> Tracked:
    with MlflowServer(MlflowSettings(url=lab.url)) as server:
        return server.read(experiments, models, at("2026-03-01T00:00"), at("2026-03-31T00:00"))


# --- what is read -----------------------------------------------------------------------------------------------------


def test_runs_are_read_by_experiment_and_time_with_their_last_numbers_data_and_code(lab: Lab) -> None:
    name, other = unique("churn"), unique("other")
    home = lab.experiment(name)
    lab.run(home, "too early", at("2026-02-28T10:00"))
    lab.run(home, "too late", at("2026-03-31T00:00"))
    lab.run(lab.experiment(other), "elsewhere", FIRST)
    second = lab.run(home, "second", FIRST + timedelta(hours=1), status="FAILED")
    code = {
        "mlflow_source_git_repoURL": "https://user:s3cret@git.example.com/team/churn.git",
        "mlflow_source_git_commit": "0123456789abcdef",
    }
    first = lab.run(home, "first", FIRST, {"f1": 0.81, "broken": "NaN"}, [("customers", "9f2c")], **code)

    found = read(lab, name)

    assert [(run.id, run.name, run.status) for run in found.runs] == [
        (first, "first", "finished"),
        (second, "second", "failed"),
    ]
    run = found.runs[0]
    assert (run.started, run.ended) == (FIRST, FIRST + timedelta(minutes=1))
    assert run.metrics == {"f1": 0.81}
    assert run.datasets == (Dataset("customers", "9f2c", "training", "s3://bucket/customers"),)
    assert (run.repository, run.commit) == ("https://git.example.com/team/churn", "0123456789abcdef")
    assert run.url == f"{lab.url}/#/experiments/{home}/runs/{first}"
    assert (found.experiments[0].name, found.missing, found.cut) == (name, (), False)


def test_many_runs_are_read_page_by_page_and_of_too_many_the_newest(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    name = unique("many")
    home = lab.experiment(name)
    for number in range(7):
        lab.run(home, str(number), FIRST + timedelta(hours=number))
    monkeypatch.setattr(reading, "_PAGE", 2)

    assert [run.name for run in read(lab, name).runs] == list("0123456")

    monkeypatch.setattr(reading, "RUNS_READ", 5)
    found = read(lab, name)
    assert ([run.name for run in found.runs], found.cut) == (list("23456"), True)


def test_what_is_not_there_is_named_and_the_rest_is_read(lab: Lab) -> None:
    name = unique("there")
    lab.run(lab.experiment(name), "run", FIRST)

    found = read(lab, name, "gone", models=("no such model",))

    assert found.missing == ("gone", "no such model")
    assert [run.name for run in found.runs] == ["run"]


@pytest.mark.parametrize("word", ["plain", "it's", 'the "new" one', "both ' and \"", "a/b ü"])
def test_experiments_and_models_are_found_whatever_they_are_called(lab: Lab, word: str) -> None:
    name = unique(word)
    run = lab.run(lab.experiment(name), "run", FIRST)
    model = name.replace("/", "-")
    lab.model(model)
    lab.version(model, run, "champion")

    found = read(lab, name, models=(model,))

    assert [one.name for one in found.experiments] == [name]
    assert [(one.model, one.version, one.aliases) for one in found.versions] == [(model, "1", ("champion",))]


def test_without_named_models_those_that_the_runs_made_are_read_with_all_that_are_in_use(lab: Lab) -> None:
    name, model = unique("exp"), unique("model")
    home = lab.experiment(name)
    lab.model(model)
    earlier = lab.run(home, "earlier", at("2026-01-05T10:00"))
    old = lab.version(model, earlier, "champion")
    run = lab.run(home, "run", FIRST)
    new = lab.version(model, run)

    found = read(lab, name)

    assert [(one.version, one.aliases, one.run) for one in found.versions] == [
        (old, ("champion",), earlier),
        (new, (), run),
    ]
    assert found.versions[1].url == f"{lab.url}/#/models/{model}/versions/{new}"


def test_an_old_version_with_an_alias_is_read_even_if_many_came_after(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, model = unique("exp"), unique("model")
    run = lab.run(lab.experiment(name), "run", FIRST)
    lab.model(model)
    for number in range(4):
        lab.version(model, run, "champion" if number == 0 else "")
    monkeypatch.setattr(reading, "_VERSIONS", 2)

    assert [one.version for one in read(lab, name, models=(model,)).versions] == ["1", "3", "4"]


# --- what is filled in ------------------------------------------------------------------------------------------------


def ticket(name: str, **more: Any) -> TicketRecord:
    url = f"https://tracker.example.com/{name}"
    return TicketRecord(ItemKey(f"ticket:{name}"), f"Do {name}", name, f"ML-{name}", url, points=3.0, **more)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A project in its second iteration: the first was closed with a ticket done and one carried over."""
    opened = Shop.open(Settings(home=tmp_path, _env_file=None))
    opened.begin_loop()
    opened.advance([ticket("1"), ticket("2")])
    opened.advance(
        [ticket("2", times=1), ticket("3")],
        closed=[ticket("1", outcome=Outcome.DONE), ticket("2", outcome=Outcome.CARRIED, times=1)],
    )
    opened.clock.set("2026-03-25T12:00")
    yield opened
    opened.context.close()


def tracking(shop: Shop, **said: Any) -> None:
    """What the project says of its tracking."""
    with shop.context.database.session() as session:
        session.get_one(ProjectRow, shop.project.id).audit = {"tracking": said}


def settings(shop: Shop, **given: Any) -> Shop:
    """The shop under other settings of the service."""
    changed = shop.context.settings.model_copy(update=given)
    return replace(shop, context=replace(shop.context, settings=changed))


def filled(shop: Shop, number: int, contents: list[Content] | None = None) -> Prefill:
    return prefill(shop.context, material(shop.context, shop.project.id), number, contents)


def by_heading(found: Prefill) -> Mapping[str, Fill]:
    return {fill.heading: fill for fill in found.fills}


def wrote(shop: Shop, number: int, found: Prefill) -> None:
    """As a run does that has written these sections."""
    unread = Audited(number, Verdict.PENDING, Clock.DUE_SOON, 0, ())
    with shop.context.database.session() as session:
        audits.trouble(session, shop.project.id, unread, "not looked at", shop.clock())
        bodies = {fill.heading: fill.body for fill in found.fills}
        audits.note(session, shop.project.id, number, bodies=bodies)


def test_a_record_is_filled_with_runs_data_models_tickets_and_links(shop: Shop, lab: Lab) -> None:
    name, model = unique("churn"), unique("model")
    home = lab.experiment(name)
    lab.run(home, "baseline", FIRST, {"f1": 0.7}, [("customers", "1a2b")])
    best = lab.run(home, "wider", SECOND, {"f1": 0.83}, [("customers", "9f2c")])
    lab.model(model)
    lab.version(model, best, "champion")
    shop.clock.now = datetime.now(shop.clock.now.tzinfo) + timedelta(days=1)  # MLflow's own clock dates versions
    tracking(shop, experiments=[name])

    found = filled(settings(shop, mlflow_url=HttpUrl(lab.url)), 2)

    assert found.findings == ()
    bodies = {heading: fill.body for heading, fill in by_heading(found).items()}
    assert "| f1 | [0.83](" in bodies["Experiments and results"]
    assert f"| [0.7]({lab.url}/#/experiments/{home}/runs/" in bodies["Experiments and results"]
    assert "| customers (training, from bucket/customers) | 9f2c | was 1a2b |" in bodies["Data used"]
    assert (
        f"[{model} v1]({lab.url}/#/models/{model}/versions/1): alias champion"
        in bodies["Model performance in production"]
    )
    assert f"- Runs: [{name}]({lab.url}/#/experiments/{home})" in bodies["Links"]
    assert "[ML-2](https://tracker.example.com/2) Do 2" in bodies[OVERVIEW_TITLE]
    assert not {"Decisions and why", "Risks and limits", "Sign-off", "Goal and hypothesis"} & set(bodies)


def test_a_closed_iteration_has_its_own_runs_and_what_became_of_its_tickets(shop: Shop, lab: Lab) -> None:
    name = unique("churn")
    home = lab.experiment(name)
    lab.run(home, "baseline", FIRST, {"f1": 0.7})
    lab.run(home, "wider", SECOND, {"f1": 0.83})
    tracking(shop, experiments=[name])
    done = [ticket("1", outcome=Outcome.DONE), ticket("2", outcome=Outcome.CARRIED, times=1)]
    with shop.context.database.session() as session:
        session.get_one(IterationRow, (shop.project.id, 1)).figures = count(done).to_json()

    fills = by_heading(filled(settings(shop, mlflow_url=HttpUrl(lab.url)), 1))

    assert "MLflow has 1 run of this iteration" in fills["Experiments and results"].body
    assert "wider" not in fills["Experiments and results"].body
    assert "| Do 2: carried over into the next iteration | [ML-2](" in fills["Next steps"].body
    assert fills[OVERVIEW_TITLE].body.startswith("Planned: 2 tickets (6 points); done: 1 ticket (3 points);")


def test_before_the_close_the_tickets_are_told_as_the_tracker_has_them(shop: Shop) -> None:
    def content(name: str, status: str) -> Content:
        known = ticket(name)
        ref = RemoteRef(known.remote_id, known.remote_key, known.url)
        return Content(ref, known.title, status, key=known.key, points=3.0)

    fills = by_heading(filled(shop, 2, [content("2", "done"), content("3", "doing")]))

    assert "**Done:** 1 ticket (3 points)\n\n- [ML-2]" in fills[OVERVIEW_TITLE].body
    assert "| Do 3: not done yet | [ML-3](https://tracker.example.com/3) |" in fills["Next steps"].body


def test_what_was_written_is_not_written_again_and_is_what_a_later_fill_replaces(shop: Shop) -> None:
    first = filled(shop, 1)
    overview = by_heading(first)[OVERVIEW_TITLE]
    assert overview.former == (OVERVIEW_SEEDED,)
    wrote(shop, 1, first)

    assert filled(shop, 1).fills == ()

    with shop.context.database.session() as session:
        row = session.get_one(IterationRow, (shop.project.id, 1))
        row.tickets = [ticket("1", outcome=Outcome.DONE).to_json()]
    again = by_heading(filled(shop, 1))[OVERVIEW_TITLE]
    assert again.former == (OVERVIEW_SEEDED, overview.body)
    assert "ML-2" not in again.body


def test_an_iteration_that_has_not_begun_has_nothing_to_be_filled_in(shop: Shop) -> None:
    assert filled(shop, 3) == Prefill()


# --- without a server, or with one that does not do -------------------------------------------------------------------


def test_without_a_server_nobody_is_asked_and_nothing_is_said_of_it(shop: Shop) -> None:
    tracking(shop, experiments=["churn"])

    found = filled(shop, 2)

    assert found.findings == ()
    assert set(by_heading(found)) == {OVERVIEW_TITLE, "Links"}, "the links lead to the board"


def test_an_empty_address_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASELOOP_MLFLOW_URL", "")

    assert Settings(home=tmp_path, _env_file=None).mlflow_url is None


def test_a_server_that_is_down_is_told_and_the_rest_is_filled_in(shop: Shop) -> None:
    with loopback(Say()) as gone:
        url = gone.url

    found = filled(settings(shop, mlflow_url=HttpUrl(url)), 1)

    [finding] = found.findings
    assert (finding.severity, finding.code, finding.subject) == (Severity.WARNING, "mlflow-not-read", "ML")
    assert "could not be reached" in finding.message
    assert {"Next steps", OVERVIEW_TITLE} <= set(by_heading(found))


def test_experiments_and_models_that_are_not_there_are_told(shop: Shop, lab: Lab) -> None:
    tracking(shop, experiments=["gone"], models=["no model"])

    found = filled(settings(shop, mlflow_url=HttpUrl(lab.url)), 2)

    assert [one.message.rpartition("show us ")[2] for one in found.findings] == ['"gone".', '"no model".']


def test_where_none_is_named_an_experiment_that_is_called_like_the_project_is_its_own(shop: Shop, lab: Lab) -> None:
    served = settings(shop, mlflow_url=HttpUrl(lab.url))
    [finding] = filled(served, 2).findings
    assert (finding.severity, finding.code) == (Severity.INFO, "mlflow-no-experiment")

    lab.run(lab.experiment("Churn"), "run", SECOND, {"f1": 0.5})

    found = filled(served, 2)
    assert found.findings == ()
    assert "f1 0.5" in by_heading(found)["Experiments and results"].body


def test_a_wrong_setting_is_told_without_the_credential(shop: Shop) -> None:
    given = {"mlflow_url": HttpUrl("http://mlflow.example.com"), "mlflow_token": SecretStr("s3cret")}

    [finding] = filled(settings(shop, **given), 2).findings

    assert finding.code == "mlflow-settings"
    assert "must start with https://" in finding.message
    assert "s3cret" not in f"{finding}"


def test_the_service_s_credential_goes_to_the_service_s_server_only(shop: Shop) -> None:
    empty = Say(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"})
    with loopback(empty) as ours, loopback(empty) as theirs:
        served = settings(shop, mlflow_url=HttpUrl(ours.url), mlflow_token=SecretStr("s3cret"))
        filled(served, 2)
        tracking(shop, url=theirs.url)
        filled(served, 2)

        assert {asked.headers.get("Authorization") for asked in ours.asked} == {"Bearer s3cret"}
        assert {asked.headers.get("Authorization") for asked in theirs.asked} == {None}
