"""A trigger: which events of a sender start what, on which condition, and how often at most. Read from YAML or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from ruamel.yaml import YAML

from service.domain.hook.action import ACTIONS, PRIORITIES
from service.domain.hook.source import SOURCES
from service.domain.problems import InvalidInput, Problem
from service.domain.template import shape
from service.domain.template.reader import read_document
from service.domain.template.template import Key, Strict
from service.domain.template.yaml_marks import Marks, Path

Expression = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Given = Annotated[str, StringConstraints(max_length=8000)] | bool | int | float
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,80}$")]

SourceName = Literal["jira", "trello", "github", "mlflow", "alertmanager", "grafana", "wandb", "generic"]
ActionName = Literal[
    "bootstrap",
    "advance",
    "audit",
    "mark-exit",
    "decide",
    "resync",
    "add-ticket",
    "close-ticket",
    "record",
    "notify",
]

PLACEHOLDER = re.compile(r"\$\{((?:[^{}\"']|\"[^\"]*\"|'[^']*'|\{[^{}]*\})*)\}")
"""An expression in a text: `${payload.repository.name}`."""


class Limits(Strict):
    """How often a trigger acts at most."""

    once_per_key: bool = Field(default=False, description="Once for each `key`, for good.")
    per_hour: Annotated[int, Field(ge=1, le=1000)] | None = Field(default=None, description="So many times an hour.")
    phases: tuple[Key, ...] = Field(default=(), description="Only while the project is in one of these phases.")
    park_after: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5, description="After so many failures in a row the trigger is parked, with a finding."
    )


class SenderSettings(Strict):
    """What differs from sender to sender of one kind: for Grafana the headers that it signs in."""

    signature_header: HeaderName | None = Field(default=None, description="Grafana: the header with the signature.")
    timestamp_header: HeaderName | None = Field(default=None, description="Grafana: the header with the time, if any.")


class Trigger(Strict):
    """What an event starts."""

    format: Literal["phaseloop/v1"] = Field(default="phaseloop/v1", description="The version of the format.")
    kind: Literal["trigger"] = Field(default="trigger", description="What this document is.")
    name: Key = Field(description="What it is called; it is part of the address that its sender delivers to.")
    description: Annotated[str, StringConstraints(max_length=1000)] = Field(default="", description="What it is for.")
    source: SourceName = Field(description="The kind of sender.")
    connection: Line | None = Field(default=None, description="For jira and trello: the connection whose events.")
    address_of: Key | None = Field(
        default=None, description="Another trigger, to whose address its sender delivers; this one has none then."
    )
    settings: SenderSettings = Field(default_factory=SenderSettings, description="How this sender signs.")
    when: Expression | None = Field(default=None, description="A CEL condition; every event if left out.")
    key: Line | None = Field(default=None, description="What it acts once for, as text with `${...}`.")
    project: Line | None = Field(default=None, description="Key or id of the project, as text with `${...}`.")
    action: ActionName = Field(description="What is done.")
    given: dict[str, Given | dict[str, Given]] = Field(
        default_factory=dict, alias="with", description="The action's arguments; texts may hold `${...}`."
    )
    limits: Limits = Field(default_factory=Limits, description="How often at most.")

    def to_json(self) -> dict[str, Any]:
        """The trigger as plain JSON values; `trigger_from_json` gives it back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def expressions(self) -> Iterator[tuple[Path, str, bool]]:
        """Every expression with its place, and whether it is the condition."""
        if self.when is not None:
            yield ("when",), self.when, True
        for path, text in self.texts():
            for found in PLACEHOLDER.finditer(text):
                yield path, found[1].strip(), False

    def texts(self) -> Iterator[tuple[Path, str]]:
        """Every text that may hold expressions, with its place."""
        for name in ("key", "project"):
            if (text := getattr(self, name)) is not None:
                yield (name,), text
        for name, value in self.given.items():
            if isinstance(value, str):
                yield ("with", name), value
            elif isinstance(value, dict):
                yield from ((("with", name, inner), one) for inner, one in value.items() if isinstance(one, str))


def read_trigger(text: str, source: str) -> Trigger:
    """Read a trigger file. Raises InvalidInput with every problem of its shape or, if that is right, of what it says;
    expressions are not looked into."""
    return read_marked(text, source)[0]


def read_marked(text: str, source: str) -> tuple[Trigger, Marks]:
    """As `read_trigger`, with the places of the file, for what is found wrong later."""
    trigger, marks = read_document(text, source, Trigger, "trigger")
    return _checked(trigger, marks), marks


