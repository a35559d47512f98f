"""A wrong input, said so that a person can mend it: the place, what is wrong, what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
        return f"{where}: {self.message}" + (f"; {self.fix}" if self.fix else "")

    @property
    def pointer(self) -> str:
        """The path as an RFC 6901 JSON pointer (`/phases/2/tickets/0/role`)."""
        return "".join(f"/{part}" for part in self.path.replace("]", "").replace("[", ".").split(".") if part)


class InvalidInput(Exception):
    """An input was refused; `problems` holds everything found wrong, in the order of the input, at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
