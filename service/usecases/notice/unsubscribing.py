"""Who wants no more messages of a kind says so by the link in one of them, without signing in."""

from __future__ import annotations

from service.context import Context
from service.domain.notice.kinds import MEANINGS, NoticeKind
from service.store import unsubscribes
from service.store.notice_tables import UnsubscribeRow
from service.usecases.errors import NotFound
from service.views.notice import UnsubscribeView

PATH = "/unsubscribe/"
"""What follows in a path is a secret, and stands in no log."""

NEEDED = (
    "needs PHASELOOP_PUBLIC_URL: each message carries a link by which its reader gets no more of its kind, and that"
    " leads to this service"
)


def link(context: Context, address: str, kind: str) -> str | None:
    """The link by which messages of a kind to an address are ended; None where they were."""
    with context.database.session() as session:
        row = unsubscribes.link(session, address, kind, context.now())
        ended = row.since is not None
        found = f"{str(context.settings.public_url or '').rstrip('/')}{PATH}{row.secret}"
    return None if ended else found


def get(context: Context, secret: str) -> UnsubscribeView:
    """What a link is about. Raises NotFound."""
    with context.database.session() as session:
        row = unsubscribes.by_secret(session, secret)
    return _view(row)


def switch(context: Context, secret: str, *, wanted: bool) -> UnsubscribeView:
    """End the messages that a link is about, or have them come again. Repeatable. Raises NotFound."""
    with context.database.session() as session:
        row = unsubscribes.by_secret(session, secret, locked=True)
        if row is not None and wanted:
            row.since = None
        elif row is not None and row.since is None:
            row.since = context.now()
    return _view(row)


def _view(row: UnsubscribeRow | None) -> UnsubscribeView:
    if row is None:
        raise NotFound("link", "", "Open the link in the newest mail, or ask who looks after phaseloop.")
    meaning = MEANINGS[NoticeKind(row.kind)] if row.kind in set(NoticeKind) else row.kind
    return UnsubscribeView(row.address, row.kind, meaning, row.since is None)
