"""Runs a query: checks every clause against the site, then filters and sorts the issues that the searcher may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any, Final

from sandbox.jira import durations, jql_history, times
from sandbox.jira.jql import Clause, Compound, Empty, FieldName, Function, JqlError, Node, Operand, Query, Value, Values
from sandbox.jira.jql_dates import function_moment, read_moment
from sandbox.jira.jql_fields import PERSON, Meaning, Reading, key_order, meaning
from sandbox.jira.jql_functions import evaluate
from sandbox.jira.state import Filter, Issue, Site, User

Predicate = Callable[[Issue], bool]
_PREDICATES: Final = {
    **{name: name for name in ("before", "after", "on", "during")},
    "by": "people",
    "from": "origin",
    "to": "target",
}
_NEGATIVE: Final = {"!=": "=", "not in": "in", "!~": "~", "is not": "is"}
_BAD_DATE: Final = (
    "Date value '{text}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm',"
    " 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
)


def _never(_issue: Issue) -> bool:
    return False


@dataclass
class Search:
    """A checked query. ``problems`` are clauses about fields or values that the searcher has not; anonymous people
    get no issues for them instead of a refusal."""

    reading: Reading
    matches: Predicate
    order: list[tuple[Meaning, bool]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def run(self) -> list[Issue]:
        """The issues, sorted; without ORDER BY newest first."""
        visible = {project.id for project in self.reading.projects()}
        issues = self.reading.site.data.issues.values()
        return self.sorted(issue for issue in issues if issue.project_id in visible and self.matches(issue))

    def sorted(self, issues: Iterable[Issue]) -> list[Issue]:
        """Issues in the query's order; empty values come last when ascending, first when descending."""
        found = sorted(issues, key=lambda issue: int(issue.id), reverse=True)
        for chosen, descending in reversed(self.order):
            found.sort(key=cmp_to_key(_comparison(self.reading, chosen)), reverse=descending)
        return found


def _comparison(reading: Reading, chosen: Meaning) -> Callable[[Issue, Issue], int]:
    sort = chosen.sort

    def compare(left: Issue, right: Issue) -> int:
        if sort is None:
            return 0
        a, b = sort(reading, left), sort(reading, right)
        if a is None or b is None:
            return (a is None) - (b is None)
        return int(a > b) - int(a < b)

    return compare


def prepare(site: Site, user: User | None, query: Query, *, _within: frozenset[str] = frozenset()) -> Search:
    """Check a query for a searcher.

    Raises ``JqlError`` with one message for each clause that cannot be run; for anonymous people unknown fields and
    values are no error (observed), their query finds nothing.
    """
    checker = _Checker(Reading(site, user), _within)
    matches = checker.node(query.where) if query.where is not None else lambda _issue: True
    order = [checker.sort(sort.field, sort.direction) for sort in query.order_by]
    messages = list(dict.fromkeys(checker.messages))
    if messages and user is not None:
        raise JqlError(*messages)
    if messages:
        return Search(checker.reading, _never, [], messages)
    return Search(checker.reading, matches, [entry for entry in order if entry is not None])


