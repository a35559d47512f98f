"""Whether a section decides something, or only says what may be decided: tentatively, on a condition, by somebody else,
elsewhere, or without a reason. Pure."""

from __future__ import annotations

import re

from service.domain.audit.numbers import DATE, numbers
from service.domain.audit.phrases import (
    ACT,
    ALTERNATIVE,
    CHOSEN,
    COMPARED,
    CONCESSION,
    CONDITIONAL,
    CONSENT,
    DELEGATED,
    DROPPED,
    GROUND,
    IF,
    KEPT,
    MAYBE,
    NOTED_ELSEWHERE,
    OUT,
    PREFERENCE,
    PROPOSED,
    REASON,
    WOULD,
)
from service.domain.audit.prose import count, fold, sentences
from service.domain.audit.rows import rows_of
from service.domain.audit.sections import Section
from service.domain.audit.vocabulary import speaks_of

TENTATIVE = "The decision is tentative: it says what may be done, not what was decided."
CONDITION = "The decision holds only on a condition that is not met yet."
ELSEWHERE_DECIDED = "It says that somebody else decides, or that it is decided later."
PUT_FORWARD = "It is a proposal, not a decision."
ELSEWHERE = "The decision or its reason stands elsewhere."
ASKED = "It asks, and decides nothing."
NO_GROUND = "It says what was done, and not why."

_TURNED_DOWN = (DROPPED, ALTERNATIVE, OUT)
_DENSE_FROM = "\u3040"
_SAYS_MORE = 20
"""In so many words nobody says only what is done."""
_REACH = 100
"""So many characters after `if` its condition may end."""
_NEAR = 30
"""So many characters after `although` a doubt changes nothing."""
_DENSE_CONDITION = re.compile(r"(?:承認|同意|許可|了承|合意)[^。、]{0,8}(?:れは|たら|次第|場合|なら)")
"""A condition in Japanese, folded, where it follows what it waits for."""
_DENSE_DELEGATED = re.compile(r"由[^,;\u3002]{1,14}(?:决定|选择|拍板|定夺|选定)")
_ASKED = re.compile(r"[?\uff1f]\s*$")
_CALLED_OTHER = re.compile(
    r"(?:the|an|an?other|die|eine|la|una|l'|une|a|uma) ?(?:other )?"
    r"(?:alternativ|option|opci|opca|candidat|kandidat|runner-up)"
)
"""That something is called the alternative, which chooses nothing, folded."""
_IT_IS = re.compile(r"\bit is(?:\s*[:.;,\u2013-]|$)")


def open_reason(text: str, cell: bool = False) -> str:
    """Why a plain sentence decides nothing, empty where nothing says so. `cell`: it is a cell or a row of a table,
    where every doubt is one of the decision."""
    folded = fold(text)
    if _ASKED.search(text):
        return ASKED
    if CONDITIONAL.first(folded) or _waits(folded) or (cell and _is_bound(folded.partition(" | ")[0])):
        return CONDITION
    if DELEGATED.first(folded) or _DENSE_DELEGATED.search(folded):
        return ELSEWHERE_DECIDED
    if _is_doubted(folded, cell):
        return TENTATIVE
    if PROPOSED.first(folded):
        return PUT_FORWARD
    if NOTED_ELSEWHERE.first(folded) and (cell or not _is_grounded(folded)):
        return ELSEWHERE
    return ""


def open_cells(decision: str, reason: str) -> str:
    """Why a decision whose reason stands apart from it, in a cell or behind a label, decides nothing; empty where it
    does."""
    if said := open_reason(decision, cell=True):
        return said
    folded = fold(reason)
    if CONDITIONAL.first(folded) or _waits(folded):
        return CONDITION
    return ELSEWHERE if NOTED_ELSEWHERE.first(folded) and not any(True for _ in numbers(folded)) else ""


