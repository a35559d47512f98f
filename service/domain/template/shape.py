"""The first pass: does a document have the shape of its model? What pydantic finds, in words for people.

Works for any closed model; the template is one. Union tags are taken out of paths, findings of the branches of a union
become one, and misspelt names get a proposal.
"""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from service.domain.english import counted
from service.domain.problems import InvalidInput, Problem
from service.domain.template.yaml_marks import (
    Listing,
    Mapping,
    Marks,
    Node,
    Path,
    Scalar,
    plain,
    readable,
)

Model = TypeVar("Model", bound=BaseModel)

_KEY = "a name of lower-case letters, digits and hyphens that begins with a letter, at most 40 characters"

_PLACEHOLDER = 'a placeholder such as "{{ iteration_days }}"'
_VERSION = 'three numbers joined by dots, such as "1.0.0"'
_RANGES = ("greater_than_equal", "less_than_equal")
_PATTERNS = {
    r"^[a-z][a-z0-9-]{0,39}$": _KEY,
    r"^[a-z][a-z0-9_]{0,39}$": "a name of lower-case letters, digits and underscores that begins with a letter",
    r"^[^\r\n]+$": "a single line",
    r"^\{\{ *[a-z][a-z0-9_]* *\}\}$": _PLACEHOLDER,
    r"^\d+\.\d+\.\d+$": _VERSION,
    r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$": 'a time of day such as "09:00"',
    r"^https?://[^\s]+$": "an address such as https://mlflow.example.com",
    r"^D(0[1-9]|1[0-5])$": "a check, D01 to D15",
    r"^[A-Za-z0-9]+(\.[a-z0-9-]+)*$": "a reference such as P1.pm.goals: letters, digits, hyphens and dots",
}
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "names with values (`name: value`, indented)",
    "model_type": "names with values (`name: value`, indented)",
    "date_type": "a date such as 2026-01-05",
}
_NEGATIONS = {"no": "false", "off": "false", "n": "false", "yes": "true", "on": "true", "y": "true"}


def validate(
    model: type[Model],
    marks: Marks,
    found: Sequence[Problem] = (),
    further: Callable[[Model, Marks], Sequence[Problem]] | None = None,
) -> Model:
    """The document as `model`; raises InvalidInput with `found`, every fault of its shape and what is `further` wrong
    with the rest of it, in the order of lines."""
    problems = list(found)
    value: Model | None = None
    try:
        value = _as(model, plain(marks.root))
    except ValidationError as error:
        problems += _problems(error.errors(include_url=False), model, marks)
        if further is not None:
            problems += _of_the_rest(model, marks, further)
    else:
        problems += further(value, marks) if further is not None else ()
    if value is None or problems:
        raise InvalidInput(in_order(problems))
    return value


def _as(model: type[Model], document: object) -> Model:
    # JSON mode is strict about text, numbers and switches but takes lists for tuples and text for dates.
    return model.model_validate_json(json.dumps(document), strict=True)


def _of_the_rest(
    model: type[Model], marks: Marks, further: Callable[[Model, Marks], Sequence[Problem]]
) -> Iterator[Problem]:
    """What is wrong with those parts of a document that have their shape."""
    from service.domain.leniency import Fault, fault_of, rest_of  # only what is wrong needs it

    renamed = False

    def faults(document: Any) -> Iterator[Fault]:
        nonlocal renamed
        try:
            _as(model, document)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                path = _real_path(one, marks.root)
                renamed |= one["loc"][-1:] == ("[key]",)
                yield fault_of(path, one)

    rest = rest_of(plain(marks.root), faults)
    if rest is None:
        return
    # Where a name itself is wrong, or all of a part, who means what is in it is right to.
    renamed |= any(path[-1] == "key" or len(path) < 2 for path in rest.touched)
    touched = tuple(readable(path) for path in rest.touched)
    within = tuple(f"{one}{sign}" for one in touched for sign in ".[")
    around = {readable(path[:-1]) for path in rest.touched}
    for problem in further(_as(model, rest.value), marks):
        apart = problem.path not in {*touched, *around} and not problem.path.startswith(within)
        if apart and not (renamed and problem.message.startswith("unknown ")):
            yield problem


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems by line; those without a line first, each kind in the order found."""
    return sorted(problems, key=lambda problem: problem.line or 0)


def meant(word: object, known: Iterable[str]) -> str:
    """`did you mean "role"?` where a known word is near, else the empty text."""
    near = nearest(word, known)
    return f'did you mean "{near}"?' if near is not None else ""


def meant_of(word: object, known: Sequence[str]) -> str:
    """What was meant, where a known word is near, and in any case which words there are."""
    proposal = meant(word, known)
    return f"{proposal} It is {one_of(known)}" if proposal else one_of(known)


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that is near, capitals or not; None where none is."""
    words = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(str(word).casefold(), list(words), n=1, cutoff=0.6)
    return words[near[0]] if near else None