class _Checker:
    def __init__(self, reading: Reading, within: frozenset[str]) -> None:
        self.reading = reading
        self.within = within  # filters being resolved, so that two that name each other end
        self.messages: list[str] = []
        self.now = reading.site.clock.now()

    def node(self, node: Node) -> Predicate:
        if isinstance(node, Clause):
            return self.clause(node)
        return self.compound(node)

    def compound(self, node: Compound) -> Predicate:
        parts = [self.node(clause) for clause in node.clauses]
        if node.operator == "not":
            return lambda issue: not parts[0](issue)
        if node.operator == "and":
            return lambda issue: all(part(issue) for part in parts)
        return lambda issue: any(part(issue) for part in parts)

    def refuse(self, message: str) -> Predicate:
        self.messages.append(message)
        return _never

    def sort(self, name: FieldName, direction: str | None) -> tuple[Meaning, bool] | None:
        chosen = meaning(self.reading, name.name)
        if chosen is None:
            self.refuse(f"Not able to sort using field '{name.name}'.")
            return None
        if chosen.sort is None:
            self.refuse(f"Field '{name.name}' is not sortable.")
            return None
        return chosen, (direction == "desc") if direction else chosen.descending

    def clause(self, clause: Clause) -> Predicate:
        name = clause.field.name
        if clause.field.entity_property is not None:
            # A custom field with its type in brackets reads like a property where it is not in quotation marks.
            bracketed = f"{name}[{clause.field.entity_property}]"
            if meaning(self.reading, bracketed) is not None:
                return self.clause(replace(clause, field=FieldName(bracketed)))
            # Only properties that an app has declared can be searched; API-token callers have declared none.
            shown = f"{name}[{clause.field.entity_property}]"
            return self.refuse(f"Field '{shown}' does not exist or you do not have permission to view it.")
        if name.lower() in {"filter", "request", "savedfilter", "searchrequest"}:
            return self.filter(clause)
        chosen = meaning(self.reading, name)
        if chosen is None or not chosen.operators:
            return self.refuse(f"Field '{name}' does not exist or you do not have permission to view it.")
        if clause.operator in jql_history.OPERATORS:
            return self.historical(clause, chosen)
        if clause.operator not in chosen.operators:
            return self.refuse(f"The operator '{clause.operator}' is not supported by the '{name}' field.")
        listed = isinstance(clause.operand, Values)
        list_function = isinstance(clause.operand, Function)
        if listed and clause.operator not in {"in", "not in"}:
            return self.refuse(
                f"Operator '{clause.operator}' does not support searching for a list of values for field '{name}'."
            )
        if clause.operator in {"in", "not in"} and not (listed or list_function):
            return self.refuse(f"Operator '{clause.operator}' does not support the non-list value for field '{name}'.")
        return self.compared(clause, chosen)

    def historical(self, clause: Clause, chosen: Meaning) -> Predicate:
        """``was`` and ``changed``, for the fields that have a history."""
        name, operator = clause.field.name, clause.operator
        if chosen.name not in jql_history.FIELDS:
            # The vendor's wording is unsure.
            return self.refuse(f"The operator '{operator}' is not supported by the '{name}' field.")
        given = {predicate: self.predicate(name, chosen, predicate, said) for predicate, said in clause.predicates}
        when = jql_history.When(**{_PREDICATES[key]: value for key, value in given.items() if value is not None})
        if operator == "changed":
            return jql_history.changed(chosen.name, when)
        if isinstance(clause.operand, Values) and "in" not in operator.split():
            return self.refuse(
                f"Operator '{operator}' does not support searching for a list of values for field '{name}'."
            )
        wanted = self.values_once(name, chosen, clause.operand)
        had = jql_history.was(chosen.name, wanted, when)
        return (lambda issue: not had(issue)) if "not" in operator.split() else had

    def values_once(self, name: str, chosen: Meaning, operand: Operand) -> frozenset[str | None]:
        wanted, with_empty = self.resolved(name, chosen, operand)
        return frozenset({*wanted, None} if with_empty else wanted)

    def predicate(self, name: str, chosen: Meaning, predicate: str, said: Operand) -> Any:
        """What a predicate of a historical operator stands for; none after refusing it."""
        if predicate in {"from", "to"}:
            return self.values_once(name, chosen, said)
        if predicate == "by":
            return frozenset(self.resolved("assignee", PERSON, said)[0])
        moments = self.dates(name, replace(chosen, kind="date"), said)
        if predicate != "during":
            return moments[0] if len(moments) == 1 else None
        if len(moments) != 2:
            self.refuse('The predicate \'during\' needs two dates, as in DURING ("2026-11-01", "2026-11-30").')
            return None
        return moments[0], moments[1]

    def compared(self, clause: Clause, chosen: Meaning) -> Predicate:
        name, operator = clause.field.name, clause.operator
        if operator in {"is", "is not"}:
            if not isinstance(clause.operand, Empty):
                return self.refuse(f"The operator '{operator}' only supports searching for EMPTY or NULL.")
            return self.empty(chosen, wanted=operator == "is")
        if isinstance(clause.operand, Empty):
            if operator not in {"=", "!="}:
                return self.refuse(f"The operator '{operator}' does not support searching for an empty value.")
            return self.empty(chosen, wanted=operator == "=")
        if chosen.kind == "text":
            return self.text(name, chosen, operator, clause.operand)
        if chosen.kind in {"date", "day", "stamp"}:
            return self.ordered(clause, chosen, self.dates(name, chosen, clause.operand))
        if chosen.kind == "number":
            return self.ordered(clause, chosen, self.numbers(name, clause.operand))
        if chosen.kind == "duration":
            return self.ordered(clause, chosen, self.durations(name, clause.operand))
        return self.set_of(name, chosen, operator, clause.operand)

    def empty(self, chosen: Meaning, *, wanted: bool) -> Predicate:
        def test(issue: Issue) -> bool:
            value = chosen.read(self.reading, issue)
            return (value is None or value == [] or value == "") is wanted

        return test

    # -- ids and words -------------------------------------------------------------------------------------------------

    def set_of(self, name: str, chosen: Meaning, operator: str, operand: Operand) -> Predicate:
        wanted, with_empty = self.resolved(name, chosen, operand)
        if operator in {"<", ">", "<=", ">="}:
            return self.ranked(chosen, operator, wanted)
        positive = operator in {"=", "in"}

        def test(issue: Issue) -> bool:
            values = set(chosen.read(self.reading, issue))
            if not values:
                return with_empty and positive
            return bool(values & wanted) is positive

        return test

    def resolved(self, name: str, chosen: Meaning, operand: Operand) -> tuple[set[str], bool]:
        """The strings that the operand stands for, and whether "empty" is among them."""
        wanted: set[str] = set()
        with_empty = False
        items: tuple[Operand, ...] = operand.items if isinstance(operand, Values) else (operand,)
        for item in items:
            if isinstance(item, Empty):
                with_empty = True
            elif isinstance(item, Function):
                found, problem = evaluate(self.reading, item, chosen.name)
                wanted |= found
                if problem:
                    self.refuse(problem)
            elif isinstance(item, Value):
                named = chosen.resolve(self.reading, item.text) if chosen.resolve else None
                if named is None:
                    self.refuse(_unknown_value(name, chosen, item.text))
                elif not named:
                    with_empty = True
                else:
                    wanted |= named
        return wanted, with_empty

    def ranked(self, chosen: Meaning, operator: str, wanted: set[str]) -> Predicate:
        reading = self.reading
        if chosen.kind == "key":
            keys = [key_order(reading.site.data.issues[key].key) for key in wanted]
            return lambda issue: any(_holds(operator, key_order(issue.key), key) for key in keys)
        rank = chosen.rank
        if rank is None:
            return _never
        bounds = [rank(reading, key) for key in wanted]
        return lambda issue: any(
            _holds(operator, rank(reading, value), bound) for value in chosen.read(reading, issue) for bound in bounds
        )

    # -- text ----------------------------------------------------------------------------------------------------------

    def text(self, name: str, chosen: Meaning, operator: str, operand: Operand) -> Predicate:
        if not isinstance(operand, Value):
            return self.refuse(f"The operator '{operator}' does not support functions for the field '{name}'.")
        if not operand.text.strip():
            return self.refuse(f"The field '{name}' does not support searching for an empty string.")
        if operand.text.strip()[0] in "*?":
            return self.refuse(
                f"The text query '{operand.text}' for field '{name}' is not allowed to start with"
                f" '{operand.text.strip()[0]}'"
            )
        contains = text_matcher(operand.text)
        positive = operator == "~"

        def test(issue: Issue) -> bool:
            value = chosen.read(self.reading, issue)
            return value is not None and contains(value) is positive

        return test

    # -- dates and numbers ---------------------------------------------------------------------------------------------

    def dates(self, name: str, chosen: Meaning, operand: Operand) -> list[Any]:
        found: list[Any] = []
        for item in operand.items if isinstance(operand, Values) else (operand,):
            if isinstance(item, Function):
                moment = function_moment(item.name, item.arguments, self.now)
                if moment is None:
                    self.refuse(f"Unable to find JQL function '{item.name}({', '.join(item.arguments)})'.")
            elif isinstance(item, Value):
                moment = read_moment(item.text, self.now)
                if moment is None:
                    self.refuse(_BAD_DATE.format(text=item.text, field=name))
            else:
                moment = None
            if moment is not None:
                found.append(moment.date().isoformat() if chosen.kind == "day" else moment)
        return found

    def numbers(self, name: str, operand: Operand) -> list[float]:
        found: list[float] = []
        for item in operand.items if isinstance(operand, Values) else (operand,):
            if isinstance(item, Value):
                try:
                    found.append(float(item.text))
                except ValueError:
                    self.refuse(f"Value '{item.text}' is invalid for the '{name}' field: a number is expected.")
            elif isinstance(item, Function):
                self.refuse(f"Unable to find JQL function '{item.name}({', '.join(item.arguments)})'.")
        return found

    def durations(self, name: str, operand: Operand) -> list[float]:
        found: list[float] = []
        for item in operand.items if isinstance(operand, Values) else (operand,):
            seconds = durations.parse(item.text) if isinstance(item, Value) else None
            if seconds is None:
                text = item.text if isinstance(item, Value) else "this"
                # The wording is unsure.
                self.refuse(f"Value '{text}' is invalid for the '{name}' field: a time span like '3d 4h' is expected.")
            else:
                found.append(float(seconds))
        return found

    def ordered(self, clause: Clause, chosen: Meaning, bounds: list[Any]) -> Predicate:
        operator = clause.operator
        positive = _NEGATIVE.get(operator, operator)
        sign = "=" if positive == "in" else positive

        def test(issue: Issue) -> bool:
            value = chosen.read(self.reading, issue)
            if isinstance(value, list):  # several: one of them is enough, also against what is not meant
                return any(_holds(sign, one, bound) for one in value for bound in bounds) is (
                    operator not in _NEGATIVE
                ) and bool(value)
            if isinstance(value, str) and chosen.kind == "stamp":
                value = times.parse_moment(value)
            if value is None:
                return False
            if isinstance(value, datetime):
                value = value.astimezone(UTC)
            return any(_holds(sign, value, bound) for bound in bounds) is (operator not in _NEGATIVE)

        return test

    # -- saved filters -------------------------------------------------------------------------------------------------

    def filter(self, clause: Clause) -> Predicate:
        from sandbox.jira.jql import parse

        if clause.operator not in {"=", "!=", "in", "not in"}:
            return self.refuse(f"The operator '{clause.operator}' is not supported by the 'filter' field.")
        items = clause.operand.items if isinstance(clause.operand, Values) else (clause.operand,)
        parts: list[Predicate] = []
        for item in items:
            text = item.text if isinstance(item, Value) else ""
            saved = self.saved(text)
            if saved is None or saved.id in self.within:
                return self.refuse(f"The value '{text}' does not exist for the field 'filter'.")
            site, user = self.reading.site, self.reading.user
            search = prepare(site, user, parse(saved.jql), _within=self.within | {saved.id})
            parts.append(search.matches)
        positive = clause.operator in {"=", "in"}
        return lambda issue: any(part(issue) for part in parts) is positive

    def saved(self, text: str) -> Filter | None:
        filters = self.reading.site.data.filters
        return filters.get(text) or next((f for f in filters.values() if f.name.lower() == text.lower()), None)


