"""Whether a record is about a model at all: what it is measured on, what is done to it, what it does. Pure."""

from __future__ import annotations

import re

from service.domain.audit.numbers import names
from service.domain.audit.outcome import Check
from service.domain.audit.phrases import OF_A_MODEL, TOOLING
from service.domain.audit.prose import count, fold
from service.domain.audit.vocabulary import speaks_of

NOT_OF_A_MODEL = "Nothing in the record speaks of a model, of what it learns from, or of how good one is."
OF_A_TOOL = "What is measured is of a tool, a site or the work, not of a model."
CHECKS = (Check.GOAL, Check.EXPERIMENTS, Check.DECISIONS, Check.PERFORMANCE, Check.RISKS)
"""The checks of what is to be said of a model."""
FEWEST_SECTIONS = 3
"""So many sections with an answer a record has at least that is judged as a whole."""
_FEWEST_WORDS = 40
"""So many words a record has at least that can be told by them to be about something else."""
_FEWEST_SIGNS, _FEWEST_WEAK = 2, 4
"""So many different signs of a model a record has: a single one may be there by chance, unless so many words beside it
are often of models, too."""
OF_ANYTHING = frozenset(
    re.split(
        ",",
        "availability,coverage,latency,throughput,error rate,conversion rate,click-through rate,churn,lift,bias,loss"
        ",pass rate,win rate,hit rate,miss rate,correlation,error,drift,AP,LB,CV,KS",
    )
)
"""Measures that are of services, shops and people as well."""


def signs_of_a_model(text: str, taught: re.Pattern[str] | None = None) -> int:
    """How many different signs of a model a plain text has: words of models, measures of one, and those measures that
    the project's runs and earlier records taught."""
    folded = fold(text)
    said = {one.group(0) for one in OF_A_MODEL.all(folded)}
    said |= {name for name, _, _ in names(folded) if name not in OF_ANYTHING}
    if taught is not None:
        said |= {one.group(0) for one in taught.finditer(folded)}
    return len(said)


def is_about_a_model(text: str, taught: re.Pattern[str] | None = None) -> bool:
    """Whether a record (plain text without headings) is about a model, or too short to tell."""
    if count(text) < _FEWEST_WORDS:
        return True
    signs = signs_of_a_model(text, taught)
    return signs >= _FEWEST_SIGNS or (signs > 0 and speaks_of("model", fold(text)) >= _FEWEST_WEAK)


def is_of_a_tool(folded: str) -> bool:
    """Whether a folded text measures a tool, a site or how often something is released, and names no measure of a
    model."""
    if any(name not in OF_ANYTHING for name, _, _ in names(folded)) or OF_A_MODEL.first(folded):
        return False
    return TOOLING.first(folded) is not None
