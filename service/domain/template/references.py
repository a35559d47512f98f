"""The second pass: do the parts of a template agree? Pure; every finding at once.

Beside the problems, for which a template is refused, there are warnings (`lint`): a template with them works.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from service.domain.problems import Problem
from service.domain.template.audit_references import check_audit
from service.domain.template.conditions import check_when, holds_whenever
from service.domain.template.shape import in_order, meant, meant_of, one_of
from service.domain.template.template import (
    ChoiceParameter,
    IntegerParameter,
    Key,
    Parameter,
    Phase,
    Template,
    Ticket,
    When,
)
from service.domain.template.template_texts import (
    KEYWORDS,
    RESERVED,
    check_iteration_name,
    check_numbers,
    check_texts,
    texts,
)
from service.domain.template.text import Placeholder, placeholders
from service.domain.template.yaml_marks import Mapping as MarkedMapping
from service.domain.template.yaml_marks import Marks, Path

MIN_ROLES_OF_A_PHASE = 3
"""Fewer roles in a phase are no cross-functional team; worth a warning."""


def check_references(template: Template, marks: Marks) -> list[Problem]:
    """Everything that one part of a template says wrongly about another, in the order of lines."""
    checks = (
        _check_parameters(template, marks),
        _check_conditions(template, marks),
        _check_roles(template, marks),
        _check_ceremonies(template, marks),
        _check_keys(template, marks),
        check_audit(template, marks),
        _check_phases(template, marks),
        _check_order(template, marks),
        check_numbers(template, marks),
        check_texts(template, marks),
        check_iteration_name(template, marks),
    )
    return in_order(problem for check in checks for problem in check)


def lint(template: Template, marks: Marks | None = None) -> list[Problem]:
    """Warnings about a template that works: phases of few roles, roles and parameters nobody uses."""
    marks = marks or Marks(template.name, MarkedMapping(line=0, entries=()))
    warnings = [
        *_lint_phases(template, marks),
        *_lint_roles(template, marks),
        *_lint_parameters(template, marks),
    ]
    if not any(marks.node((name,)) for name in ("format", "roles")):
        warnings = [Problem(one.source, None, one.path, one.message, one.fix) for one in warnings]
    return in_order(warnings)


def seed_coverage(template: Template) -> dict[str, tuple[Key, ...]]:
    """For every reference to the template's source, the tickets that cover it."""
    found: dict[str, list[Key]] = {}
    for phase in template.phases:
        for ticket in phase.tickets:
            for reference in ticket.seed_ref or ():
                found.setdefault(reference, []).append(ticket.key)
    return {reference: tuple(keys) for reference, keys in found.items()}


def fallbacks(template: Template, role: Key) -> tuple[Key, ...]:
    """The role and who stands in for it, in order; ends where a chain would repeat itself or name nobody."""
    chain: list[Key] = []
    following: Key | None = role
    while following is not None and following in template.roles and following not in chain:
        chain.append(following)
        following = template.roles[following].fallback
    return tuple(chain)


def _check_parameters(template: Template, marks: Marks) -> Iterator[Problem]:
    for name, parameter in template.parameters.items():
        path: Path = ("parameters", name)
        if name in RESERVED | KEYWORDS:
            reason = "begins other placeholders" if name in RESERVED else "cannot be a placeholder"
            yield marks.problem(path, f'"{name}" {reason}', "give the parameter another name")
        if isinstance(parameter, IntegerParameter):
            yield from _check_integer(parameter, path, marks)
        if isinstance(parameter, ChoiceParameter):
            yield from _check_choice(parameter, path, marks)


def _check_integer(parameter: IntegerParameter, path: Path, marks: Marks) -> Iterator[Problem]:
    least, most = parameter.minimum, parameter.maximum
    if least > most:
        message = f"the minimum {least} is more than the maximum {most}"
        yield marks.problem((*path, "minimum"), message, "exchange them")
    elif not least <= parameter.default <= most:
        yield marks.problem(
            (*path, "default"), f"{parameter.default} is out of range", f"write a number from {least} to {most}"
        )


def _check_choice(parameter: ChoiceParameter, path: Path, marks: Marks) -> Iterator[Problem]:
    for i, word in enumerate(parameter.choices):
        if word in parameter.choices[:i]:
            yield marks.problem((*path, "choices", i), f'"{word}" stands twice', "keep one of the two")
    if parameter.default not in parameter.choices:
        fix = meant_of(parameter.default, parameter.choices)
        yield marks.problem((*path, "default"), f'"{parameter.default}" is not a choice', fix)


