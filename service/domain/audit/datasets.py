"""Whether a text names a dataset and says which version of it is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from service.domain.audit.numbers import DATE, HASH, VERSION, names
from service.domain.audit.phrases import COMMON, DATA_NOUN
from service.domain.audit.prose import fold, plain
from service.domain.audit.sections import Link, links_of
from service.domain.audit.vocabulary import speaks_of

_MARKED = re.compile(
    r"`([^`\n]{2,120})`|\*\*([^*\n]{2,120})\*\*|[\"\u201c\u201e\u00ab]([^\"\u201d\u201c\u00bb\n]{2,120})[\"\u201d\u201c\u00bb]"
)
_IDENTIFIER = re.compile(
    r"(?<![A-Za-z])[A-Za-z][A-Za-z0-9]{0,60}(?:[_/][A-Za-z0-9]{1,60})+|(?<![a-z])[a-z]{1,60}[A-Z]\w*"
    r"|[A-Z][a-z]{1,60}[A-Z]\w*|[\w-]{2,60}\.(?:csv|parquet|json|jsonl|db|tsv)\b"
)
_PROPER = re.compile(r"(?<=[\w,)] )([A-Z][\w-]{2,40})")
_WORD = re.compile(r"[^\W\d_][\w-]*")
_DENSE_NAME = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{2,}")
_DENSE_COMMON = re.compile(
    "デ[ー]?タ(?:セット)?|テータ(?:セット)?|ハーション|使用|利用|数据集?|數據集?|版本|今回|前回|最新|同じ|した|です|ます|我们|使用了"
)
_NEAR = 3
"""How many words before a version still name what it is of."""


@dataclass(frozen=True, slots=True)
class Datasets:
    """What was found, each as a plain line, empty if there is none: `line` names a dataset with its version, `named`
    one without, `dated` tells a version of nothing."""

    line: str = ""
    named: str = ""
    dated: str = ""


def dataset_in(rows: Iterable[tuple[str, str]]) -> Datasets:
    """The first dataset of these lines, each given as it was written and in plain words. A name and a version in two
    lines of one section count as well, if it is a name beyond doubt."""
    named = dated = clearly = ""
    for raw, line in rows:
        links = links_of(raw)
        folded = fold(line)
        places = [found.start() for shape in (DATE, VERSION, HASH) for found in shape.finditer(folded)]
        if any(_leads_to_data(link) for link in links):
            return Datasets(line=line or links[0].url)
        name = _named_clearly(raw)
        clearly = clearly or (line if name or _beside_noun(folded) else "")
        if places and (name or _beside_noun(folded) or any(_before(folded, place) for place in places)):
            return Datasets(line=line)
        named = named or (line if name or _beside_noun(folded) else "")
        dated = dated or (line if places or links else "")
    if clearly and dated:
        return Datasets(line=f"{clearly} {dated}")
    return Datasets(named=named, dated=dated)


_IDENTIFIED = re.compile(
    r"(?<![\w.-])(?P<name>[a-z][a-z0-9]{0,40}(?:[-_/][a-z0-9]{1,40}){1,6}|[a-z]{2,40}@[\w.-]{1,40})"
    r"(?:[ ,(@]{1,3}(?:(?:at|in|as|auf|en|a) )?|(?<=@))"
    r"(?P<version>v\.?\d|version|rev|release|snapshot|stand|\d{1,3}\.\d|(?:19|20)\d\d-)"
)
"""A name that is written like one of a thing, with a version right behind it, folded."""
_FEW = 4
_OTHERS = re.compile(
    r"model|net(?!\w)|bert|gpt|yolo|llama|python|torch|docker|image|api|app|meeting|tool|kit(?!\w)|lib"
)
"""What is in names of models, code and meetings."""


def names_dataset(line: str) -> bool:
    """Whether a plain line is a name and its version and little else: `kws-home v4, 2025-10-02`; or names one so
    that has a date or a hash besides, or is called data."""
    folded = fold(line)
    found = _IDENTIFIED.search(folded)
    if found is None or _OTHERS.search(found["name"]) or speaks_of("software", folded):
        return False
    if any(True for _ in names(re.sub(r"[-_/]", " ", found["name"]))):
        return False
    marks = sum(1 for shape in (DATE, VERSION, HASH) if shape.search(folded))
    if found["version"][:1].isdigit() and "-" not in found["version"]:  # `2.3` alone may be any number
        return DATE.search(folded) is not None
    rest = _WORD.findall(_bare(f"{folded[: found.start()]} {folded[found.end('name') :]}"))
    return len(rest) <= _FEW or marks > 1 or DATA_NOUN.first(folded) is not None


def _leads_to_data(link: Link) -> bool:
    """Whether a link names what it leads to: by its text, or by a place below its host."""
    return _tells(fold(link.text)) or re.search(r"://[^/]+/[^/?#]*[A-Za-z]", link.url) is not None


def _named_clearly(raw: str) -> bool:
    """Whether a name stands there as one: marked, written like an identifier, or as a proper noun."""
    marked = (next(part for part in found.groups() if part) for found in _MARKED.finditer(raw))
    if any(_tells(_bare(fold(plain(one)))) for one in marked):
        return True
    text = plain(raw)
    found = [*_IDENTIFIER.findall(text), *_PROPER.findall(text)]
    return any(_tells(_bare(fold(one))) for one in found)


def _bare(folded: str) -> str:
    for shape in (DATE, VERSION, HASH):
        folded = shape.sub(" ", folded)
    return folded


def _tells(folded: str) -> bool:
    """Whether one of the words is more than what any text on data says."""
    dense = _DENSE_NAME.search(_DENSE_COMMON.sub(" ", folded))
    return dense is not None or any(_is_name(word) for word in _WORD.findall(folded))


def _is_name(word: str) -> bool:
    return (
        len(word) > 2
        and word not in COMMON
        and _DENSE_NAME.search(word) is None
        and not DATE.search(word)
        and not VERSION.search(word)
    )


def _beside_noun(folded: str) -> bool:
    """Whether a word beside `dataset`, `table` and the like is a name: `the orders dataset`."""
    for noun in DATA_NOUN.all(folded):
        before = _WORD.findall(folded[max(0, noun.start() - 40) : noun.start()])[-1:]
        after = _WORD.findall(folded[noun.end() : noun.end() + 40])[:1]
        if any(_is_name(word) for word in (*before, *after)):
            return True
    return False


def _before(folded: str, place: int) -> bool:
    """Whether one of the words right before a version is a name: `orders v3`."""
    begin = max(0, place - 60)
    before = re.split(r"[.;:!?\n]\s", folded[begin:place])[-1]
    if _DENSE_NAME.search(_DENSE_COMMON.sub(" ", before)):
        return True
    return any(_is_name(word) for word in _WORD.findall(before)[-_NEAR:])
