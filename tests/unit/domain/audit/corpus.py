"""The corpus of records, good and bad, each in the markup of both trackers, with the checks of its text that fail.

A record is a Markdown file that opens with what is expected: `fails` names the checks that fail, all others pass;
`phase: deployment` asks for performance in production, which is not applicable otherwise; `signed: yes` and `former`
(the name of another record) say what goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from connectors.jira.markup import to_wiki
from connectors.jira.wiki import from_wiki
from connectors.records import Document, text_digest
from connectors.values import ItemKey, RemoteRef
from service.domain.audit.outcome import Check, Weight
from service.domain.audit.subject import Deadlines, Iteration, Reading, Rules, SectionRule, Subject
from service.templates import BUILTIN, read_template_file

HERE = Path(__file__).parent / "corpus"
MARKUPS = ("markdown", "wiki")
TEXT = (
    Check.GOAL,
    Check.DATA,
    Check.EXPERIMENTS,
    Check.DECISIONS,
    Check.PERFORMANCE,
    Check.RISKS,
    Check.NEXT_STEPS,
    Check.NEW,
)
AT = datetime(2026, 3, 27, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """One record of the corpus."""

    name: str
    text: str
    fails: frozenset[Check]
    deployed: bool
    signed: bool
    former: str

    def subject(self, markup: str = "markdown") -> Subject:
        """What an audit of it looks at, read from this markup."""
        former = read_as(sample(self.former).text, markup) if self.former else ""
        return subject_of(read_as(self.text, markup), former=former, off=() if self.deployed else (Check.PERFORMANCE,))


@cache
def samples() -> tuple[Sample, ...]:
    """All records, by name."""
    return tuple(_read(path) for path in sorted(HERE.glob("*.md")))


def sample(name: str) -> Sample:
    """The record of that name."""
    return _read(HERE / f"{name}.md")


def read_as(text: str, markup: str) -> str:
    """A Markdown text as it is read from a tracker that keeps this markup."""
    return from_wiki(to_wiki(text)) if markup == "wiki" else text


@cache
def rules() -> tuple[SectionRule, ...]:
    """The sections of the built-in template."""
    record = read_template_file(BUILTIN / "iterative-ml.yaml").record
    return tuple(SectionRule(one.key, (one.title, *one.aliases), one.prompt) for one in record.sections)


@cache
def seeded() -> str:
    """The text of a record as it is seeded."""
    record = read_template_file(BUILTIN / "iterative-ml.yaml").record
    return "\n\n".join([record.description, *(f"## {one.title}\n\n> {one.prompt}" for one in record.sections)])


def subject_of(text: str, *, number: int = 5, former: str = "", off: tuple[Check, ...] = ()) -> Subject:
    """An iteration with this record, a month before `AT`."""
    document = Document(
        ref=RemoteRef("10005", "ML-5", "https://example.atlassian.net/browse/ML-5"),
        title=f"Document iteration {number}",
        text=text,
        digest=text_digest(text),
        status="doing",
        created_by="ml-1",
        created_at=AT,
    )
    return Subject(
        iteration=Iteration(
            number, f"ML {number} Ideation", "ideation", "Ideation", 1, date(2026, 3, 16), date(2026, 3, 27), None, DUE
        ),
        rules=Rules(
            weights={check: Weight.OFF if check in off else Weight.MAJOR for check in Check},
            sections=rules(),
        ),
        record=Reading(ItemKey(f"record:{number}"), document),
        at=AT,
        former=former,
        template=seeded(),
        keys=("ML-5", "ML-31"),
    )


DUE = Deadlines(AT, AT, AT, AT, AT)


def _read(path: Path) -> Sample:
    _, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
    said = {key: value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())}
    return Sample(
        name=path.stem,
        text=text.strip(),
        fails=frozenset(Check(one) for one in said["fails"].split()),
        deployed=said.get("phase") == "deployment",
        signed=said.get("signed") == "yes",
        former=said.get("former", ""),
    )