def _check_conditions(template: Template, marks: Marks) -> Iterator[Problem]:
    for path, when in _conditions(template):
        yield from check_when(when, path, template.parameters, marks)


def _conditions(template: Template) -> Iterator[tuple[Path, When]]:
    """Every `when` of a template and where it stands."""
    for key, role in template.roles.items():
        yield ("roles", key), role.when
    yield ("ceremonies",), template.ceremonies.when
    for i, event in enumerate(template.ceremonies.events):
        yield ("ceremonies", "events", i), event.when
    for i, phase in enumerate(template.phases):
        for j, epic in enumerate(phase.epics):
            yield ("phases", i, "epics", j), epic.when
        for j, ticket in enumerate(phase.tickets):
            yield ("phases", i, "tickets", j), ticket.when


def _check_roles(template: Template, marks: Marks) -> Iterator[Problem]:
    edges = {}
    for key, role in template.roles.items():
        if role.fallback is not None:
            yield from _known_role(role.fallback, ("roles", key, "fallback"), template, marks)
            edges[key] = (role.fallback,)
    for cycle in _cycles(edges):
        shown = " -> ".join((*cycle, cycle[0]))
        yield marks.problem(
            ("roles", cycle[0], "fallback"), f"fallbacks run in a circle: {shown}", "end them in a core role"
        )


def _known_role(role: Key, path: Path, template: Template, marks: Marks) -> Iterator[Problem]:
    if role not in template.roles:
        yield marks.problem(path, f'unknown role "{role}"', meant(role, template.roles) or one_of(template.roles))


def _check_holder(role: Key, given: When, path: Path, template: Template, marks: Marks) -> Iterator[Problem]:
    """A role that must do something: it, or the last of its fallbacks, has to be on whenever there is something."""
    yield from _known_role(role, path, template, marks)
    chain = fallbacks(template, role)
    if not chain or template.roles[chain[-1]].fallback is not None:
        return  # unknown, or a circle: said elsewhere
    if not any(holds_whenever(template.roles[key].when, given, template.parameters) for key in chain):
        last = chain[-1]
        message = f'role "{last}" can be off while this is on, and has no fallback'
        yield marks.problem(path, message, f'give "{last}" a fallback, or this part the same `when`')


def _check_ceremonies(template: Template, marks: Marks) -> Iterator[Problem]:
    ceremonies = template.ceremonies
    yield from _check_holder(ceremonies.role, ceremonies.when, ("ceremonies", "role"), template, marks)
    for i, event in enumerate(ceremonies.events):
        for j, role in enumerate(event.roles):
            yield from _known_role(role, ("ceremonies", "events", i, "roles", j), template, marks)


def _check_keys(template: Template, marks: Marks) -> Iterator[Problem]:
    """Keys are lasting names: none may stand twice."""
    phases = template.phases
    yield from _unique("phase", [(("phases", i, "key"), phase.key) for i, phase in enumerate(phases)], marks)
    epics = [(("phases", i, "epics", j, "key"), e.key) for i, p in enumerate(phases) for j, e in enumerate(p.epics)]
    yield from _unique("epic", epics, marks)
    tickets = [
        (("phases", i, "tickets", j, "key"), t.key) for i, p in enumerate(phases) for j, t in enumerate(p.tickets)
    ]
    yield from _unique("ticket", tickets, marks)
    sections = enumerate(template.record.sections)
    yield from _unique("section", [(("record", "sections", i, "key"), section.key) for i, section in sections], marks)
    links = enumerate(template.record.links)
    yield from _unique("kind of link", [(("record", "links", i, "key"), link.key) for i, link in links], marks)
    events = enumerate(template.ceremonies.events)
    yield from _unique("meeting", [(("ceremonies", "events", i, "key"), event.key) for i, event in events], marks)


def _unique(noun: str, keys: Iterable[tuple[Path, Key]], marks: Marks) -> Iterator[Problem]:
    first: dict[Key, Path] = {}
    for path, key in keys:
        if key in first:
            message = f'{noun} "{key}" stands here and on line {marks.line(first[key])}'
            yield marks.problem(path, message, "give one of them another key")
        else:
            first[key] = path


