"""Whether a record reads like work on a model at all, however well it is shaped: by what the second opinion says of the
sense of its sections, together and each. Pure.

Rules know shapes, and words of models are soon sprinkled over anything; a single section tells little. So what all
sections come to counts most, and how much of it is needed depends on how many different signs of a model there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from service.domain.audit.about import CHECKS as OF_A_MODEL
from service.domain.audit.opinions import sense_of
from service.domain.audit.outcome import Check
from service.domain.audit.prose import count
from service.domain.audit.sections import Section
from service.domain.audit.subject import Opinions

ASKED = (Check.GOAL, Check.DATA, Check.EXPERIMENTS, Check.DECISIONS, Check.PERFORMANCE, Check.RISKS, Check.NEW)
"""The checks whose text is asked for its sense; D12's is the whole record."""
RECORD = "The record as a whole does not read like work on a model."
SECTION = "It does not read like work on a model."
_FEWEST, _FEWEST_WORDS = 3, 40
"""So many sections tell of the sense of a record, or so many words without headings."""
_BAR, _BAR_WITH_SIGNS, _SIGNS = 0.0, -1.0, 5
"""What the sections of a record come to at least, as log odds; less where so many different signs of a model stand in
it. The lowest of the good records has 0.07 from one corpus to the other."""
_SECTION_BAR, _ALONE_BAR = -0.5, -2.0
"""The same of a single section: half its own, half that of the record; and of one that stands alone, of which from one
corpus to the other one good one in two hundred is lower."""
_CERTAIN = 0.001


def sense_of_record(opinions: Opinions, sections: Iterable[Section], whole: Section | None) -> float | None:
    """What the sections of a record come to, as log odds; by the record as one text (`whole`) where it has few and most
    of it stands under no heading that is known. None where that is too little to tell, or nobody was asked."""
    found = [said for one in sections if (said := _odds(opinions, one)) is not None]
    if len(found) >= _FEWEST:
        return sum(found) / len(found)
    return _odds(opinions, whole) if whole is not None and count(whole.plain) >= _FEWEST_WORDS else None


def record_doubt(check: Check, sense: float | None, signs: int) -> str:
    """Why nothing in a record passes that is asked of a model, as a sentence; empty where nothing speaks against it."""
    if check not in OF_A_MODEL or sense is None:
        return ""
    return RECORD if sense < (_BAR_WITH_SIGNS if signs >= _SIGNS else _BAR) else ""


def section_doubt(check: Check, section: Section, opinions: Opinions, record: float | None) -> str:
    """Why a section does not pass by words, as a sentence; empty where nothing speaks against it."""
    own = _odds(opinions, section) if check in OF_A_MODEL else None
    if own is None:
        return ""
    low = own < _ALONE_BAR if record is None else (own + record) / 2 < _SECTION_BAR
    return SECTION if low else ""


def _odds(opinions: Opinions, section: Section) -> float | None:
    said = sense_of(opinions, section)
    if said is None:
        return None
    chance = min(max(said, _CERTAIN), 1 - _CERTAIN)
    return math.log(chance / (1 - chance))
