"""What is so of one kind of tracker alone is said in that kind's folder; the service names none."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel, Field, SecretStr

from connectors.kinds import Kind
from connectors.port import Tracker
from connectors.registry import KINDS, connect
from connectors.values import ITERATION_TITLE_LIMIT, ProjectSpec
from service.cli import local_trackers
from service.cli.library import adding
from tests.unit.test_imports import ROOT, imports, modules, name_of

VENDOR = re.compile("|".join([*KINDS, "atlassian", "power-?up"]), re.IGNORECASE)

MAY = {
    "service.api.audit_examples": "examples of requests and answers",
    "service.api.examples": "examples of requests and answers",
    "service.api.hook_examples": "examples of requests and answers",
    "service.api.loop_examples": "examples of requests and answers",
    "service.cli.audit_try": "Jira's wiki markup is a format of files",
    "service.cli.local_trackers": "which trackers the sandbox has, and its accounts in them",
    "service.cli.main": "says to people what the product is for",
    "service.domain.audit.tickets": "what people write before a ticket's key",
    "service.domain.hook.signature": "how each kind of sender signs, trackers among them",
    "service.domain.hook.source": "the kinds of senders, trackers among them",
    "service.domain.hook.trigger": "the names of senders, in the form that files are checked against",
    "service.store.migrations.versions.v0007_the_mapping": "brings over what there was when it was written",
    "service.usecases.audit.audit_trial": "Jira's wiki markup is a format of files",
}
"""Where a vendor may be named, and why."""


def words(path: Path) -> Iterator[str]:
    """Every identifier, text and name of a module in a file; comments are not among them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            yield str(node.value)
        for field in ("id", "attr", "arg", "name", "asname", "module"):
            if isinstance(named := getattr(node, field, None), str):
                yield named


def named(path: Path) -> list[str]:
    return [word for word in words(path) if VENDOR.search(word)]


@pytest.mark.parametrize("path", modules("service"), ids=name_of)
def test_a_vendor_is_named_only_where_there_is_a_reason(path: Path) -> None:
    if name_of(path) not in MAY:
        assert named(path) == []


@pytest.mark.parametrize("name", MAY)
def test_where_a_vendor_may_be_named_one_is(name: str) -> None:
    assert named(ROOT / f"{name.replace('.', '/')}.py"), f"{name} need not be listed any more"


REACHED = {"registry": {"kind"}, "markups": {"adf", "wiki"}}
"""What of a vendor's folder is used from outside: its descriptor, and formats that files are written in as well."""


@pytest.mark.parametrize("path", sorted((ROOT / "connectors").glob("*.py")), ids=name_of)
def test_of_a_vendors_folder_only_its_descriptor_is_imported_from_outside(path: Path) -> None:
    theirs = {target for target in imports(path) if re.match(rf"connectors\.({'|'.join(KINDS)})\b", target)}

    assert {target.split(".")[2] for target in theirs} == REACHED.get(path.stem, set())


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_setting_that_people_give_says_what_to_write(kind: Kind) -> None:
    assert all(setting.help.endswith(".") for setting in kind.given)
    assert {setting.name for setting in kind.given} | {kind.secret_field} | kind.learned == set(
        kind.settings.model_fields
    )


def test_a_template_is_held_to_the_shortest_title_that_any_kind_takes() -> None:
    assert min(kind.iteration_title_limit for kind in KINDS.values()) == ITERATION_TITLE_LIMIT


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_longest_title_that_a_kind_names_is_the_one_that_its_tracker_keeps_to(kind: Kind) -> None:
    settings, secret = local_trackers.account(kind.name, "http://127.0.0.1:1")
    tracker = connect(kind.name, settings, secret)

    assert tracker.assumed(ProjectSpec("", "ML", "ML")).iteration_title_limit == kind.iteration_title_limit
    tracker.close()


def test_the_sandbox_has_an_account_for_each_kind_that_it_is_said_to_have() -> None:
    assert set(local_trackers.ACCOUNTS) == {name for name, kind in KINDS.items() if kind.sandbox}


class OtherSettings(BaseModel):
    """The settings of a kind of tracker that the product has not."""

    url: str = Field(description="where it is.")
    team_folder: str = Field(default="", description="whose work it is.")
    quiet: bool = Field(default=False, description="tell nobody.")
    token: SecretStr = Field(min_length=1)


def unreachable(*_anything: object) -> Tracker:
    raise AssertionError("nothing connects to it")


OTHER = Kind("other", "Other", OtherSettings, "token", unreachable, "folder", "the bin", "by asking", 50)


def options(kinds: dict[str, Kind]) -> dict[str, Any]:
    """The options of `connections add` with these kinds, by what people type."""
    app = typer.Typer()
    app.command("add")(adding(kinds))
    return {flag: one for one in typer.main.get_command(app).params for flag in one.opts}


def test_a_kind_that_is_added_brings_its_settings_as_options_and_says_whose_they_are() -> None:
    before, found = options(KINDS), options({**KINDS, "other": OTHER})

    assert found.keys() - before.keys() == {"--team-folder", "--quiet"}
    assert found["--team-folder"].help == "Other: whose work it is."
    assert found["--quiet"].is_flag
    assert found["--url"].help == f"{before['--url'].help} Other: where it is."
    assert "jira or trello or other" in found["--kind"].help
    assert before["--allow-http"].help == "Allow plain http beyond this machine."


def test_where_there_is_one_kind_alone_nothing_says_whose_a_setting_is() -> None:
    found = options({"other": OTHER})

    assert found["--url"].help == "Where it is."
    assert found["--kind"].default == "other"
    assert "`other`" in found["name"].help


def test_a_kind_is_named_once_and_by_its_own_name() -> None:
    assert [kind.name for kind in KINDS.values()] == list(KINDS)
    assert len({kind.title for kind in KINDS.values()}) == len(KINDS)
    assert inspect.signature(adding(KINDS)).parameters["kind"].default == next(iter(KINDS))