def _check_phases(template: Template, marks: Marks) -> Iterator[Problem]:
    epic_phases = {epic.key: phase.key for phase in template.phases for epic in phase.epics}
    for i, phase in enumerate(template.phases):
        path: Path = ("phases", i)
        for j, role in enumerate(phase.roles):
            yield from _known_role(role, (*path, "roles", j), template, marks)
        yield from _check_record(template, phase, path, marks)
        yield from _check_exit(template, phase, path, marks)
        used = {ticket.epic for ticket in phase.tickets} | {phase.record.epic}
        for j, epic in enumerate(phase.epics):
            if epic.key not in used:
                yield marks.problem((*path, "epics", j), f'epic "{epic.key}" has no ticket', "add one, or remove it")
        for j, ticket in enumerate(phase.tickets):
            at = (*path, "tickets", j)
            yield from _check_epic(ticket.epic, ticket.when, (*at, "epic"), phase, epic_phases, template, marks)
            yield from _check_holder(ticket.role, ticket.when, (*at, "role"), template, marks)
            for k, role in enumerate(ticket.reviewers):
                yield from _known_role(role, (*at, "reviewers", k), template, marks)
            yield from _check_origin(ticket, at, template, marks)


def _check_epic(
    key: Key,
    given: When,
    path: Path,
    phase: Phase,
    epic_phases: Mapping[Key, Key],
    template: Template,
    marks: Marks,
) -> Iterator[Problem]:
    epics = {epic.key: epic for epic in phase.epics}
    epic = epics.get(key)
    if epic is None:
        elsewhere = f'it belongs to phase "{epic_phases[key]}"; ' if key in epic_phases else ""
        yield marks.problem(path, f'unknown epic "{key}"', elsewhere + (meant(key, epics) or one_of(epics)))
    elif not holds_whenever(epic.when, given, template.parameters):
        yield marks.problem(
            path, f'epic "{key}" can be off while this is on', "give the ticket the conditions of its epic, too"
        )


def _check_record(template: Template, phase: Phase, path: Path, marks: Marks) -> Iterator[Problem]:
    record, at = phase.record, (*path, "record")
    epic_phases = {epic.key: other.key for other in template.phases for epic in other.epics}
    yield from _check_epic(record.epic, {}, (*at, "epic"), phase, epic_phases, template, marks)
    yield from _check_holder(record.author, {}, (*at, "author"), template, marks)
    yield from _check_holder(record.sign_off, {}, (*at, "sign_off"), template, marks)
    signers = fallbacks(template, record.sign_off)
    both = [role for role in fallbacks(template, record.author) if role in signers]
    if both:
        yield marks.problem(
            (*at, "sign_off"),
            f'"{both[0]}" could sign what "{both[0]}" wrote',
            "let another role sign, fallbacks included",
        )


def _check_exit(template: Template, phase: Phase, path: Path, marks: Marks) -> Iterator[Problem]:
    tickets = {ticket.key: ticket for ticket in phase.tickets}
    for i, key in enumerate(phase.exit.needs):
        at = (*path, "exit", "needs", i)
        if key not in tickets:
            yield marks.problem(at, f'unknown ticket "{key}"', meant(key, tickets) or "name tickets of this phase")
        elif not holds_whenever(tickets[key].when, {}, template.parameters):
            yield marks.problem(at, f'"{key}" can be off', "an exit names tickets that always exist")


def _check_origin(ticket: Ticket, path: Path, template: Template, marks: Marks) -> Iterator[Problem]:
    if ticket.seed_ref is not None and ticket.origin is not None:
        yield marks.problem((*path, "origin"), "has `seed_ref` as well", "keep one of the two")
    elif template.source is None and ticket.seed_ref is not None:
        yield marks.problem((*path, "seed_ref"), "the template names no `source`", "add `source: ...` at the top")
    elif template.source is not None and ticket.seed_ref is None and ticket.origin is None:
        fix = "add `seed_ref: [...]`, or `origin: extension` for your own"
        yield marks.problem(path, "does not say whether it comes from the source", fix)


