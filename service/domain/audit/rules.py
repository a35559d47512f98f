"""The rules by which an iteration is audited: what the template says of its phase, made tighter by the project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from service.domain.audit.outcome import Check, Gate, Weight
from service.domain.audit.subject import LinkKind, Rules, SectionRule
from service.domain.problems import Problem
from service.domain.template.hosts import ANY_PUBLIC, bad_host, covered
from service.domain.template.parameters import effective_role
from service.domain.template.template import (
    CheckId,
    CheckWeight,
    Name,
    ParameterValue,
    Phase,
    Strict,
    Template,
)

WEIGHTS: Final[Mapping[Check, Weight]] = {
    Check.RECORD: Weight.CRITICAL,
    Check.GOAL: Weight.MAJOR,
    Check.DATA: Weight.MAJOR,
    Check.EXPERIMENTS: Weight.MAJOR,
    Check.DECISIONS: Weight.CRITICAL,
    Check.PERFORMANCE: Weight.MAJOR,
    Check.RISKS: Weight.MAJOR,
    Check.NEXT_STEPS: Weight.MAJOR,
    Check.LINKS: Weight.MAJOR,
    Check.SIGN_OFF: Weight.CRITICAL,
    Check.ON_TIME: Weight.MAJOR,
    Check.NEW: Weight.MAJOR,
    Check.DELIVERABLES: Weight.CRITICAL,
    Check.RETROSPECTIVE: Weight.OFF,
    Check.DONE_TICKETS: Weight.MINOR,
}
"""What a check weighs where neither template nor project says otherwise."""

SECTIONS: Final[Mapping[Check, str]] = {
    Check.GOAL: "goal",
    Check.DATA: "data",
    Check.EXPERIMENTS: "experiments",
    Check.DECISIONS: "decisions",
    Check.PERFORMANCE: "performance",
    Check.RISKS: "risks",
    Check.NEXT_STEPS: "next-steps",
}
"""The section that a check reads, by key. Where a template's record has no such section, the check is off unless it is
weighed expressly: nobody is asked for what no heading asks for."""

_RANK: Final = {Weight.OFF: 0, Weight.MINOR: 1, Weight.MAJOR: 2, Weight.CRITICAL: 3}
_GATES: Final = {Gate.OFF: 0, Gate.WARN: 1, Gate.BLOCK: 2}
_WAIVE: Final = "a project may only be stricter; let single iterations pass with `phaseloop audit waive`"
_SOURCE: Final = "audit"

Days = Annotated[int, Field(ge=0, le=30)]
_Address = Annotated[str, StringConstraints(min_length=8, max_length=500, pattern=r"^https?://[^\s]+$")]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=250, strip_whitespace=True)]


class Tracking(Strict):
    """Where the project's runs and models are tracked, for what is filled in ahead."""

    url: _Address | None = Field(
        default=None, description="Address of the tracking server; unset: that of the service."
    )
    experiments: tuple[_Word, ...] = Field(default=(), description="Names of the experiments of this project.")
    models: tuple[_Word, ...] = Field(default=(), description="Names of its registered models.")


class ProjectAudit(Strict):
    """What a project says of its own audit; what it leaves out is as in the template. It may only be stricter."""

    gate: Literal["block", "warn", "off"] | None = Field(default=None, description="As in the template's record.")
    unclear: Literal["block", "warn"] | None = Field(
        default=None, description="What an unclear check does to the advance until the signer confirms it; unset: warn."
    )
    grace_working_days: Days | None = Field(default=None, description="Working days until a record is late.")
    due_soon_working_days: Days | None = Field(default=None, description="Working days before the end to remind on.")
    escalate_working_days: Days | None = Field(default=None, description="Working days late until others hear of it.")
    checks: dict[CheckId, CheckWeight] = Field(
        default_factory=dict, description="What checks weigh at least, in all phases."
    )
    hosts: tuple[Name, ...] = Field(default=(), description="Hosts that links may lead to, of those of the template.")
    tracking: Tracking = Field(default=Tracking(), description="Where runs and models are tracked.")