def uncommitted(section: Section) -> str:
    """Why nothing in a section is decided, though some of it sounds as if; empty where something is, or where nothing
    speaks of deciding. What is asserted counts, whatever else stands beside it."""
    told = _told(section)
    opened = [(one, said) for one, cell in told if (said := open_reason(one, cell))]
    if not opened:
        doubts = [one for one, cell in told if _is_doubted(fold(one), cell=True)]
        sure = (fold(one) for one, _ in told if one not in doubts)
        return TENTATIVE if doubts and not any(_chooses(one) for one in sure) else ""
    if any(said is CONDITION and not asserts(fold(one)) for one, said in opened):
        return CONDITION  # `Approval is pending.` is of all that stands there
    rest = [fold(one) for one, cell in told if not open_reason(one, cell) and not WOULD.first(fold(one))]
    chosen = any(_chooses(one) for one in rest) and any(_is_grounded(one) for one in rest)
    if chosen or any(asserts(one) and _is_grounded(one) for one in rest):
        return ""
    return opened[0][1]


def unexplained(section: Section) -> str:
    """That a decision of few words says nothing that could be its reason: no number, comparison or word that weighs."""
    if count(section.plain) > _SAYS_MORE or any(_is_grounded(fold(one)) for one, _ in _told(section)):
        return ""
    return NO_GROUND


def asserts(folded: str) -> bool:
    """Whether a sentence chooses something, does something with a model, or turns something down."""
    return any(one.first(folded) for one in _TURNED_DOWN) or _chooses(folded)


def _chooses(folded: str) -> bool:
    """Whether a sentence says what is taken, not only what is left or what else there is."""
    if _CALLED_OTHER.search(folded):
        return False
    for one in _TURNED_DOWN:
        folded = one.without(folded)
    shapes = (PREFERENCE, KEPT, CHOSEN, ACT)
    return any(one.first(folded) for one in shapes) or speaks_of("chosen", folded) > 0 or bool(_IT_IS.search(folded))


def _told(section: Section) -> list[tuple[str, bool]]:
    """The sentences of a section and the rows of its tables, with whether they are rows."""
    found: list[tuple[str, bool]] = []
    for _, line in rows_of(section):
        if " | " in line and section.tables:
            found.append((line, True))
        else:
            found += [(one, False) for one in sentences(line)]
    return found


def _is_grounded(folded: str) -> bool:
    weighed = any(one.unit or one.value != int(one.value) for one in numbers(folded))
    return weighed or any(one.first(folded) for one in (REASON, COMPARED, GROUND)) or speaks_of("limit", folded) > 0


def _is_doubted(folded: str, cell: bool) -> bool:
    """Whether a sentence chooses, but only perhaps: the doubt stands before the reason, and after no `although`."""
    for shape in (MAYBE, WOULD):
        doubt = shape.first(folded)
        if doubt is None:
            continue
        reason = REASON.first(folded)
        if reason is not None and reason.group(0)[0] < _DENSE_FROM and reason.start() < doubt.start():
            continue
        conceded = [one for one in CONCESSION.all(folded) if 0 <= doubt.start() - one.end() <= _NEAR]
        if conceded:
            continue
        if cell or asserts(folded):
            return True
    return False


def _is_bound(folded: str) -> bool:
    """Whether a cell that names a decision binds it to a condition. One with a number is what the model does: `refuse
    if the score is above 0.8`."""
    condition = IF.first(folded)
    return condition is not None and not any(map(str.isdigit, folded[condition.end() :]))


def _waits(folded: str) -> bool:
    """Whether a sentence waits for somebody to agree."""
    if _DENSE_CONDITION.search(folded):
        return True
    for begin in IF.all(folded):
        said = re.split(r"[.;:]\s", folded[begin.end() : begin.end() + _REACH])[0]
        found = CONSENT.first(said)
        if found is not None and DATE.search(said) is None:  # with its day, it has come
            return True
    return False
