"""Rules that judge otherwise are another version, and the evidence names it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from evaluation.corpus import SECOND, answers, attacks, lesson
from evaluation.measure import Ruling
from service.domain.audit import version
from service.domain.audit.subject import subject_from_json, subject_to_json
from service.domain.audit.version import DATA, JUDGED_BY, by_rules_of_now, data_digest, is_judged_now, version_of
from service.opinion.heads import shipped
from tests.unit.domain.audit.subjects import subject

FOUND = {4: "9f5b7379ed6f", 5: "9f5b7379ed6f", 6: "0496b65dc378"}
"""By version of the rules the digest of what they alone find in some answers of the second corpus and in the third."""


def test_rules_that_find_something_else_have_another_version() -> None:
    """Where this fails and the version was released, raise JUDGED_BY and say in `version.py` what differs; then write
    down the digest."""
    texts = [one for one in answers() if one.corpus == SECOND][::3]
    texts += [lesson(one) for one in attacks() if one.check is not None]
    found = "\n".join(f"{one.name} {one.result.value}" for one in Ruling().answers(texts, None))

    assert {JUDGED_BY: hashlib.sha256(found.encode()).hexdigest()[:12]}.items() <= FOUND.items()


def test_all_that_the_rules_know_as_data_is_part_of_the_version() -> None:
    folder = Path(version.__file__).parent

    assert {one.name for one in folder.iterdir() if one.suffix not in (".py", "") and one.is_file()} == set(DATA)


def test_the_evidence_says_by_which_rules_and_words_it_was_judged() -> None:
    now = by_rules_of_now(subject())
    kept = subject_to_json(now)

    assert is_judged_now(subject_from_json(kept))
    assert version_of(now) == f"{JUDGED_BY} (words {data_digest()})"
    assert not is_judged_now(subject_from_json(kept | {"judged_with": "0123456789ab"}))
    assert not is_judged_now(subject_from_json({name: one for name, one in kept.items() if name != "judged_with"}))


def test_the_scores_are_by_heads_that_can_be_told_apart() -> None:
    heads = shipped()

    assert heads is not None
    assert heads.called == f"{heads.encoder}, heads {heads.digest}"
    assert len(heads.digest) == 12
