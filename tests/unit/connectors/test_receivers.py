"""What is said of each kind of receiver, from which commands and pages are made."""

from __future__ import annotations

import pytest

from connectors.receivers import KINDS
from connectors.receiving import ReceiverKind
from service.domain.notice import examples
from service.domain.notice.kinds import NoticeKind


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_setting_that_people_give_says_what_to_write(kind: ReceiverKind) -> None:
    assert all(words.endswith(".") for _name, words, _switch in kind.given)
    assert {name for name, _words, _switch in kind.given} | {kind.secret_field} == set(kind.settings.model_fields)
    assert kind.secret_words


@pytest.mark.parametrize("notice", NoticeKind)
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_notice_has_a_form_in_every_kind(kind: ReceiverKind, notice: NoticeKind) -> None:
    told = examples.example(notice)

    assert told.facts[0].text in str(kind.laid_out(told))
