"""Long lists on pages: every row on one of them, once, with where it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.pages.paging import ON_A_PAGE, Paging, paged


@given(st.integers(0, 5 * ON_A_PAGE))
def test_every_row_is_on_one_page_and_each_leads_to_the_next(count: int) -> None:
    rows, page, address = list(range(count)), 1, "/audit"
    seen: list[int] = []
    while True:
        shown, paging = paged(rows, page, "/audit")
        seen += shown
        assert paging.before == ({1: "", 2: "/audit"}.get(page, f"/audit?page={page - 1}"))
        if not paging.after:
            break
        address, page = paging.after, page + 1
        assert address == f"/audit?page={page}"
    assert seen == rows


def test_a_list_that_fits_has_no_pages_and_beyond_the_last_one_is_the_way_back() -> None:
    assert paged([1, 2], 1, "/audit") == ([1, 2], Paging())
    shown, paging = paged(list(range(150)), 9, "/audit")
    assert (shown, paging) == ([], Paging("none of 150", "/audit?page=8", ""))
    assert paged(list(range(1150)), 1, "/audit")[1].span == "1 to 100 of 1,150"
