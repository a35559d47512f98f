"""The log of changes: who changed what, when and from where, and whether it still holds against its seals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from service.context import Context
from service.domain.audit.shown import visible
from service.domain.english import counted, sentence
from service.pages.moments import Moment, moment
from service.pages.new_project import Choice, Field
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.usecases.access import change_log, people
from service.usecases.access.change_log import Asked
from service.usecases.errors import Conflict, NotFound
from service.usecases.setup import projects
from service.views.access import ChangeView

HERE = "/changes"

ON_A_PAGE = 50
LONGEST = 300
"""Characters of a value; the exports have all of it."""

FEW, SHORT = 2, 160
"""So many values of an entry, of so many characters in all, stand open; more are folded."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that was changed. What was not there before, or is not any more, is empty."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One entry of the log. `by_href` and `project_href` show what else was done by them, and to that."""

    seq: int
    at: Moment
    by: str
    by_href: str
    source: str
    what: str
    action: str
    project: str
    project_href: str
    differences: tuple[Difference, ...]
    folded: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of holding the log against its seals."""

    sign: Sign
    said: str
    head: str
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Entries, the newest first. `older` and `newest` lead on, empty where there is nothing more; `csv` and `json` are
    the same entries from the API."""

    rows: tuple[ChangeLine, ...]
    fields: tuple[Field, ...]
    errors: tuple[tuple[str, str], ...]
    filtered: bool
    older: str
    newest: str
    csv: str
    json: str
    verify: str
    proof: Proof | None


def page_of(context: Context, given: Mapping[str, str], before: int | None, *, verify: bool) -> ChangesPage:
    """The entries that the filter leaves, those with a number below `before`; with `verify`, whether the log holds."""
    asked, wrong = _asked(given)
    found: list[ChangeView] = []
    if not wrong:
        try:
            found = change_log.page(context, ON_A_PAGE + 1, before, asked)
        except (NotFound, Conflict) as error:
            wrong = {"project": on_pages(f"{error.message} {error.fix}".strip())}
    rows = found[:ON_A_PAGE]
    kept = {name: value for name, value in given.items() if value}
    fields = tuple(one.filled(given, wrong) for one in _fields(given))
    more = len(found) > ON_A_PAGE
    return ChangesPage(
        rows=tuple(_lines(context, rows)),
        fields=fields,
        errors=tuple((one.name, f"{one.label}: {one.error}") for one in fields if one.error),
        filtered=bool(kept),
        older=_address(HERE, {**kept, "before": str(rows[-1].seq)}) if more else "",
        newest=_address(HERE, kept) if before is not None else "",
        csv=_address("/api/v1/changes.csv", _over_rest(kept, asked)),
        json=_address("/api/v1/changes", {**_over_rest(kept, asked), "limit": "200"}),
        verify=_address(HERE, {**kept, "verify": "yes"}),
        proof=_proof(context) if verify else None,
    )


def _address(path: str, given: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(given)}" if given else path


def _over_rest(kept: Mapping[str, str], asked: Asked) -> dict[str, str]:
    """The filter as the API takes it."""
    named = {name: kept[name] for name in ("by", "thing", "project") if name in kept}
    times = (("since", asked.since), ("until", asked.until))
    return named | {name: at.isoformat().replace("+00:00", "Z") for name, at in times if at is not None}


def _asked(given: Mapping[str, str]) -> tuple[Asked, dict[str, str]]:
    """What the filter asks for, and what is wrong with it, by field. The last day is included."""
    wrong: dict[str, str] = {}
    days: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        text = given.get(name, "")
        try:
            days[name] = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) if text else None
        except ValueError:
            days[name], wrong[name] = None, f"“{text[:40]}” is no day; write it like 2027-01-31"
    last = days["until"]
    if last is not None and last.date() < date.max:
        last += timedelta(days=1)
    by, thing, project = (given.get(name) or None for name in ("by", "thing", "project"))
    return Asked(by, thing, project, days["since"], last), wrong


def _fields(given: Mapping[str, str]) -> Iterator[Field]:
    chosen = given.get("thing", "")
    things = change_log.things()
    choices = [Choice("", "Everything", chosen not in things)]
    choices += [Choice(one, sentence(one), one == chosen) for one in things]
    yield Field("by", "Who", longest=200)
    yield Field("thing", "What", kind="choice", choices=tuple(choices))
    yield Field("project", "Project", longest=200)
    yield Field("since", "From", kind="date", longest=20)
    yield Field("until", "To", kind="date", longest=20)


def _lines(context: Context, rows: Sequence[ChangeView]) -> Iterator[ChangeLine]:
    now = context.now()
    told = [row.to_json() for row in rows]
    values = {str(value) for one in told for part in ("before", "after") for value in one[part].values()}
    keys = projects.keys_of(context, [*(row.project_id or "" for row in rows), *_ids("prj_", values)])
    names = {**people.logins_of(context, _ids("per_", values)), **keys}
    for row, one in zip(rows, told, strict=True):
        differences = tuple(_differences(one["before"], one["after"], names))
        yield ChangeLine(
            row.seq,
            moment(row.at, "UTC", now, seconds=True),
            visible(row.by),
            _address(HERE, {"by": row.by}),
            visible(one["from"] or ""),
            _what(row.thing, one, names),
            row.action,
            keys.get(row.project_id or "", ""),
            _address(HERE, {"project": row.project_id}) if row.project_id else "",
            differences,
            len(differences) > FEW or sum(len(each.before) + len(each.after) for each in differences) > SHORT,
        )


def _what(thing: str, told: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What was changed: `Grant lead of ml-1@example.com`."""
    values = {**told["before"], **told["after"]}
    holder = names.get(str(values.get("holder_id") or values.get("person_id") or ""), "")
    said = " ".join(one for one in (sentence(thing), str(told["name"] or "")) if one)
    return visible(f"{said} of {holder}" if holder else said)


def _ids(prefix: str, values: set[str]) -> list[str]:
    return [one for one in values if one.startswith(prefix)]


def _differences(
    before: Mapping[str, object], after: Mapping[str, object], names: Mapping[str, str]
) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        was, is_ = (_short(one[name], names) if name in one else "" for one in (before, after))
        if was != is_:
            yield Difference(name.replace("_", " "), was, is_)


def _short(value: object, names: Mapping[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        text = f"{names[value]} ({value})" if value in names else value
    else:
        text = json.dumps(value, ensure_ascii=False)
    text = visible(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _proof(context: Context) -> Proof:
    found = change_log.verify(context)
    number = counted(found.entries, "entry", "entries")
    if found.breaks:
        return Proof(_BROKEN, f"The log of {number} does not hold:", found.head, tuple(map(sentence, found.breaks)))
    return Proof(_HOLDS, f"The log holds: {number}, each sealed with the one before it.", found.head, ())


_HOLDS = Sign("ok", "ok", "Holds")
_BROKEN = Sign("bad", "bad", "Does not hold")
