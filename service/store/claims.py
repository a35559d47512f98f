"""The right to do what a request asks for, and the note that it was done, written together with what was done."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.store.rows import rows_changed
from service.store.tables import AnswerRow
from service.store_faults import ClaimLost


class Claim:
    """The right of one request to do what its idempotency key stands for, once.

    `id` names the key in the store and `holder` this request among those that ever held it. `effect` is the id of what
    was brought about, None until then: with it there is nothing left to do but to answer.
    """

    def __init__(self, row_id: str, holder: str, effect: str | None = None) -> None:
        self.id, self.holder, self.effect = row_id, holder, effect

    def done(self, session: Session, effect: str) -> None:
        """Note what was brought about, in the unit of work that does so: both are kept, or neither is.

        Raises ClaimLost, so that the unit of work is rolled back, if the claim was given to somebody else meanwhile.
        """
        mine = (AnswerRow.key == self.id) & (AnswerRow.holder == self.holder)
        untold = AnswerRow.effect.is_(None) | (AnswerRow.effect == effect)
        noted = session.execute(update(AnswerRow).where(mine, untold).values(effect=effect))
        if rows_changed(noted) != 1:
            raise ClaimLost
        self.effect = effect
