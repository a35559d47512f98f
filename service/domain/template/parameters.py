"""Parameters: from what a person gave to settled values, and what follows from them in a template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from service.domain.english import counted
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import meant, meant_of, one_of
from service.domain.template.template import (
    ChoiceParameter,
    DateParameter,
    IntegerParameter,
    Key,
    Parameter,
    ParameterValue,
    SwitchParameter,
    Template,
    Ticket,
    When,
)

SOURCE = "parameters"
"""What problems with given parameters are said to be about."""

_SWITCH_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

_SPAN = re.compile(r"\s*(?P<number>[0-9]{1,6})\s*(?P<unit>weeks?|w|days?|d)\s*", re.IGNORECASE)

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEXT = {f"next-{name}": number for number, name in enumerate(_WEEKDAYS)}


class _Unfit(Exception):
    """A given value that its parameter cannot take: what is wrong, what would be right."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def settle(template: Template, given: Mapping[str, object], today: date) -> dict[str, ParameterValue]:
    """A value for every parameter of the template: the given one, else the default.

    Text is accepted for every type, as it comes from a command line; days can be given as weeks (`2 weeks`, `3w`). The
    date words `today` and `next-monday` (the first Monday after today; any other weekday as well) are resolved from
    `today`. Raises InvalidInput with every problem at once.
    """
    problems = [
        Problem(SOURCE, None, name, "unknown parameter", meant(name, template.parameters) or _known(template))
        for name in given
        if name not in template.parameters
    ]
    settled: dict[str, ParameterValue] = {}
    for name, parameter in template.parameters.items():
        try:
            settled[name] = _settled(parameter, given.get(name, parameter.default), today)
        except _Unfit as unfit:
            problems.append(Problem(SOURCE, None, name, unfit.message, unfit.fix))
    if problems:
        raise InvalidInput(problems)
    return settled


def is_on(when: When, parameters: Mapping[str, ParameterValue]) -> bool:
    """Whether a part exists under these settled parameters: every condition holds, a list means any of its values."""
    return all(
        parameters[name] in (wanted if isinstance(wanted, tuple) else (wanted,)) for name, wanted in when.items()
    )


def number(value: int | str, parameters: Mapping[str, ParameterValue]) -> int:
    """A number as written, or that of the integer parameter a placeholder names."""
    settled = _resolved(value, parameters)
    if isinstance(settled, bool) or not isinstance(settled, int):
        raise TypeError(f"{value} is not a whole number")  # a checked template cannot get here
    return settled


def day(value: date | str, parameters: Mapping[str, ParameterValue]) -> date:
    """A date as written, or that of the date parameter a placeholder names."""
    settled = _resolved(value, parameters)
    if not isinstance(settled, date):
        raise TypeError(f"{value} is not a date")  # a checked template cannot get here
    return settled


def tickets_on(template: Template, parameters: Mapping[str, ParameterValue]) -> tuple[Ticket, ...]:
    """The tickets that exist under these parameters, in the template's order."""
    return tuple(ticket for phase in template.phases for ticket in phase.tickets if is_on(ticket.when, parameters))


def needs(template: Template, parameters: Mapping[str, ParameterValue]) -> dict[Key, tuple[Key, ...]]:
    """For every ticket that exists, the tickets to be done before it: its own `needs` and who names it in `before`."""
    tickets = tickets_on(template, parameters)
    waits = {ticket.key: list(ticket.needs) for ticket in tickets}
    for ticket in tickets:
        for later in ticket.before:
            if later in waits and ticket.key not in waits[later]:
                waits[later].append(ticket.key)
    return {key: tuple(found) for key, found in waits.items()}


def effective_role(template: Template, role: Key, parameters: Mapping[str, ParameterValue]) -> Key:
    """The role itself when it is on, else the first of its fallbacks that is."""
    while not is_on(template.roles[role].when, parameters):
        fallback = template.roles[role].fallback
        if fallback is None:
            raise LookupError(f"{role} is off and has no fallback")  # a checked template cannot get here
        role = fallback
    return role


def placeholder_name(placeholder: str) -> str:
    """`{{ iteration_days }}` -> `iteration_days`."""
    return placeholder.strip("{} ")


def _resolved(value: int | date | str, parameters: Mapping[str, ParameterValue]) -> ParameterValue:
    return parameters[placeholder_name(value)] if isinstance(value, str) else value


def _known(template: Template) -> str:
    return one_of(template.parameters) if template.parameters else "this template has none"


def _settled(parameter: Parameter, value: object, today: date) -> ParameterValue:
    if isinstance(parameter, IntegerParameter):
        return _integer(parameter, value)
    if isinstance(parameter, ChoiceParameter):
        return _choice(parameter, value)
    if isinstance(parameter, SwitchParameter):
        return _switch(value)
    assert isinstance(parameter, DateParameter)  # noqa: S101  # there are four kinds of parameter
    return _date(value, today)


def _integer(parameter: IntegerParameter, value: object) -> int:
    fix = f"give a whole number from {parameter.minimum} to {parameter.maximum}"
    if parameter.unit == "days":
        fix += _in_weeks(parameter)
        value = _days(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9]{1,18}\s*", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unfit(f"{_shown(value)} is not a whole number", fix)
    if not parameter.minimum <= value <= parameter.maximum:
        raise _Unfit(f"{value} is out of range", fix)
    return value


def _days(value: object) -> object:
    """`2 weeks`, `2w` and `14 days` as a number of days; anything else as it is."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    return int(found["number"]) * (7 if found["unit"][0] in "wW" else 1)


def _in_weeks(parameter: IntegerParameter) -> str:
    """What is said after a range of days: which whole weeks it has."""
    least, most = max(1, -(-parameter.minimum // 7)), parameter.maximum // 7
    if least > most:
        return " days"
    weeks = f"{least} to {most} weeks" if least < most else counted(least, "week")
    return f" days, or {weeks} (`2 weeks`, `3w`)"


def _choice(parameter: ChoiceParameter, value: object) -> str:
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, str) and word in parameter.choices:
        return word
    fix = meant_of(word, parameter.choices)
    raise _Unfit(f"{_shown(value)} is not a choice", fix)


def _switch(value: object) -> bool:
    if isinstance(value, str):
        value = _SWITCH_WORDS.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise _Unfit(f"{_shown(value)} is neither yes nor no", "give true or false")
    return value


def _date(value: object, today: date) -> date:
    if value == "today":
        return today
    if isinstance(value, str) and (weekday := _NEXT.get(value.strip().lower())) is not None:
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    if isinstance(value, str) and re.fullmatch(r"\s*\d{4}-\d{2}-\d{2}\s*", value):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    elif type(value) is date:  # a datetime is a date, too, and would carry a time along
        return value
    raise _Unfit(f"{_shown(value)} is not a date", "give one such as 2026-01-05, or `today`, or `next-monday`")


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value[:60]}"' if isinstance(value, str) else str(value)[:60]