def _unknown_value(name: str, chosen: Meaning, text: str) -> str:
    if chosen.kind == "key":
        return f"An issue with key '{text}' does not exist for field '{name}'."
    return f"The value '{text}' does not exist for the field '{name}'."


def _holds(operator: str, left: Any, right: Any) -> bool:
    if operator == "=":
        return bool(left == right)
    if operator == "<":
        return bool(left < right)
    if operator == ">":
        return bool(left > right)
    return bool(left <= right) if operator == "<=" else bool(left >= right)


def text_matcher(query: str) -> Callable[[str], bool]:
    """Tell whether a text holds every word of the query (``*`` and ``?`` stand for characters), and phrases in inner
    quotation marks as they stand. Words are compared whole, letter case ignored, without the vendor's stemming."""
    phrases = [phrase.lower() for phrase in re.findall(r'"([^"]+)"', query)]
    words = re.findall(r"[\w*?]+", re.sub(r'"[^"]*"', " ", query).lower())
    patterns = [re.compile(re.escape(word).replace(r"\*", ".*").replace(r"\?", ".")) for word in words]

    def contains(text: str) -> bool:
        low = text.lower()
        found = set(re.findall(r"\w+", low))
        spaced = " ".join(re.findall(r"\w+", low))
        return all(any(pattern.fullmatch(word) for word in found) for pattern in patterns) and all(
            " ".join(re.findall(r"\w+", phrase)) in spaced for phrase in phrases
        )

    return contains