def trigger_from_json(value: object, source: str = "trigger") -> Trigger:
    """A trigger from plain JSON values. Raises InvalidInput; the problems' pointers lead into `value`."""
    marks = Marks.of(value, source)
    return _checked(shape.validate(Trigger, marks), marks)


def marks_of(trigger: Trigger, source: str = "trigger") -> Marks:
    """Places of a trigger that was read already."""
    return Marks.of(trigger.to_json(), source)


def written(trigger: Trigger) -> str:
    """The trigger as a YAML file; `read_trigger` gives it back."""
    text = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.sort_base_mapping_type_on_output = False, False  # type: ignore[assignment]
    yaml.width = 100
    yaml.dump({"kind": "trigger", **trigger.to_json()}, text)
    return text.getvalue()


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The text with its expressions replaced by their values; a list is written with commas."""
    return PLACEHOLDER.sub(lambda found: shown(values[found[1].strip()]), text)


def shown(value: Any) -> str:
    """A value within a text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case list():
            return ", ".join(shown(one) for one in value)
        case _:
            return str(value)


def _checked(trigger: Trigger, marks: Marks) -> Trigger:
    problems = [*_sender_problems(trigger, marks), *_action_problems(trigger, marks), *_limit_problems(trigger, marks)]
    for path, text in trigger.texts():
        if text.count("${") != len(PLACEHOLDER.findall(text)):
            problems.append(marks.problem(path, "a `${` has no `}` that ends it", "write ${payload.name}"))
    problems += [
        marks.problem((name,), "is empty", "write what it is to be, or leave the line out")
        for name in ("when", "key", "project", "connection", "address_of")
        if name in trigger.model_fields_set and getattr(trigger, name) is None
    ]
    if problems:
        raise InvalidInput(shape.in_order(problems))
    return trigger


def _sender_problems(trigger: Trigger, marks: Marks) -> Iterator[Problem]:
    title = SOURCES[trigger.source].title
    if SOURCES[trigger.source].tracker and trigger.connection is None:
        yield marks.problem(("source",), f"{title} sends to a connection, and none is named", "add `connection: NAME`")
    if not SOURCES[trigger.source].tracker and trigger.connection is not None:
        yield marks.problem(("connection",), f"{title} does not send to a connection", "leave it out")
    if trigger.address_of is not None:
        if SOURCES[trigger.source].tracker:
            yield marks.problem(("address_of",), f"{title} delivers to its connection", "leave it out")
        elif trigger.address_of == trigger.name:
            yield marks.problem(("address_of",), "is the trigger itself", "name another trigger, or leave it out")
    said = trigger.settings.model_dump(exclude_none=True)
    for name in said if trigger.source != "grafana" else ():
        yield marks.problem(("settings", name), f"{title} signs in one way only", "leave it out")


def _action_problems(trigger: Trigger, marks: Marks) -> Iterator[Problem]:
    action = ACTIONS[trigger.action]
    for name in trigger.given:
        if name not in action.arguments:
            fix = shape.meant(name, action.arguments) or shape.one_of(action.arguments) or "leave it out"
            yield marks.problem(("with", name), f"`{trigger.action}` takes no such argument", fix)
        elif isinstance(trigger.given[name], dict) != (name == "parameters"):
            yield marks.problem(("with", name), "has the wrong form", "give one value, or a mapping for `parameters`")
    priority = trigger.given.get("priority")
    if priority is not None and "${" not in str(priority) and str(priority) not in PRIORITIES:
        yield marks.problem(("with", "priority"), f"{priority!r} is none", f"write {shape.one_of(PRIORITIES)}")
    for name in action.required:
        if name not in trigger.given:
            yield marks.problem(("action",), f"`{trigger.action}` needs `{name}`", f"add `with: {{{name}: ...}}`")
    if action.needs_project and trigger.project is None:
        yield marks.problem(("action",), f"`{trigger.action}` needs a project", "add `project: KEY`")
    if not action.needs_project and trigger.project is not None:
        yield marks.problem(("project",), f"`{trigger.action}` is of no project that is there", "leave it out")


def _limit_problems(trigger: Trigger, marks: Marks) -> Iterator[Problem]:
    if trigger.limits.once_per_key and trigger.key is None:
        yield marks.problem(("limits", "once_per_key"), "there is no key to act once for", "add `key: ${...}`")
    if trigger.limits.phases and not ACTIONS[trigger.action].needs_project:
        yield marks.problem(("limits", "phases"), f"`{trigger.action}` is of no phase", "leave it out")
