"""What phaseloop knows of an iteration, written under the headings of its record: so that people write only what was
decided and why, what the risks are, and what the numbers mean. Pure.

What is written never answers for people. A section that still needs their words keeps its prompt, quoted as it was
seeded, below the facts. The same facts give the same text, to the character: nothing in it tells when it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.tracking import Dataset, ModelVersion, Tracked, TrackedRun
from service.domain.audit.cells import column_of
from service.domain.audit.measures import Best, best_of, main_metrics, number_text, taken_as
from service.domain.english import counted
from service.domain.loop.figures import Figures, Outcome, Sum, TicketRecord, total
from service.domain.template.hosts import refusal

OVERVIEW = "overview"
"""The key of the section that holds tickets and figures; it is ours alone, and no check asks for it."""

OVERVIEW_SEEDED = "*phaseloop fills this in from the tracker before the iteration ends.*"
"""What stands there at first."""

LONGEST_BODY = 1_800
"""The most characters of a body beside its prompt: all of them together fit into the description of a card."""

_ESCAPED = frozenset("\\`*_[]<>#|~!{}&")
_IN_ADDRESS = {
    "|": "%7C",
    " ": "%20",
    "(": "%28",
    ")": "%29",
    "<": "%3C",
    ">": "%3E",
    "[": "%5B",
    "]": "%5D",
    '"': "%22",
}
_LONGEST_NAME, _LONGEST_ADDRESS = 120, 400
_LONGEST_CHANGES = 500
_LEADS = re.compile(r"\b(?:www\.|mailto:)(?=\S)", re.IGNORECASE)
_BAD_RUNS = ("failed", "killed")
_NOTED = 900
"""Characters of what was noted, at most."""
_CHORES = ("record:", "ceremonies:")
"""Keys of tickets that are no work: unfinished, they are no next step."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What an event from outside had noted for the record: when, by which trigger, in what words, and the address that
    it leads to, if any."""

    at: datetime
    by: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one iteration. `asked` are the prompts of the record's sections by key, filled in, `forms` the
    columns of the tables below them.

    `tickets` are as they stand: before the close (`closed` is false) with no outcome but what is done, afterwards with
    what became of them; `figures` is None before that. `title` and `board` name the iteration and open it in the
    tracker. `tracked` is what the tracking server told of the time since the former iteration began, None if it was
    not asked or did not answer; runs that started before `starts` are the former one's, and versions made from `ends`
    on belong to a later one. `hosts` are those that links
    of the record may lead to, as in the rules of its audit: an address that they refuse is written without a link.
    `noted` is what events from outside had noted, oldest first.
    """

    number: int
    phase: str
    focus: str
    starts: datetime
    ends: datetime
    asked: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    closed: bool = False
    tickets: tuple[TicketRecord, ...] = ()
    figures: Figures | None = None
    title: str = ""
    board: str = ""
    tracked: Tracked | None = None
    hosts: tuple[str, ...] = ()
    noted: tuple[Noted, ...] = ()

    @property
    def runs(self) -> tuple[TrackedRun, ...]:
        """The runs of this iteration, oldest first."""
        return tuple(run for run in self.tracked.runs if run.started >= self.starts) if self.tracked else ()

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        """The versions of models that are in use by their alias or stage, or new in this iteration; newest first."""
        found = self.tracked.versions if self.tracked else ()
        there = (one for one in reversed(found) if one.created < self.ends)
        return tuple(one for one in there if one.aliases or one.stage or one.created >= self.starts)

    @property
    def former_runs(self) -> tuple[TrackedRun, ...]:
        """The runs of the iteration before."""
        return tuple(run for run in self.tracked.runs if run.started < self.starts) if self.tracked else ()


def bodies(facts: Facts) -> dict[str, str]:
    """What is to stand in the sections of the record, by section key, as Markdown without headings; at most
    `LONGEST_BODY` characters each, and the prompt. A section that nothing is known for is left out, and so is one that
    the template does not have (`asked`), but for the overview."""
    found = {
        "goal": [goal_body(facts.phase, facts.focus, facts.asked.get("goal", ""))],
        "data": _data(facts),
        "experiments": _experiments(facts),
        "performance": _with_prompt(_performance(facts), facts, "performance"),
        "next-steps": _next_steps(facts),
        "links": _links(facts),
        OVERVIEW: _overview(facts),
    }
    return {
        key: "\n\n".join(blocks) for key, blocks in found.items() if blocks and (key in facts.asked or key == OVERVIEW)
    }


