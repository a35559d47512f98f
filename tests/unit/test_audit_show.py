"""Audits as words: within the columns there are, told apart without colours, and safe to be shown."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from service.cli import audit_show
from service.domain.audit.outcome import Audited, Check, CheckFinding, Clock, Evidence, Result, Verdict, Waived, Weight
from service.usecases.audit.audit_reports import Line, Standing

WIDEST = 80
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def finding(check: Check = Check.GOAL, **changes: Any) -> CheckFinding:
    whole = {"weight": Weight.MAJOR, "result": Result.FAIL, "reason": "It is empty.", "fix": "Write it.", **changes}
    return CheckFinding(check, **whole)


def line(number: int = 1, **changes: Any) -> Line:
    audited = Audited(number, Verdict.UNDOCUMENTED, Clock.ESCALATED, 100, tuple(finding(check) for check in Check))
    return Line(
        **{"number": number, "title": "Sprint", "phase": "data", "goes_on": True, "audited": audited, **changes}
    )


def shown(what: object, width: int) -> list[str]:
    target = io.StringIO()
    Console(file=target, width=width, soft_wrap=True).print(what)
    return target.getvalue().splitlines()


def test_the_widest_matrix_fits_80_columns() -> None:
    lines = shown(audit_show.matrix_table([line(1234, trouble="The tracker is away."), line(1235)], WIDEST), WIDEST)

    assert max(map(len, lines)) <= WIDEST
    assert any(text.startswith("1234!  undocumented  escalated  ") for text in lines)


def test_the_widest_portfolio_fits_80_columns() -> None:
    many = dict.fromkeys(Verdict, 100)
    found = [Standing("prj", "A-key-that-is-long-as-keys-go", "Churn", 500, many, 300, 99.5, 20, 1, NOON)]

    lines = shown(audit_show.portfolio_table(found, WIDEST, UTC), WIDEST)

    assert max(map(len, lines)) <= WIDEST
    assert "undocumented" in lines[1]


def test_instants_in_reasons_read_like_all_others_of_a_report() -> None:
    reason = "Pat signed it on 2026-12-01 11:32 UTC+01:00; it was due by 2026-11-30 17:00 UTC, see 2026-11-30."
    audited = Audited(1, Verdict.PARTLY, Clock.OVERDUE, 80, (finding(Check.ON_TIME, reason=reason),))

    said = "\n".join(audit_show.iteration_lines(line(audited=audited), ZoneInfo("Europe/Paris")))

    assert "Pat signed it on Tue 1 Dec 2026 11:32 CET; it was due by Mon 30 Nov 2026 18:00 CET, see 2026-11-30." in said
    assert said.count("UTC") == 0


def test_every_result_has_a_sign_of_its_own_without_its_colour() -> None:
    failed = [finding(weight=weight) for weight in (Weight.CRITICAL, Weight.MAJOR, Weight.MINOR)]
    others = [finding(result=result) for result in Result if result is not Result.FAIL]

    signs = [Text.from_markup(audit_show.sign(one)).plain for one in (*failed, *others)]

    assert len(set(signs)) == len(signs)
    assert all(f"{one} " in audit_show.LEGEND for one in signs)


@given(st.text(max_size=60))
def test_whatever_people_write_is_shown_as_it_is_or_as_what_it_would_do(text: str) -> None:
    evidence = Evidence("comment", text, text, text, NOON, text)
    waived = Waived(text, text, date(2026, 4, 1), NOON)
    one = finding(reason=text, fix=text, evidence=(evidence,), waived=waived)
    audited = Audited(1, Verdict.PARTLY, Clock.DUE, 50, (one,))
    about = Line(1, text, text, True, audited, text, text, NOON, text)

    lines = [*audit_show.iteration_lines(about, UTC), *audit_show.lacking_lines([about], UTC)]

    for each in (Text.from_markup(each).plain for each in lines):
        hidden = {one for one in each if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert hidden <= {"\u200c", "\u200d", "\xad"}
    if text.isprintable() and "\\" not in text:
        assert Text.from_markup(f"Sprint {audit_show.one_line(text)}").plain == f"Sprint {' '.join(text.split())}"


def test_an_iteration_whose_record_is_not_due_soon_names_its_checks_and_does_not_scold() -> None:
    young = Audited(2, Verdict.PENDING, Clock.UPCOMING, 0, (finding(Check.GOAL), finding(Check.DATA)))
    due = Audited(1, Verdict.PENDING, Clock.DUE, 0, (finding(Check.GOAL),))

    lines = list(audit_show.lacking_lines([replace(line(1), audited=due), replace(line(2), audited=young)], UTC))
    said = [Text.from_markup(one).plain for one in lines]

    assert said[2:4] == ["  x D02 Goal and hypothesis: It is empty.", "        Write it."]
    assert said[-1] == "  not due yet; to be met by then: D02 Goal and hypothesis, D03 Data used"


@pytest.mark.parametrize("everything", [True, False])
def test_waivers_that_are_over_show_only_where_all_are_asked_for(everything: bool) -> None:
    one = {"id": "wvr_1", "check": "D09", "iteration": None, "by": "lead", "reason": "It moves.", "until": "2026-04-01"}
    over = {**one, "state": "over", "revoked_by": None}

    lines = list(audit_show.waiver_lines([over], everything=everything))

    assert [text for text in lines if "all iterations until 2026-04-01" in text] == (lines[2:3] if everything else [])
