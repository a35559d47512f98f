"""Part of the second pass: what a template says of how records are audited, does it agree with the rest?"""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.comparison import fold
from service.domain.problems import Problem
from service.domain.template.hosts import bad_host
from service.domain.template.shape import meant, one_of
from service.domain.template.template import Template
from service.domain.template.yaml_marks import Marks, Path


def check_audit(template: Template, marks: Marks) -> Iterator[Problem]:
    """Roles and kinds of links that do not exist, kinds that nothing tells, hosts that are none, and headings that mean
    two sections."""
    yield from _check_headings(template, marks)
    yield from _check_links(template, marks)
    for i, role in enumerate(template.record.escalate_to):
        if role not in template.roles:
            fix = meant(role, template.roles) or one_of(template.roles)
            yield marks.problem(("record", "escalate_to", i), f'unknown role "{role}"', fix)
    for i, host in enumerate(template.record.hosts):
        if wrong := bad_host(host):
            yield marks.problem(("record", "hosts", i), wrong, "write one such as wiki.example.com or *.example.com")


def _check_links(template: Template, marks: Marks) -> Iterator[Problem]:
    known = [rule.key for rule in template.record.links]
    for i, rule in enumerate(template.record.links):
        if not rule.words and not rule.addresses:
            message = f'nothing tells a link of kind "{rule.key}"'
            yield marks.problem(("record", "links", i), message, "give `words` or `addresses`")
    for i, phase in enumerate(template.phases):
        for j, key in enumerate(phase.record.links):
            if key not in known:
                fix = (meant(key, known) or one_of(known)) if known else "describe it in `record.links`"
                yield marks.problem(("phases", i, "record", "links", j), f'unknown kind of link "{key}"', fix)


def _check_headings(template: Template, marks: Marks) -> Iterator[Problem]:
    """A heading that two sections could be found by would be counted for one of them only."""
    first: dict[str, tuple[int, Path]] = {}
    for i, section in enumerate(template.record.sections):
        at: Path = ("record", "sections", i)
        named: list[tuple[Path, str]] = [((*at, "title"), section.title)]
        named += [((*at, "aliases", j), alias) for j, alias in enumerate(section.aliases)]
        for path, name in named:
            owner, other = first.setdefault(fold(name), (i, path))
            if owner != i:
                message = f'"{name}" is the name of another section, on line {marks.line(other)}'
                yield marks.problem(path, message, "leave it to one of the two")
