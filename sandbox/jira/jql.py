"""The language JQL: text to syntax tree, and the vendor's words for what does not parse.

What the fields, values and functions mean is in ``jql_fields.py``; running a query is in ``jql_search.py``, and what
the historical operators (``was``, ``changed``) mean in ``jql_history.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_ORDER_FIELDS: Final = 7
MAX_DEPTH: Final = 100
OPERATORS: Final = ("=", "!=", "<", ">", "<=", ">=", "~", "!~", "in", "not in", "is", "is not")
_OPERATOR_WORDS: Final = (
    "The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."
)

_OPERATORS_IN_WORDS: Final = (
    *(("not", "in"), ("is", "not"), ("in",), ("is",)),
    *(("was", "not", "in"), ("was", "not"), ("was", "in"), ("was",), ("changed",)),
)

RESERVED: Final = frozenset(
    """abort access add after alias all alter and any as asc audit avg before begin between boolean break by
    byte catch cf changed char character check checkpoint collate collation column commit connect continue count create
    current date decimal declare decrement default defaults define delete delimiter desc difference distinct divide do
    double drop else empty encoding end equals escape exclusive exec execute exists explain false fetch file field
    first float for from function go goto grant greater group having identified if immediate in increment index initial
    inner inout input insert int integer intersect intersection into is isempty isnull join last left less like
    limit lock long max min minus mode modify modulo more multiply next noaudit not notin nowait null number object
    of on option or order outer output power previous prior privileges public raise raw remainder rename resource
    return returns revoke right row rowid rownum rows select session set share size sqrt start strict string subtract
    sum synonym table then to trans transaction trigger true uid union unique
    update user validate values view was when whenever where while with""".split()  # noqa: SIM905  one list, readable
)
_RESERVED_CHARACTERS: Final = frozenset("{}*/%+^$#@?;`[]|&")


class JqlError(Exception):
    """A query that cannot be run; ``messages`` are the vendor's ``errorMessages``."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = list(messages)


@dataclass(frozen=True)
class Value:
    """A bare or quoted word."""

    text: str


@dataclass(frozen=True)
class Function:
    """A function call; arguments are words."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Empty:
    """``EMPTY`` or ``NULL``."""


@dataclass(frozen=True)
class Values:
    """A list in parentheses."""

    items: tuple[Value | Function | Empty, ...]


Operand = Value | Function | Empty | Values


@dataclass(frozen=True)
class FieldName:
    """A field as the query names it; ``cf[1]`` is kept in that form. ``property`` is an entity property's path."""

    name: str
    entity_property: str | None = None


@dataclass(frozen=True)
class Clause:
    """One comparison. Historical operators may have predicates, by their names in lower case; ``changed`` has no
    operand, which is an empty list here."""

    field: FieldName
    operator: str
    operand: Operand
    predicates: tuple[tuple[str, Operand], ...] = ()


@dataclass(frozen=True)
class Compound:
    """``and``, ``or`` (two or more clauses) and ``not`` (one)."""

    operator: str
    clauses: tuple[Node, ...]


Node = Clause | Compound


@dataclass(frozen=True)
class Sort:
    """One field of ORDER BY; no direction means that field's own."""

    field: FieldName
    direction: str | None


@dataclass(frozen=True)
class Query:
    """A parsed query."""

    where: Node | None
    order_by: tuple[Sort, ...]