def one_of(known: Iterable[str], most: int = 15) -> str:
    """`one of: a, b, c`, cut where it becomes too long to read."""
    words = list(dict.fromkeys(known))
    shown = ", ".join(words[:most])
    return f"one of: {shown}" + (f" and {len(words) - most} more" if len(words) > most else "")


def _problems(errors: Iterable[ErrorDetails], model: type[BaseModel], marks: Marks) -> list[Problem]:
    groups: dict[tuple[Path, bool], list[ErrorDetails]] = {}
    for error in errors:
        path = _real_path(error, marks.root)
        groups.setdefault((path, error["loc"][-1:] == ("[key]",)), []).append(error)
    paths = {path for path, _ in groups}
    problems = []
    for (path, about_name), group in groups.items():
        node = marks.node(path)
        inner = any(len(other) > len(path) and other[: len(path)] == path for other in paths)
        if inner and not isinstance(node, Scalar) and all(error["type"] in _TYPES for error in group):
            continue  # another branch of the union fits so far; what is wrong lies deeper
        if inner and group[0]["type"] == "too_short":
            continue  # pydantic counts only the entries that are right
        message, fix = _name_words(group[0], path) if about_name else _words(group, node, model)
        if about_name or group[0]["type"] == "extra_forbidden":
            problems.append(Problem(marks.source, marks.name_line(path), readable(path), message, fix))
        else:
            problems.append(marks.problem(path, message, fix))
    return problems


def _real_path(error: ErrorDetails, root: Node) -> Path:
    """Where in the document an error lies: `loc` without the tags of unions and the mark of names."""
    path: list[str | int] = []
    node: Node | None = root
    for position, part in enumerate(error["loc"]):
        last = position == len(error["loc"]) - 1
        if isinstance(node, Mapping) and isinstance(part, str):
            entry = node.get(part)
            if entry is not None:
                node = entry.value
                path.append(part)
            elif last and error["type"] == "missing":
                path.append(part)
        elif isinstance(node, Listing) and isinstance(part, int):
            node = node.items[part] if part < len(node.items) else None
            path.append(part)
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        path.append("type")
    return tuple(path)


def _name_words(error: ErrorDetails, path: Path) -> tuple[str, str]:
    return f'"{_short(str(path[-1]))}" cannot be a name here', f"write {_wanted(error)}"


def _words(group: Sequence[ErrorDetails], node: Node | None, model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong with one place, and what would be right; `group` holds the findings of every union branch."""
    if len(group) == 1:
        return _single(group[0], node, model)
    judged = [error for error in group if error["type"] not in _TYPES]
    if len(judged) == 1 and judged[0]["type"] in _RANGES:
        return _single(judged[0], node, model)
    wanted = list(dict.fromkeys(_wanted(error) for error in group))
    if _TYPES["int_type"] in wanted or _TYPES["date_type"] in wanted:  # where these stand, text is a placeholder
        wanted = [_PLACEHOLDER if word == _TYPES["string_type"] else word for word in wanted]
    message = _single(judged[0], node, model)[0] if judged else _misread(node)
    if len(judged) > 1 or (judged and judged[0]["type"] == "string_pattern_mismatch"):
        message = f'"{_shown(node)}" is not right here'
    return message, "write " + ", or ".join(wanted)


def _single(error: ErrorDetails, node: Node | None, model: type[BaseModel]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "missing", f"add `{error['loc'][-1]}: ...`"
    if kind == "union_tag_not_found":
        return "missing", f"add `type: ...`, {one_of(('integer', 'choice', 'switch', 'date'))}"
    if kind == "extra_forbidden":
        known = _fields(model, error["loc"][:-1])
        proposal = meant(error["loc"][-1], known)
        return "unknown field", proposal or f"the fields here are: {', '.join(known)}"
    if kind in ("literal_error", "union_tag_invalid"):
        return _unknown_word(error, node)
    if kind in _TYPES:
        return _misread(node), _retype(error, node, model)
    if kind == "string_too_short":
        return "no text", "write something"
    if kind in ("too_short", "too_long"):
        found = context.get("actual_length", 0)
        return counted(found, "entry", "entries") if found else "an empty list", f"write {_wanted(error)}"
    if kind == "string_too_long":
        return counted(len(_shown(node, whole=True)), "character"), f"write at most {context.get('max_length')}"
    if kind in _RANGES:
        relation = "less" if kind == "greater_than_equal" else "more"
        return f"{_shown(node)} is {relation} than {_limit(error)}", f"write {_wanted(error)}"
    if kind == "string_pattern_mismatch" and context.get("pattern") == r"^[^\r\n]+$":
        return "several lines", "write a single line"
    return f'"{_shown(node)}" is not right here', f"write {_wanted(error)}"


def _unknown_word(error: ErrorDetails, node: Node | None) -> tuple[str, str]:
    context = error.get("ctx", {})
    listed = str(context.get("expected") or context.get("expected_tags", ""))
    known = [word.strip().strip("'") for word in listed.replace(" or ", ", ").split(",")]
    shown = str(context["tag"]) if "tag" in context else _shown(node)
    if len(known) == 1:
        return f'"{_short(shown)}" is not right here', f"write `{known[0]}`"
    return f'unknown word "{_short(shown)}"', meant_of(shown, known)


def _wanted(error: ErrorDetails) -> str:
    """What one finding asks for, to be put after "write"."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _TYPES:
        return _TYPES[kind]
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context.get("pattern")), "text of another form")
    if kind == "greater_than_equal":
        return f"a whole number of at least {_limit(error)}"
    if kind == "less_than_equal":
        return f"a whole number of at most {_limit(error)}"
    if kind == "too_short":
        least = int(context.get("min_length", 1))
        return f"at least {counted(least, 'entry', 'entries')}"
    if kind == "too_long":
        return f"at most {counted(int(context.get('max_length', 0)), 'entry', 'entries')}"
    if kind == "literal_error":
        return str(context.get("expected", "")).replace("'", "")
    if kind.startswith("date"):
        return _TYPES["date_type"]
    return "a value of another kind"


