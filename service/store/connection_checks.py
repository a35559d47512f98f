"""What the last check of each connection found, kept until the next one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from connectors.values import Account, Finding
from service.domain.plan.plan_json import finding_to_json
from service.store.tables import ConnectionCheckRow, ConnectionRow


def keep(
    session: Session, connection: ConnectionRow, account: Account | None, findings: Iterable[Finding], now: datetime
) -> None:
    """Keep what a check found, unless the credential or the settings were replaced while it looked."""
    row = session.get(ConnectionRow, connection.id)
    if row is None or row.removed or row.secret != connection.secret:
        return
    kept = session.get(ConnectionCheckRow, connection.id)
    if kept is None:
        kept = ConnectionCheckRow(connection_id=connection.id, account={}, former={})
        session.add(kept)
    if account is not None:
        found = {"id": account.id, "name": account.name, "email": account.email}
        changed = bool(kept.account) and kept.account["id"] != account.id
        if changed or kept.checked_at is not None:
            kept.former = kept.account if changed else {}
        kept.account = found
    kept.checked_at = now
    kept.findings = [finding_to_json(one) for one in findings]


def outdated(session: Session, connection_id: str) -> None:
    """Note that what was found is of a credential that was replaced. Who it was stays known."""
    kept = session.get(ConnectionCheckRow, connection_id)
    if kept is not None:
        kept.checked_at, kept.findings, kept.former = None, [], {}


def remove(session: Session, connection_id: str) -> None:
    """Forget it with its connection."""
    kept = session.get(ConnectionCheckRow, connection_id)
    if kept is not None:
        session.delete(kept)
