"""`when`: whether its conditions can be met, and whether one part exists whenever another does."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from service.domain.problems import Problem
from service.domain.template.shape import meant, one_of
from service.domain.template.template import ChoiceParameter, Parameter, SwitchParameter, When
from service.domain.template.yaml_marks import Marks, Path

Parameters = Mapping[str, Parameter]


def check_when(when: When, path: Path, parameters: Parameters, marks: Marks) -> Iterator[Problem]:
    """Conditions on parameters that do not exist, or on values they cannot take."""
    for name, wanted in when.items():
        at = (*path, "when", name)
        parameter = parameters.get(name)
        if parameter is None:
            yield marks.problem(at, f'unknown parameter "{name}"', meant(name, parameters) or _known(parameters))
            continue
        possible = _possible(parameter)
        if not possible:
            yield marks.problem(at, f'"{name}" is of type {parameter.type}', "conditions need a switch or a choice")
            continue
        values = _values(wanted)
        if not values:
            yield marks.problem(at, "an empty list never holds", f"name at least one: {_listed(possible)}")
        for value in values:
            if value not in possible or isinstance(value, bool) != isinstance(parameter, SwitchParameter):
                shown = str(value).lower() if isinstance(value, bool) else f'"{value}"'
                yield marks.problem(at, f'"{name}" is never {shown}', f"write {_listed(possible)}")


def holds_whenever(condition: When, given: When, parameters: Parameters) -> bool:
    """Whether `condition` is met in every setting in which `given` is."""
    for name, wanted in condition.items():
        parameter = parameters.get(name)
        if parameter is None:
            continue  # said elsewhere
        possible = set(_possible(parameter))
        left = possible & set(_values(given[name])) if name in given else possible
        if not left <= set(_values(wanted)):
            return False
    return True


def _possible(parameter: Parameter) -> Collection[bool | str]:
    if isinstance(parameter, SwitchParameter):
        return (True, False)
    return parameter.choices if isinstance(parameter, ChoiceParameter) else ()


def _values(wanted: bool | str | tuple[str, ...]) -> tuple[bool | str, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _listed(possible: Collection[bool | str]) -> str:
    return " or ".join(str(value).lower() if isinstance(value, bool) else f'"{value}"' for value in possible)


def _known(parameters: Parameters) -> str:
    return one_of(parameters) if parameters else "this template has no parameters"
