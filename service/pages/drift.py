"""What people changed in the tracker since phaseloop wrote it, item by item, and what can be chosen for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.values import ItemKind, Severity
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.commands import typed
from service.domain.english import counted, sentence
from service.domain.plan.field_words import names_in
from service.domain.problems import InvalidInput
from service.pages import plan
from service.pages.moments import Moment, moment
from service.pages.plan import Told
from service.pages.remedies import on_pages
from service.usecases.plan import drift_choices, project_status
from service.usecases.plan.drift_choices import Choice, DriftedItem
from service.usecases.setup import connections, projects

MOST = 200
"""Items on the page; for others the command does the same."""


@dataclass(frozen=True, slots=True)
class ChoiceShown:
    """Something that can be chosen for an item, with what it means."""

    value: str
    label: str
    means: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class DriftRow:
    """An item that people changed: what is otherwise, a line each. `other` is what was entered to take its place."""

    number: int
    key: str
    title: str
    kind: str
    remote_key: str
    url: str
    said: tuple[str, ...]
    choices: tuple[ChoiceShown, ...]
    adopts: bool
    other: str
    error: str


@dataclass(frozen=True, slots=True)
class DriftPage:
    """Everything that people changed, as the tracker shows it at this moment."""

    id: str
    key: str
    name: str
    tracker: str
    looked: Moment
    lead: str
    rows: tuple[DriftRow, ...]
    more: str
    deleted: int
    findings: tuple[Told, ...]
    trouble: Told | None
    note: str
    errors: tuple[str, ...]
    may: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose: a choice and what takes its place, by item; and what is wrong with that."""

    choices: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def restored(self) -> list[str]:
        """The items to restore, in the order in which they are asked for."""
        return [key for key, choice in self.choices.items() if choice == Choice.RESTORE]


def page_of(context: Context, caller: Caller, name: str, chosen: Chosen | None = None) -> DriftPage:
    """The page, by a look at the tracker, which keeps nothing. Raises NotFound, Conflict."""
    chosen = chosen or Chosen()
    project = projects.going_on(context, name)
    look = project_status.look(context, project)
    found = look.draft.plan if look.draft is not None else None
    items = drift_choices.drifted(found) if found is not None else ()
    names = names_in(found) if found is not None else {}
    tracker = connections.kind_title(context, project.connection_id)
    trouble = look.trouble
    return DriftPage(
        id=project.id,
        key=look.project.key,
        name=project.name,
        tracker=tracker,
        looked=moment(context.now(), project.time_zone, context.now(), seconds=True),
        lead=_lead(items, tracker) if found is not None and not (found.blocked and not items) else "",
        rows=tuple(_row(number, one, names, chosen) for number, one in enumerate(items[:MOST], start=1)),
        more=_more(len(items), project.key),
        deleted=sum(one.gone for one in items),
        findings=tuple(
            plan.told(one.severity, one.code, one.message, one.fix)
            for one in (found.findings if found is not None else ())
            if one.severity is Severity.ERROR
        ),
        trouble=plan.told(Severity.ERROR, "unreachable", trouble.message, trouble.fix) if trouble is not None else None,
        note=chosen.note,
        errors=tuple(chosen.wrong[key] for key in chosen.wrong if key not in {str(one.key) for one in items}),
        may=caller.may(Permission.OPERATE, project.id),
    )


def wrong_of(error: InvalidInput, restored: list[str]) -> dict[str, str]:
    """What is wrong, by the item that it is about; by its place where it is about none."""
    found: dict[str, str] = {}
    for one in error.problems:
        number = one.path.removeprefix("restore[").removesuffix("]")
        key = one.path.removeprefix("adopt.")
        if one.path.startswith("restore[") and number.isdigit() and int(number) < len(restored):
            key = restored[int(number)]
        said = on_pages(f"{one.message}; {one.fix}" if one.fix else one.message)
        found[key] = f"{found[key]}; {said}" if key in found else sentence(said)
    return found


def _lead(items: tuple[DriftedItem, ...], tracker: str) -> str:
    if not items:
        return (
            f"Nothing: {tracker} shows everything as phaseloop wrote it, but for what people do in the course of work."
        )
    gone = sum(one.gone for one in items)
    said = counted(len(items), "item")
    return f"{said} changed, {gone} of them gone." if gone else f"{said} changed."


def _more(count: int, key: str) -> str:
    if count <= MOST:
        return ""
    return f"{counted(count - MOST, 'item')} more: `phaseloop status {typed(key)}` names them."


def _row(number: int, one: DriftedItem, names: Mapping[str, str], chosen: Chosen) -> DriftRow:
    key = str(one.key)
    choice = chosen.choices.get(key, Choice.KEEP.value)
    return DriftRow(
        number=number,
        key=key,
        title=one.title,
        kind=sentence(one.kind.value) if one.kind is not ItemKind.TICKET else "",
        remote_key=one.remote_key,
        url=one.url,
        said=tuple(plan.drift_said(entry, names) for entry in one.entries),
        choices=tuple(_choices(one, choice)),
        adopts=Choice.ADOPT in one.choices,
        other=chosen.others.get(key, ""),
        error=chosen.wrong.get(key, ""),
    )


def _choices(one: DriftedItem, chosen: str) -> Iterator[ChoiceShown]:
    for choice in one.choices:
        label, means = _words(one, choice)
        yield ChoiceShown(choice.value, label, means, choice.value == chosen)


def _words(one: DriftedItem, choice: Choice) -> tuple[str, str]:
    if choice is Choice.KEEP:
        return "Keep theirs", "It stays as they left it, and plans work around it."
    if choice is Choice.ADOPT:
        return (
            "Take another in its place",
            "That one gets our marker and nothing else; from then on it counts as this one.",
        )
    if not one.gone:
        return "Restore ours", "What is planned is written again. Labels that people added stay."
    return "Make it again", _AGAIN.get(one.kind, _HOME)


_NEW = "A new one is made, with its links; comments and history of the old one are gone with it."
_HOME = "It is made again, and those of its tickets are put into it that are in no other."
_AGAIN = {
    ItemKind.TICKET: _NEW,
    ItemKind.EPIC: _HOME,
    ItemKind.ITERATION: _HOME,
    ItemKind.LINK: "The link is made again.",
}