@dataclass(frozen=True)
class _Token:
    kind: str  # word, quoted, sign, end
    text: str
    at: int

    @property
    def low(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


_SIGNS: Final = re.compile(r"!=|!~|<=|>=|&&|\|\||[=<>~!(),\[\]]")
_WORD: Final = re.compile(r"(?:[^\s\"'()=!<>~,{}*/%+^$#@?;`\[\]|&\\]|\\.)+", re.DOTALL)
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\", "'": "'", '"': '"', " ": " "}


def parse(text: str) -> Query:
    """Parse a query; raises ``JqlError`` with one message that says where."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokens())
        self.at = 0
        self.depth = 0

    # -- words and signs -------------------------------------------------------------------------------------------

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            char = self.text[at]
            if char.isspace():
                at += 1
            elif char in "\"'":
                end = self._end_of_string(at)
                yield _Token("quoted", self._unescaped(self.text[at + 1 : end], at), at)
                at = end + 1
            elif match := _SIGNS.match(self.text, at):
                yield _Token("sign", match[0], at)
                at = match.end()
            elif match := _WORD.match(self.text, at):
                yield _Token("word", self._unescaped(match[0], at), at)
                at = match.end()
            elif char in _RESERVED_CHARACTERS:
                raise self.error(
                    f"The character '{char}' is a reserved JQL character. You must enclose it in a string or use the"
                    f" escape '\\u{ord(char):04x}' instead.",
                    at,
                )
            else:
                raise self.error(f"The character '{char}' is not allowed here.", at)
        yield _Token("end", "", len(self.text))

    def _end_of_string(self, start: int) -> int:
        at = start + 1
        while at < len(self.text):
            if self.text[at] == "\\":
                at += 2
                continue
            if self.text[at] == self.text[start]:
                return at
            at += 1
        raise self.error(f"The quoted string '{self.text[start + 1 :]}' has not been completed.", start)

    def _unescaped(self, raw: str, at: int) -> str:
        if "\\" not in raw:
            return raw
        parts, place = [], 0
        while place < len(raw):
            char = raw[place]
            if char != "\\":
                parts.append(char)
                place += 1
                continue
            following = raw[place + 1 : place + 2]
            if following == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", raw[place + 2 : place + 6]):
                parts.append(chr(int(raw[place + 2 : place + 6], 16)))
                place += 6
            elif following in _ESCAPES:
                parts.append(_ESCAPES[following])
                place += 2
            else:
                raise self.error(
                    f"'\\{following}' is an illegal JQL escape sequence. The valid escape sequences are \\', \\\", \\t,"
                    " \\n, \\r, \\\\, '\\ ' and \\uXXXX.",
                    at + place,
                )
        return "".join(parts)

    def error(self, message: str, at: int | None = None) -> JqlError:
        """The vendor's sentence with the place in it."""
        if at is None or at >= len(self.text):
            return JqlError(f"Error in the JQL Query: {message}")
        before = self.text[:at]
        line = before.count("\n") + 1
        column = at - (before.rfind("\n") + 1) + 1
        return JqlError(f"Error in the JQL Query: {message} (line {line}, character {column})")

    @property
    def token(self) -> _Token:
        """The next token; past the end it stays the last one, which says that the text is over."""
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    def take(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    def sign(self, text: str) -> bool:
        """Take the sign if it comes next."""
        if self.token.kind == "sign" and self.token.text == text:
            self.at += 1
            return True
        return False

    def word(self, *texts: str) -> bool:
        """Take these words if they come next."""
        following = self.tokens[self.at : self.at + len(texts)]
        if [token.low for token in following] == list(texts):
            self.at += len(texts)
            return True
        return False

    # -- grammar ---------------------------------------------------------------------------------------------------

    def query(self) -> Query:
        where = None
        if self.token.kind != "end" and not self._at_order_by():
            where = self.either()
        order_by: tuple[Sort, ...] = ()
        if self._at_order_by():
            order_by = self.sorts()
        if self.token.kind != "end":
            expected = "','" if order_by else "either 'OR' or 'AND'"
            raise self.error(f"Expecting {expected} but got '{self.token.text}'.", self.token.at)
        return Query(where, order_by)

    def _at_order_by(self) -> bool:
        return self.token.low == "order" and self.tokens[min(self.at + 1, len(self.tokens) - 1)].low == "by"

    def either(self) -> Node:
        clauses = [self.both()]
        while self.word("or") or self.sign("||"):
            clauses.append(self.both())
        return clauses[0] if len(clauses) == 1 else Compound("or", tuple(clauses))

    def both(self) -> Node:
        clauses = [self.one()]
        while self.word("and") or self.sign("&&"):
            clauses.append(self.one())
        return clauses[0] if len(clauses) == 1 else Compound("and", tuple(clauses))

    def one(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("The query is nested too deeply.", self.token.at)
        try:
            if self.word("not") or self.sign("!"):
                return Compound("not", (self.one(),))
            if self.sign("("):
                inner = self.either()
                if not self.sign(")"):
                    raise self._expected("')'")
                return inner
            return self.clause()
        finally:
            self.depth -= 1

    def _expected(self, what: str) -> JqlError:
        if self.token.kind == "end":
            return self.error(f"Expecting {what} before the end of the query.")
        return self.error(f"Expecting {what} but got '{self.token.text}'.", self.token.at)

    def field(self) -> FieldName:
        token = self.token
        if token.kind not in {"word", "quoted"}:
            if token.kind == "end":
                raise self.error("Expecting a field name at the end of the query.")
            raise self.error(f"Expecting a field name but got '{token.text}'.", token.at)
        if token.low == "cf" and self.tokens[self.at + 1].text == "[":
            number = self.tokens[self.at + 2].text
            if not number.isdigit() or self.tokens[min(self.at + 3, len(self.tokens) - 1)].text != "]":
                raise self.error("The custom field ID must be a number in brackets, as in 'cf[10020]'.", token.at)
            self.at += 4
            return FieldName(f"cf[{number}]")
        self._refuse_reserved(token)
        self.at += 1
        if self.sign("["):
            path = self.take().text
            while self.token.kind == "word" and self.token.text.startswith("."):
                path += self.take().text
            if not self.sign("]"):
                raise self._expected("']'")
            while self.token.kind == "word" and self.token.text.startswith("."):
                path += self.take().text
            return FieldName(token.text, path)
        return FieldName(token.text)

    def _refuse_reserved(self, token: _Token) -> None:
        if token.low in RESERVED:
            raise self.error(
                f"'{token.text}' is a reserved JQL word. You must surround it in quotation marks to use it in a query.",
                token.at,
            )

    def clause(self) -> Clause:
        field = self.field()
        operator = self.operator()
        if operator == "changed":
            return Clause(field, operator, Values(()), self.predicates("from", "to"))
        operand = self.operand()
        return Clause(field, operator, operand, self.predicates() if operator.startswith("was") else ())

    def predicates(self, *further: str) -> tuple[tuple[str, Operand], ...]:
        """What narrows a historical operator down: when, by whom, and (with ``changed``) from what to what."""
        found: list[tuple[str, Operand]] = []
        while self.token.low in {"before", "after", "on", "during", "by", *further}:
            found.append((self.take().low, self.operand()))
        return tuple(found)

    def operator(self) -> str:
        token = self.token
        if token.kind == "sign" and token.text in OPERATORS:
            return self.take().text
        for words in _OPERATORS_IN_WORDS:
            if self.word(*words):
                return " ".join(words)
        if token.kind == "end":
            raise self.error(f"Expecting operator before the end of the query. {_OPERATOR_WORDS}")
        raise self.error(f"Expecting operator but got '{token.text}'. {_OPERATOR_WORDS}", token.at)

    def operand(self) -> Operand:
        if not self.sign("("):
            return self.single()
        items = [self.single()]
        while self.sign(","):
            items.append(self.single())
        if not self.sign(")"):
            raise self._expected("either ')' or ','")
        return Values(tuple(items))

    def single(self) -> Value | Function | Empty:
        token = self.token
        if token.low in {"empty", "null"}:
            self.at += 1
            return Empty()
        if token.kind not in {"word", "quoted"}:
            if token.kind == "end":
                raise self.error("Expecting either a value, list or function before the end of the query.")
            raise self.error(
                f"Expecting either a value, list or function but got '{token.text}'. You must surround '{token.text}'"
                " in quotation marks to use it as a value.",
                token.at,
            )
        self._refuse_reserved(token)
        self.at += 1
        if self.sign("("):
            return Function(token.text, self._arguments())
        return Value(token.text)

    def _arguments(self) -> tuple[str, ...]:
        arguments: list[str] = []
        if self.sign(")"):
            return ()
        while True:
            if self.token.kind not in {"word", "quoted"}:
                raise self._expected("a function argument")
            arguments.append(self.take().text)
            if self.sign(")"):
                return tuple(arguments)
            if not self.sign(","):
                raise self._expected("either ')' or ','")

    def sorts(self) -> tuple[Sort, ...]:
        self.at += 2
        found: list[Sort] = []
        while True:
            field = self.field()
            direction = next((word for word in ("asc", "desc") if self.word(word)), None)
            found.append(Sort(field, direction))
            if not self.sign(","):
                break
        if len(found) > MAX_ORDER_FIELDS:
            # The limit is the vendor's; its wording is unsure.
            raise JqlError(f"The ORDER BY clause may have at most {MAX_ORDER_FIELDS} fields.")
        return tuple(found)
