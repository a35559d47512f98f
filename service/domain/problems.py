"""A wrong input, said so that a person can fix it: the place, what is wrong, what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.places import PLACES, place_words

MISSING = "is missing"
"""The message about what was not given."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one place of an input.

    `source` is the file (or other name) the input came from, `line` is 1-based (None where the input has no lines),
    `path` is the way to the value as people read it (`phases[2].tickets[0].role`), `message` says what is wrong and
    `fix` what would be right.
    """

    source: str
    line: int | None
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line is not None else self.source
        where = f"{place} {self.path}" if self.path else place
        return f"{where}: {self._said}"

    @property
    def _said(self) -> str:
        """What is wrong and what would be right; a message that is a sentence stays one."""
        if not self.fix:
            return self.message
        return f"{self.message}{' ' if self.message.endswith(('.', '?', '!')) else '; '}{self.fix}"

    @property
    def told(self) -> str:
        """The problem for people: the place in their words, where it is not one that they wrote."""
        words = place_words(self.source, self.path) if self.line is None else None
        if words is None:
            return str(self)
        return f"{words}: {self._said}"

    @property
    def missing(self) -> bool:
        """Whether something was not given at all where a command or request takes it; what a file lacks is not that."""
        return self.message == MISSING and self.line is None and self.source in PLACES

    @property
    def pointer(self) -> str:
        """The path as an RFC 6901 JSON pointer (`/phases/2/tickets/0/role`)."""
        return "".join(f"/{part}" for part in self.path.replace("]", "").replace("[", ".").split(".") if part)


class InvalidInput(Exception):
    """An input was refused; `problems` holds everything found wrong, in the order of the input, at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    @property
    def told(self) -> str:
        """All that is wrong, for people."""
        return "\n".join(problem.told for problem in self.problems)