def _check_order(template: Template, marks: Marks) -> Iterator[Problem]:
    """What waits for what: known tickets, never later phases, never in a circle."""
    places: dict[Key, tuple[int, Path, Ticket]] = {}
    for i, phase in enumerate(template.phases):
        for j, ticket in enumerate(phase.tickets):
            places.setdefault(ticket.key, (i, ("phases", i, "tickets", j), ticket))
    edges: dict[Key, list[Key]] = {key: [] for key in places}
    for key, (position, path, ticket) in places.items():
        for i, earlier in enumerate(ticket.needs):
            at = (*path, "needs", i)
            yield from _check_need(earlier, ticket, position, at, places, template, marks)
            if earlier in places:
                edges[key].append(earlier)
        for i, later in enumerate(ticket.before):
            at = (*path, "before", i)
            if later not in places:
                yield marks.problem(at, f'unknown ticket "{later}"', meant(later, places) or "name a ticket's key")
                continue
            if places[later][0] < position:
                yield marks.problem(at, f'"{later}" is in an earlier phase', "it cannot wait for this one")
            edges[later].append(key)
    for cycle in _cycles(edges):
        shown = " -> ".join((*cycle, cycle[0]))
        path = places[cycle[0]][1]
        at = (*path, "needs") if places[cycle[0]][2].needs else path
        yield marks.problem(at, f"tickets wait for each other: {shown}", "remove one of these needs")


def _check_need(
    key: Key,
    ticket: Ticket,
    position: int,
    path: Path,
    places: Mapping[Key, tuple[int, Path, Ticket]],
    template: Template,
    marks: Marks,
) -> Iterator[Problem]:
    if key not in places:
        yield marks.problem(path, f'unknown ticket "{key}"', meant(key, places) or "name a ticket's key")
        return
    at, _, other = places[key]
    if at > position:
        yield marks.problem(path, f'"{key}" is in the later phase "{template.phases[at].key}"', "needs point backwards")
    if not holds_whenever(other.when, ticket.when, template.parameters):
        fix = f'give this ticket the conditions of "{key}", or write `before: [{ticket.key}]` there'
        yield marks.problem(path, f'"{key}" can be off while this is on', fix)


def _cycles(edges: Mapping[Key, Sequence[Key]]) -> list[list[Key]]:
    """Circles in a graph, each as the way around; every key is in at most one of them. No recursion."""
    done: set[Key] = set()
    cycles: list[list[Key]] = []
    for start in edges:
        way: list[Key] = []
        pending = [(start, iter(edges.get(start, ())))] if start not in done else []
        way += [key for key, _ in pending]
        while pending:
            key, following = pending[-1]
            step = next(following, None)
            if step is None:
                pending.pop()
                way.pop()
                done.add(key)
            elif step in way:
                cycle = way[way.index(step) :]
                if not any(set(cycle) & set(other) for other in cycles):
                    cycles.append(cycle)
            elif step not in done:
                pending.append((step, iter(edges.get(step, ()))))
                way.append(step)
    return cycles


def _lint_phases(template: Template, marks: Marks) -> Iterator[Problem]:
    for i, phase in enumerate(template.phases):
        if len(set(phase.roles)) < MIN_ROLES_OF_A_PHASE:
            message = f'phase "{phase.key}" has fewer than {MIN_ROLES_OF_A_PHASE} roles'
            yield marks.problem(
                ("phases", i, "roles"), message, "a phase is better off with several kinds of expertise"
            )
        for j, ticket in enumerate(phase.tickets):
            if not set(fallbacks(template, ticket.role)) & set(phase.roles):
                path = ("phases", i, "tickets", j, "role")
                yield marks.problem(path, f'"{ticket.role}" is not among the roles of the phase', "add it there")


def _lint_roles(template: Template, marks: Marks) -> Iterator[Problem]:
    used = _roles_at_work(template)
    for key in template.roles:
        if key not in used:
            yield marks.problem(("roles", key), f'nothing is asked of role "{key}"', "give it a ticket, or remove it")


def _roles_at_work(template: Template) -> Collection[Key]:
    used: set[Key] = {template.ceremonies.role, *template.record.escalate_to}
    for phase in template.phases:
        used |= {phase.record.author, phase.record.sign_off}
        for ticket in phase.tickets:
            used |= {ticket.role, *ticket.reviewers}
    return used | {stand_in for role in used for stand_in in fallbacks(template, role)}


def _lint_parameters(template: Template, marks: Marks) -> Iterator[Problem]:
    used = {name for _, when in _conditions(template) for name in when}
    for placed in texts(template):
        used |= {found.name for found in placeholders(placed.text) if isinstance(found, Placeholder)}
    values: tuple[object, ...] = (template.cadence.iteration_days, template.cadence.start_date)
    for value in (*values, *(phase.iterations for phase in template.phases)):
        used |= {found.name for found in placeholders(str(value)) if isinstance(found, Placeholder)}
    unused: Mapping[str, Parameter] = {name: p for name, p in template.parameters.items() if name not in used}
    for name in unused:
        yield marks.problem(("parameters", name), f'parameter "{name}" changes nothing', "use it, or remove it")