def settle(
    template: Template,
    phase: Phase,
    said: ProjectAudit | None = None,
    *,
    parameters: Mapping[str, ParameterValue] | None = None,
    words: Callable[[str], str] | None = None,
    trusted: Iterable[str] = (),
) -> Rules:
    """The rules for iterations of this phase.

    What the project says counts where it is stricter, and nowhere else, so that nothing that slipped in loosens them.
    `parameters` are the settled ones: they tell who signs for a role that is switched off. `words` fills in the
    placeholders of headings and prompts as they were when the record was seeded. `trusted` are hosts that records may
    lead to although they are not public: that of a tracking server which the service was given.
    """
    said = said or ProjectAudit()
    record = template.record
    fill = words or str
    return Rules(
        weights=weights_of(template, phase, said),
        sections=tuple(
            SectionRule(one.key, tuple(dict.fromkeys((fill(one.title), *one.aliases))), fill(one.prompt))
            for one in record.sections
        ),
        link_kinds=tuple(LinkKind(one.key, one.title, one.words, one.addresses) for one in record.links),
        required=tuple(dict.fromkeys(phase.record.links)),
        hosts=_hosts(template, said, trusted),
        author=phase.record.author,
        signer=phase.record.sign_off,
        signer_title=_title(template, phase.record.sign_off, parameters),
        sign_by=tuple(record.sign_off_by),
        gate=max(Gate(record.gate), Gate(said.gate or record.gate), key=_GATES.__getitem__),
        unclear=Gate(said.unclear or Gate.WARN),
        grace_days=_least(said.grace_working_days, record.grace_working_days),
        soon_days=record.due_soon_working_days if said.due_soon_working_days is None else said.due_soon_working_days,
        escalate_days=_least(said.escalate_working_days, record.escalate_working_days),
    )


def weights_of(template: Template, phase: Phase, said: ProjectAudit | None = None) -> dict[Check, Weight]:
    """What every check weighs in this phase: the heavier of what the template and the project say."""
    present = {section.key for section in template.record.sections}
    found = {
        check: Weight.OFF if check in SECTIONS and SECTIONS[check] not in present else weight
        for check, weight in WEIGHTS.items()
    }
    found |= {Check(check): Weight(weight) for check, weight in template.record.checks.items()}
    found |= {Check(check): Weight(weight) for check, weight in phase.record.checks.items()}
    for check, weight in (said.checks if said is not None else {}).items():
        found[Check(check)] = max(found[Check(check)], Weight(weight), key=_RANK.__getitem__)
    return found


def problems(template: Template, said: ProjectAudit) -> list[Problem]:
    """Where a project would loosen its template, everything at once, each with what to do instead."""
    record = template.record
    found = list(_loosened_checks(template, said))
    if said.gate is not None and _GATES[Gate(said.gate)] < _GATES[Gate(record.gate)]:
        found.append(_problem("gate", f'"{said.gate}" is weaker than the "{record.gate}" of the template'))
    for name in ("grace_working_days", "escalate_working_days"):
        days, most = getattr(said, name), getattr(record, name)
        if days is not None and days > most:
            found.append(_problem(name, f"{days} working days are more than the {most} of the template"))
    found += _wrong_hosts(template, said)
    return found


def _loosened_checks(template: Template, said: ProjectAudit) -> Iterator[Problem]:
    by_phase = [(phase, weights_of(template, phase)) for phase in template.phases]
    for check, weight in said.checks.items():
        lower = [phase.key for phase, has in by_phase if _RANK[Weight(weight)] < _RANK[has[Check(check)]]]
        higher = [phase.key for phase, has in by_phase if _RANK[Weight(weight)] > _RANK[has[Check(check)]]]
        if lower and not higher:
            where = "" if len(lower) == len(by_phase) else f" for phase {', '.join(lower)}"
            yield _problem(f"checks.{check}", f'"{weight}" is less than the template has{where}')


def _wrong_hosts(template: Template, said: ProjectAudit) -> Iterator[Problem]:
    allowed = template.record.hosts
    for number, host in enumerate(said.hosts):
        if wrong := bad_host(host):
            yield Problem(_SOURCE, None, f"hosts[{number}]", wrong, "write one such as wiki.example.com")
        elif allowed and not covered(host, allowed):
            yield _problem(f"hosts[{number}]", f'"{host}" is not among the hosts of the template')
    server = _host_of(said.tracking.url)
    if server and allowed and not covered(server, allowed):
        fix = "add it to `record.hosts` of the template, or links to its runs would be refused"
        yield Problem(_SOURCE, None, "tracking.url", f'"{server}" is not among the hosts of the template', fix)


def _hosts(template: Template, said: ProjectAudit, trusted: Iterable[str]) -> tuple[str, ...]:
    """The hosts that links may lead to. The project's are a selection of the template's, where that has any; a tracking
    server is allowed beside them, private or not."""
    base = template.record.hosts
    chosen = tuple(host for host in said.hosts if not base or covered(host, base)) or base
    server = _host_of(said.tracking.url)
    own = [*trusted, *([server] if server and (not base or covered(server, base)) else [])]
    if not own:
        return chosen
    return tuple(dict.fromkeys((*(chosen or (ANY_PUBLIC,)), *own)))


def _host_of(url: str | None) -> str:
    try:
        return (urlsplit(url or "").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _title(template: Template, role: str, parameters: Mapping[str, ParameterValue] | None) -> str:
    return template.roles[role if parameters is None else effective_role(template, role, parameters)].title


def _least(said: int | None, most: int) -> int:
    return most if said is None else min(said, most)


def _problem(path: str, message: str) -> Problem:
    return Problem(_SOURCE, None, path, message, _WAIVE)