def _limit(error: ErrorDetails) -> object:
    context = error.get("ctx", {})
    return context.get("ge", context.get("le"))


def _misread(node: Node | None) -> str:
    """How YAML read what stands there."""
    if isinstance(node, Listing):
        return "a list stands here"
    if not isinstance(node, Scalar):
        return "names with values stand here"
    value = node.value
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return f"`{node.text}` is read as a switch"
    if isinstance(value, int | float):
        return f"`{_short(node.text)}` is read as a number"
    return f'"{_short(node.text)}" is text'


def _retype(error: ErrorDetails, node: Node | None, model: type[BaseModel]) -> str:
    """What to do about a value of another type; quotes help only where the text in them would fit."""
    kind = error["type"]
    if isinstance(node, Scalar) and kind == "string_type" and isinstance(node.value, bool | int | float):
        pattern = _pattern(model, error["loc"])
        if pattern is not None and not re.fullmatch(pattern, node.text):
            return f"write {_PATTERNS.get(pattern, 'text of another form')}"
        return f'put it in quotes if it is text: "{_short(node.text)}"'
    if isinstance(node, Scalar) and kind == "bool_type" and node.text.lower() in _NEGATIONS:
        return f"write `{_NEGATIONS[node.text.lower()]}`"
    return f"write {_TYPES[kind]}"


def _shown(node: Node | None, *, whole: bool = False) -> str:
    if not isinstance(node, Scalar):
        return ""
    return node.text if whole else _short(node.text)


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _fields(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The fields that the part at `loc` may have."""
    kind = _bare(_if_given(_annotation(model, loc)))
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return []
    return [found.alias or name for name, found in kind.model_fields.items()]


def _pattern(model: type[BaseModel], loc: Sequence[str | int]) -> str | None:
    """The pattern that text at `loc` has to fit, if there is one."""
    kind = _if_given(_annotation(model, loc))
    details = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    patterns = (found.pattern for found in details if isinstance(found, StringConstraints))
    return next((pattern for pattern in patterns if isinstance(pattern, str)), None)


def _annotation(model: type[BaseModel], loc: Sequence[str | int]) -> Any:  # annotations have no common type
    kind: Any = model
    for part in loc:
        kind = _step(kind, part)
    return kind


def _step(kind: Any, part: str | int) -> Any:
    """The annotation one step below `kind`; for a union, `part` is the tag of the branch taken."""
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        found = fields.get(str(part))
        return None if found is None else Annotated[found.annotation, *found.metadata, None]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return arguments[0]
    if origin is dict:
        return arguments[1]
    if origin in (Union, types.UnionType):
        branches = [branch for branch in arguments if branch is not types.NoneType]
        if len(branches) == 1:  # what may be left out has no tag
            return _step(branches[0], part)
        return next((branch for branch in branches if _has_tag(_bare(branch), part)), None)
    return None


def _if_given(kind: Any) -> Any:
    """The annotation of what may be left out, when it is not; any other as it is."""
    bare = _bare(kind)
    if get_origin(bare) not in (Union, types.UnionType):
        return kind
    branches = [branch for branch in get_args(bare) if branch is not types.NoneType]
    return branches[0] if len(branches) == 1 else kind


def _bare(kind: Any) -> Any:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind


def _has_tag(branch: Any, tag: str | int) -> bool:
    if not (isinstance(branch, type) and issubclass(branch, BaseModel)):
        return False
    return branch.__name__ == tag or any(
        get_origin(field.annotation) is Literal and tag in get_args(field.annotation)
        for field in branch.model_fields.values()
    )