def goal_body(phase: str, focus: str, prompt: str) -> str:
    """The body of the goal's section: what the phase is for, and the question what this iteration is for."""
    return f"**Focus of {one_line(phase)}:** {one_line(focus)}\n\n{quoted(prompt)}"


def quoted(prompt: str) -> str:
    """A prompt as it stands under its heading."""
    return "\n".join(f"> {line}".rstrip() for line in prompt.splitlines())


def asked_body(prompt: str, form: Sequence[str] = ()) -> str:
    """What stands under a heading for people to fill in: the prompt, and the form as a table with an empty row."""
    return f"{quoted(prompt)}\n\n{_table(form, [])}" if form else quoted(prompt)


def _table(form: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A form with these rows (Markdown) filled in, and an empty one below for people to continue."""
    told = [[plain(head) for head in form], ["---"] * len(form), *rows, [""] * len(form)]
    return "\n".join(f"| {' | '.join(row)} |" for row in told)


def _filled(facts: Facts, key: str, rows: Sequence[Mapping[str, str]], *needed: str, room: int) -> str:
    """The form of a section with what is known in it, by what its columns are for: as many rows as there is room for.
    Empty where there is nothing to fill in, or no form with the columns that are needed."""
    form = facts.forms.get(key, ())
    columns = [column_of(head) for head in form]
    if not rows or not set(needed) <= set(columns):
        return ""
    shown: list[list[str]] = []
    left = room - len(_table(form, [])) - 40
    for row in rows:
        cells = [row.get(column or "", "") for column in columns]
        left -= sum(map(len, cells)) + 3 * len(cells) + 2
        if left < 0:
            shown.append([f"and {len(rows) - len(shown)} more", *[""] * (len(form) - 1)])
            break
        shown.append(cells)
    return _table(form, shown)


def one_line(text: str) -> str:
    """A text of the template on one line."""
    return " ".join(text.split())


def plain(text: str) -> str:
    """A name or title that anybody may have written, so that Markdown shows it as it is and does nothing with it."""
    line = "".join(char if char.isprintable() else " " for char in one_line(text))
    if len(line) > _LONGEST_NAME:
        line = line[: _LONGEST_NAME - 1].rstrip() + "…"
    line = _no_address(line)
    return "".join(f"\\{char}" if char in _ESCAPED else char for char in line)


def _with_prompt(blocks: list[str], facts: Facts, key: str) -> list[str]:
    return [*blocks, asked_body(facts.asked.get(key, ""), facts.forms.get(key, ()))] if blocks else []


def _data(facts: Facts) -> list[str]:
    """The datasets that the runs read, and what is other than in the iteration before."""
    now, before = _read(facts.runs), _read(facts.former_runs)
    if not now:
        return []
    blocks = ["By MLflow, the runs of this iteration read:"]
    if form := _filled(facts, "data", list(_data_rows(now, before)), "dataset", "version", room=LONGEST_BODY - 60):
        return [*blocks, form]
    changes = []
    if before:
        said = _joined(list(_changes(now, before))) or "the same datasets in the same versions"
        changes = [f"Compared with iteration {facts.number - 1}: {said}."]
    room = LONGEST_BODY - sum(map(len, blocks + changes)) - 10
    return [*blocks, _listed([_dataset(one, count) for one, count in now.items()], room), *changes]


def _data_rows(now: Mapping[Dataset, int], before: Iterable[Dataset]) -> Iterator[Mapping[str, str]]:
    """What was read, and what was read the time before and is no more."""
    former, there = _versions(before), _versions(now)
    for one in now:
        place, was = _place(one.source), former.get(one.name, [])
        about = ", ".join(filter(None, (plain(one.context), f"from {plain(place)}" if place else "")))
        change = "new" if former else ""
        if was:
            change = "as before" if one.digest in was else f"was {plain(', '.join(was))}"
        name = plain(one.name) + (f" ({about})" if about else "")
        yield {"dataset": name, "version": plain(one.digest), "change": change}
    for name in former:
        if name not in there:
            yield {"dataset": plain(name), "change": "not read any more"}


def _joined(said: Sequence[str]) -> str:
    """What is said as one line, as much as there is room for."""
    shown: list[str] = []
    for one in said:
        if sum(map(len, shown)) + len(one) > _LONGEST_CHANGES:
            return "; ".join([*shown, f"{len(said) - len(shown)} more are new or changed"])
        shown.append(one)
    return "; ".join(shown)


def _read(runs: Iterable[TrackedRun]) -> dict[Dataset, int]:
    """The datasets of runs with how many runs read each, what differs in its source only being the same."""
    found: dict[Dataset, int] = {}
    sources: dict[tuple[str, str, str], Dataset] = {}
    for run in runs:
        for one in dict.fromkeys(run.datasets):
            kept = sources.setdefault((one.name, one.digest, one.context), one)
            found[kept] = found.get(kept, 0) + 1
    return dict(sorted(found.items(), key=lambda pair: (pair[0].name, pair[0].context, pair[0].digest)))


def _dataset(one: Dataset, runs: int) -> str:
    version = f", version {_code(one.digest)}" if one.digest else ""
    context = f", for {plain(one.context)}" if one.context else ""
    source = f", from {_code(place)}" if (place := _place(one.source)) else ""
    return f"**{plain(one.name)}**{version}{context}{source} ({counted(runs, 'run')})"


def _changes(now: Iterable[Dataset], before: Iterable[Dataset]) -> Iterator[str]:
    versions, former = _versions(now), _versions(before)
    for name in versions:
        if name not in former:
            yield f"{plain(name)} is new"
        elif versions[name] != former[name]:
            was, became = (", ".join(map(_code, each)) for each in (former[name], versions[name]))
            yield f"{plain(name)} was {was} and is {became}"
    yield from (f"{plain(name)} was not read any more" for name in former if name not in versions)


def _versions(datasets: Iterable[Dataset]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for one in datasets:
        found.setdefault(one.name, set()).add(one.digest or "unknown")
    return {name: sorted(digests) for name, digests in sorted(found.items())}


def _place(source: str) -> str:
    """Where data came from, as a name and not as a link: it is nothing that a reader could open."""
    scheme, found, place = source.partition("://")
    return place if found and scheme.isalnum() and not place.startswith("/") else ""


def _experiments(facts: Facts) -> list[str]:
    runs, tracked = facts.runs, facts.tracked
    if not runs or tracked is None:
        return []
    states: dict[str, int] = {}
    for run in runs:
        states[run.status or "unknown"] = states.get(run.status or "unknown", 0) + 1
    by_state = ", ".join(f"{number} {plain(state)}" for state, number in sorted(states.items()))
    more = " There are more, which were not read." if tracked.cut else ""
    metrics = main_metrics(runs)
    blocks = [f"MLflow has {counted(len(runs), 'run')} of this iteration ({by_state}).{more}"]
    form = _filled(
        facts, "experiments", [_result(facts, name) for name in metrics], "measure", "value", room=LONGEST_BODY // 2
    )
    if metrics and form:
        better = ", ".join(f"of {plain(name)} the {taken_as(name)}" for name in metrics)
        blocks.append(f"The best values are below, beside those of the iteration before; taken as better: {better}.")
    elif metrics:
        blocks.append(_listed([_compared(facts, name) for name in metrics], LONGEST_BODY - 400))
    blocks.append("The runs, newest first:")
    room = LONGEST_BODY - sum(map(len, [*blocks, form])) - 10
    blocks.append(_listed([_run(facts, run, metrics) for run in reversed(runs)], room))
    if not form:
        return _with_prompt(blocks, facts, "experiments")
    return [*blocks, quoted(facts.asked.get("experiments", "")), form]


def _bests(facts: Facts, metric: str) -> tuple[Best | None, Best | None]:
    """The best value of a metric, and the best of the iteration before."""
    good = [run for run in facts.runs if run.status not in _BAD_RUNS]
    former = [run for run in facts.former_runs if run.status not in _BAD_RUNS]
    return best_of(good, metric) or best_of(facts.runs, metric), best_of(former, metric)


def _result(facts: Facts, metric: str) -> Mapping[str, str]:
    """A metric as a row of the form; the values lead to their runs."""
    told = (_link(facts, number_text(one.value), one.run.url) if one else "" for one in _bests(facts, metric))
    return {"measure": plain(metric)} | dict(zip(("value", "compared"), told, strict=True))


def _compared(facts: Facts, metric: str) -> str:
    """The best value of a metric beside the best of the iteration before."""
    best, former = _bests(facts, metric)
    here = _best(facts, best) if best else "no value"
    text = f"**{plain(metric)}** (taken as better the {taken_as(metric)}): best {here}"
    if former is not None:
        return f"{text}; compared with the best of iteration {facts.number - 1}: {_best(facts, former)}"
    return f"{text}; no value in iteration {facts.number - 1} to compare with" if facts.number > 1 else text


def _best(facts: Facts, best: Best) -> str:
    return f"{number_text(best.value)} in {_link(facts, _run_name(best.run), best.run.url)}"


def _run(facts: Facts, run: TrackedRun, metrics: Sequence[str]) -> str:
    values = ", ".join(f"{plain(name)} {number_text(run.metrics[name])}" for name in metrics if name in run.metrics)
    said = f": {values}" if values else ""
    return f"{_link(facts, _run_name(run), run.url)}, {plain(run.status or 'unknown')}{said}"


def _run_name(run: TrackedRun) -> str:
    return run.name or run.id


def _performance(facts: Facts) -> list[str]:
    """Which versions of models there are. How they do is for people to say: no number of a run stands here, for what a
    model did in a test is not what it does for its users."""
    told = []
    for one in facts.versions:
        names = [f"alias {plain(alias)}" for alias in one.aliases] + (
            [f"stage {plain(one.stage)}"] if one.stage else []
        )
        new = ["new in this iteration"] if one.created >= facts.starts else []
        told.append(f"{_version(facts, one)}: {', '.join([*names, *new])}")
    return ["By the model registry of MLflow:", _listed(told, LONGEST_BODY - 60)] if told else []


def _version(facts: Facts, one: ModelVersion) -> str:
    return _link(facts, f"{one.model} v{one.version}", one.url)


def _next_steps(facts: Facts) -> list[str]:
    """What was not done, with what becomes of it."""
    said = {
        Outcome.CARRIED: "carried over into the next iteration",
        Outcome.BACKLOG: "back to the backlog",
        Outcome.LEFT: "not done" if facts.closed else "not done yet",
    }
    steps = [
        (one, said[one.outcome] + (f", {one.times} times by now" if one.times > 1 else ""))
        for one in facts.tickets
        if one.outcome in said and not one.key.startswith(_CHORES)
    ]
    rows = [{"step": f"{plain(one.title)}: {became}", "ticket": _key(facts, one)} for one, became in steps]
    if form := _filled(facts, "next-steps", rows, "step", "ticket", room=LONGEST_BODY):
        return [form]
    return [_listed([f"{_ticket(facts, one)}: {became}" for one, became in steps], LONGEST_BODY)] if steps else []


def _links(facts: Facts) -> list[str]:
    """Where to look. With the iteration alone, the prompt stays: that is no evidence."""
    told = []
    if facts.tracked is not None:
        of_runs = {run.experiment for run in facts.runs}
        pages = [_link(facts, one.name, one.url) for one in facts.tracked.experiments if one.id in of_runs]
        told += [f"Runs: {', '.join(pages[:5])}"] if pages else []
        told += [
            f"Best run by {plain(name)}: {_link(facts, _run_name(run), run.url)}" for name, run in _best_runs(facts)
        ]
        told += [f"Repository: {place}" for place in _repositories(facts)]
        told += [f"Registered model: {_version(facts, one)}" for one in facts.versions[:10]]
    board = [f"Iteration: {_link(facts, facts.title or facts.board, facts.board)}"] if facts.board else []
    if not told:
        return _with_prompt([_listed(board, LONGEST_BODY)], facts, "links") if board else []
    return [_listed([*told, *board], LONGEST_BODY)]


def _best_runs(facts: Facts) -> list[tuple[str, TrackedRun]]:
    found: dict[str, tuple[str, TrackedRun]] = {}
    for name in main_metrics(facts.runs):
        best = best_of([run for run in facts.runs if run.status not in _BAD_RUNS], name)
        if best is not None:
            found.setdefault(best.run.id, (name, best.run))
    return list(found.values())


def _repositories(facts: Facts) -> list[str]:
    commits: dict[str, list[str]] = {}
    for run in facts.runs:
        if run.repository:
            known = commits.setdefault(run.repository, [])
            if run.commit and run.commit[:10] not in known:
                known.append(run.commit[:10])
    return [
        _link(facts, _place(place) or place, place)
        + (f", {'commit' if len(known) == 1 else 'commits'} {', '.join(map(_code, known[-5:]))}" if known else "")
        for place, known in list(commits.items())[:5]
    ]


def _overview(facts: Facts) -> list[str]:
    """The tickets by what became of them, with the figures of a closed iteration, and what was noted."""
    noted = _noted(facts)
    if not facts.tickets:
        return noted
    named = {
        Outcome.DONE: "Done",
        Outcome.CARRIED: "Carried over",
        Outcome.BACKLOG: "Back to the backlog",
        Outcome.LEFT: "Not done" if facts.closed else "Not done yet",
        Outcome.OPEN: "Planned",
        Outcome.REMOVED: "Taken out",
    }
    groups = {outcome: [one for one in facts.tickets if one.outcome is outcome] for outcome in named}
    there = {outcome: found for outcome, found in groups.items() if found}
    head = _figures(facts)
    room = (LONGEST_BODY - sum(map(len, [*head, *noted]))) // max(len(there), 1) - 60
    for outcome, found in there.items():
        in_all = _sum(total(one.points for one in found))
        head.append(f"**{named[outcome]}:** {in_all}\n\n{_listed([_ticket(facts, one) for one in found], room)}")
    return [*head, *noted]


def _noted(facts: Facts) -> list[str]:
    """What was noted, the newest first: as much as leaves room for the tickets."""
    lines = [noted_line(one, facts.hosts, facts.board) for one in reversed(facts.noted)]
    return [f"**Noted:**\n\n{_listed(lines, _NOTED)}"] if lines else []


def noted_line(one: Noted, hosts: Sequence[str] = (), board: str = "") -> str:
    """What was noted as a line of a record, in Markdown, with a link where the record may lead there."""
    at = f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    text = "".join(f"\\{char}" if char in _ESCAPED else char for char in _no_address(one_line(one.text)))
    if one.url and len(one.url) <= _LONGEST_ADDRESS and not refusal(one.url, hosts, board):
        text = f"[{text}]({_address(one.url)})"
    return f"{at}, {plain(one.by)}: {text}"


def _figures(facts: Facts) -> list[str]:
    figures = facts.figures
    if figures is None:
        sum_of = total(one.points for one in facts.tickets if one.planned)
        return [f"Planned: {_sum(sum_of)}."] if any(one.outcome is not Outcome.OPEN for one in facts.tickets) else []
    every = figures.all
    parts = [("planned", every.planned), ("added", every.added), ("done", every.done), ("carried over", every.carried)]
    parts += [("to the backlog", every.backlog), ("not done", every.left), ("taken out", every.removed)]
    text = "; ".join(f"{name}: {_sum(each)}" for name, each in parts if each.tickets)
    blocks = [f"{text[:1].upper()}{text[1:]}."] if text else []
    if cycle := figures.cycle:
        unit = "hour" if cycle.median == 1 else "hours"
        hours = f"{number_text(cycle.median)} {unit}, 85 of 100 in {number_text(cycle.p85)}"
        blocks.append(f"Half of the done tickets were in the works no longer than {hours}.")
    return blocks


def _ticket(facts: Facts, one: TicketRecord) -> str:
    return f"{_key(facts, one)} {plain(one.title)}".strip()


def _key(facts: Facts, one: TicketRecord) -> str:
    # Of an address in a tracker only the tracker itself decides who may open it.
    key = plain(one.remote_key)
    return f"[{key}]({_address(one.url)})" if key and one.url and len(one.url) <= _LONGEST_ADDRESS else key


def _sum(found: Sum) -> str:
    points = f" ({counted(found.points, 'point')})" if found.points else ""
    return f"{counted(found.tickets, 'ticket')}{points}"


def _link(facts: Facts, label: str, url: str) -> str:
    """A link, or its label alone where the record may not lead there."""
    if not url or len(url) > _LONGEST_ADDRESS or refusal(url, facts.hosts, facts.board):
        return plain(label)
    return f"[{plain(label)}]({_address(url)})"


def _address(url: str) -> str:
    return "".join(_IN_ADDRESS.get(char, char) for char in url if char.isprintable())


def _code(text: str) -> str:
    kept = "".join(char for char in one_line(text) if char.isprintable() and char not in "`<>")
    return f"`{_no_address(kept[:_LONGEST_NAME]) or '?'}`"


def _no_address(text: str) -> str:
    """The text with no address in it that would become a link: a name leads nowhere."""
    return _LEADS.sub(lambda found: f"{found.group()} ", text.replace("://", ": //"))


def _listed(lines: Sequence[str], room: int) -> str:
    """The lines as a list of at most `room` characters, the first of them, and how many are left out."""
    shown: list[str] = []
    left = room - len("- and 10000 more")
    for line in lines:
        left -= len(line) + 3
        if left < 0:
            shown.append(f"- and {len(lines) - len(shown)} more" if shown else f"- {len(lines)}, too long to be told")
            break
        shown.append(f"- {line}")
    return "\n".join(shown)
