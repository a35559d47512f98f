"""Samples: the same seed draws the same, from a population that is named."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from service.domain.audit.audit import audit
from service.domain.audit.outcome import Check, Result
from service.domain.audit.sampling import Place, population, sample
from tests.unit.domain.audit import binders

PLACES = st.lists(st.tuples(st.integers(1, 50), st.sampled_from(list(Check))), unique=True, max_size=60).map(
    lambda found: sorted(found, key=lambda one: (one[0], one[1].value))
)
SEEDS = st.text(min_size=1, max_size=20)


@given(PLACES, SEEDS, st.integers(1, 30))
def test_the_same_seed_draws_the_same_and_no_more_than_asked_for(among: list[Place], seed: str, size: int) -> None:
    drawn = sample(among, "prj_1", seed, size)

    assert drawn == sample(list(among), "prj_1", seed, size)
    assert len(drawn) == min(size, len(among))
    assert set(drawn) <= set(among)
    assert drawn == [one for one in among if one in drawn]


@given(PLACES, SEEDS, st.integers(1, 30))
def test_a_larger_sample_holds_the_smaller_one(among: list[Place], seed: str, size: int) -> None:
    assert set(sample(among, "prj_1", seed, size)) <= set(sample(among, "prj_1", seed, size + 5))


def test_anybody_can_draw_it_again_as_it_is_described() -> None:
    among = [(number, check) for number in range(1, 6) for check in Check]

    def lot(place: Place) -> str:
        return sha256(f"2026-Q1:prj_1:{place[0]}:{place[1]}".encode()).hexdigest()

    assert set(sample(among, "prj_1", "2026-Q1", 7)) == set(sorted(among, key=lot)[:7])


def test_what_does_not_apply_is_drawn_by_nobody_and_a_result_is_drawn_alone() -> None:
    audited = [audit(binders.subject(1)), audit(binders.subject(2, "TBD"))]
    results = {(one.number, each.check): each.result for one in audited for each in one.findings}

    everything = population(audited)
    assert everything == [place for place, result in results.items() if result is not Result.NOT_APPLICABLE]
    assert {results[place] for place in population(audited, Result.FAIL)} == {Result.FAIL}
