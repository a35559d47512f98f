"""One check of a record's text while it is made: what it looks at, and how its finding is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from connectors.records import Part
from service.domain.audit.outcome import Check, CheckFinding, Evidence, Result, Weight
from service.domain.audit.placeholders import is_placeholder, placeholders
from service.domain.audit.prose import clip
from service.domain.audit.sections import Section
from service.domain.audit.signing import edits_by_people, person_of
from service.domain.audit.subject import Subject

_CERTAIN = 0.97
"""How sure a finding is that rests on what stands there, whatever the words around it."""
_OPEN = 0.5
LOOK = (
    "Have the signer look at it: if it is good, they confirm it with the comment `/approve {}`. Or make it plainer: {}"
)
"""What is to be done where a person should look, for the check and what to write."""
_PLAINER = " Or make it plainer: "


def without_signer(fix: str) -> str:
    """What is to be done about what is unclear where nobody signs: the part that whoever writes can do."""
    before, found, plainer = fix.partition(_PLAINER)
    return f"Make it plainer: {plainer}" if found and plainer else "" if found else before


WHY = 'Add the reason under "{}": because ...'
"""What is to be done where it says that there is nothing, and not why."""
_QUOTES = 5
"""The most places that a finding quotes."""


@dataclass(frozen=True, slots=True)
class Text:
    """A record that was read for its text: the prompts are taken out of all of it.

    `sections` has every section of the rules by key; `own` is the plain text of the record beyond what was seeded
    and filled in, `former` that of the record before it. `unanswered` are the keys of sections in which nothing stands
    but the prompt. `signed` says that the record is signed, which some answers need. `loose`
    is what stands under none of the headings. `copied` are the keys of sections that say nothing but an example: one
    may be so by chance. `told` are the keys of those that say little but what phaseloop tells people. `measured`: it is
    in a language in which the judging is measured. `of_model`: something in it speaks of a model, or nothing can tell.
    `sense` is how much all of it reads like work on a model, as log odds, None where nobody was asked, and `signs` how
    many different signs of a model it has.
    """

    sections: Mapping[str, Section]
    own: str
    former: str
    unanswered: tuple[str, ...] = ()
    signed: bool = False
    loose: tuple[Section, ...] = ()
    measured: bool = True
    copied: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    of_model: bool = True
    sense: float | None = None
    signs: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A check of one section, `key`; `ask` says what belongs there, to continue from "write under ...: "."""

    check: Check
    key: str
    ask: str
    subject: Subject
    text: Text

    @property
    def section(self) -> Section:
        """The section without its prompt; an empty one where there is none."""
        nothing = Section(self.key, "", 0, "", "", (), (), (), empty=True)
        return self.text.sections.get(self.key, nothing)

    @property
    def title(self) -> str:
        """What the section is called in the template."""
        return self.title_of(self.key)

    def title_of(self, key: str) -> str:
        """What a section is called in the template."""
        return next((rule.titles[0] for rule in self.subject.rules.sections if rule.key == key and rule.titles), key)

    @property
    def to_write(self) -> str:
        """What to write, as a sentence."""
        return f'Write under "{self.title}": {self.ask}' if self.key else f"Write {self.ask}"

    def lines(self) -> list[str]:
        """The plain lines of the section that say something."""
        return [line for line in self.section.lines if not is_placeholder(line)]

    def passed(self, reason: str, *quotes: str) -> CheckFinding:
        """The check passes, because of what is quoted."""
        return self._finding(Result.PASS, reason, "", quotes)

    def certain(self, reason: str, *quotes: str) -> CheckFinding:
        """The check passes by what no wording can change: links, a signature, that there is nothing to tell of."""
        return replace(self.passed(reason, *quotes), confidence=_CERTAIN)

    def unclear(self, reason: str, *quotes: str) -> CheckFinding:
        """A person should look, because of what is quoted, whatever a second opinion says."""
        fix = LOOK.format(self.check.value, self.to_write)
        finding = self._finding(Result.UNCLEAR, f"A person should look: {reason}", fix, quotes)
        return replace(finding, confidence=_OPEN)

    def failed(self, reason: str, *quotes: str, fix: str = "") -> CheckFinding:
        """The check fails; `fix` is how to fix it, by default what the check asks for."""
        return self._finding(Result.FAIL, reason, fix or self.to_write, quotes)

    def not_applicable(self, reason: str, *quotes: str) -> CheckFinding:
        """The check does not apply."""
        return self._finding(Result.NOT_APPLICABLE, reason, "", quotes)

    def hindered(self) -> CheckFinding | None:
        """The finding where the text need not or cannot be looked at: the check is off, or there is no text."""
        reading = self.subject.record
        document = reading.document
        if self.subject.rules.weights.get(self.check, Weight.MAJOR) is Weight.OFF:
            return self.not_applicable("This is not asked for in this phase.")
        if document is None and reading.unread:
            return self._finding(Result.INCONCLUSIVE, f"The record could not be read: {reading.unread}", _AGAIN, ())
        if document is None:
            why = reading.missing or "it is not there"
            return self.failed(f"There is no record to look at: {why}", fix="Make the record of this iteration.")
        if Part.TEXT in document.unread:
            return self._finding(Result.INCONCLUSIVE, "The text of the record could not be read.", _AGAIN, ())
        return None

    def lacking(self) -> CheckFinding | None:
        """The finding where the section is not there, or says nothing."""
        section, title = self.section, self.title
        if all(rule.key != self.key for rule in self.subject.rules.sections):
            return self.not_applicable("The records of this template have no such section.")
        if self.key in self.text.unanswered:
            return self.failed(f'Under "{title}" nothing was written beyond what was there from the start.')
        if not section.title:
            fix = f'Add the heading "{title}" and write under it: {self.ask}'
            return self.failed(f'The record has no section "{title}".', fix=fix)
        if section.empty:
            return self.failed(f'The section "{title}" is empty.')
        if not self.lines() and not section.links:
            return self.failed(f'Under "{title}" stands no answer yet.', *section.lines[:1])
        if self.key in self.text.copied and len(self.text.copied) > 1:
            why = f'Under "{title}" stands an example of phaseloop or of a prompt, and no answer.'
            return self.failed(why, *section.lines[:1])
        if self.key in self.text.told:
            why = f'Under "{title}" stands what phaseloop tells people to write, and no answer.'
            return self.failed(why, *section.lines[:1])
        return None

    def evidence(self, quote: str, key: str = "") -> Evidence:
        """What a finding rests on: a place in the text, in plain words."""
        document = self.subject.record.document
        if document is None:
            return Evidence(f"section {self.title_of(key or self.key)}", clip(quote))
        edits = edits_by_people(self.subject, document)
        by = person_of(self.subject, edits[-1].by, edits[-1].person) if edits else ""
        at = edits[-1].at if edits else None
        source = f"section {self.title_of(key or self.key)}"
        return Evidence(source, clip(quote), document.ref.url, by, at, document.digest)

    def unfilled(self) -> Iterator[tuple[str, str]]:
        """What stands where an answer should be, all over the record: the section's key and the line."""
        for key, section in self.text.sections.items():
            yield from ((key, line) for line in placeholders(section))

    def settled(self, finding: CheckFinding) -> CheckFinding:
        """The finding; inconclusive where it fails for want of what may stand in the part that was cut off."""
        document = self.subject.record.document
        if document is None or not document.cut or finding.result is not Result.FAIL:
            return finding
        why = "The record is longer than what is read of one, so that this may stand in the rest. In what was read:"
        fix = f"Shorten the record: put long output into files and link them. Then: {finding.fix}"
        return replace(finding, result=Result.INCONCLUSIVE, reason=f"{why} {finding.reason}", fix=fix)

    def _finding(self, result: Result, reason: str, fix: str, quotes: tuple[str, ...]) -> CheckFinding:
        weight = self.subject.rules.weights.get(self.check, Weight.MAJOR)
        told = tuple(self.evidence(quote) for quote in dict.fromkeys(quotes) if quote.strip())
        return CheckFinding(self.check, weight, result, reason, told[:_QUOTES], fix)


_AGAIN = "Nothing to write: it is looked at again with the next look."
