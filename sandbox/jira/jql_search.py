"""Runs a query: checks every clause against the site, then filters and sorts the issues that the searcher may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any, Final

from sandbox.jira import times
from sandbox.jira.jql import Clause, Compound, Empty, FieldName, Function, JqlError, Node, Operand, Query, Value, Values
from sandbox.jira.jql_dates import function_moment, read_moment
from sandbox.jira.jql_fields import Meaning, Reading, key_order, meaning
from sandbox.jira.jql_functions import evaluate
from sandbox.jira.state import Filter, Issue, Site, User

Predicate = Callable[[Issue], bool]
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
            # Only properties that an app has declared can be searched; API-token callers have declared none.
            shown = f"{name}[{clause.field.entity_property}]"
            return self.refuse(f"Field '{shown}' does not exist or you do not have permission to view it.")
        if name.lower() in {"filter", "request", "savedfilter", "searchrequest"}:
            return self.filter(clause)
        chosen = meaning(self.reading, name)
        if chosen is None or not chosen.operators:
            return self.refuse(f"Field '{name}' does not exist or you do not have permission to view it.")
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

    def ordered(self, clause: Clause, chosen: Meaning, bounds: list[Any]) -> Predicate:
        operator = clause.operator
        positive = _NEGATIVE.get(operator, operator)
        sign = "=" if positive == "in" else positive

        def test(issue: Issue) -> bool:
            value = chosen.read(self.reading, issue)
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
