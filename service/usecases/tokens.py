"""API tokens: shown once, kept as a hash."""

from __future__ import annotations

from sqlalchemy import func, select

from service.context import Context
from service.domain.problems import InvalidInput, Problem
from service.store.secrets import new_id, new_token, token_hash
from service.store.tables import TokenRow

NAME_LIMIT = 80
"""A token's name is shown with every run that was started by it."""


def create(context: Context, name: str) -> str:
    """A new token. It cannot be shown again. Raises InvalidInput for a name that nobody could read."""
    if not name.strip() or len(name) > NAME_LIMIT or len(name.splitlines()) > 1:
        message = f"must be one line of 1 to {NAME_LIMIT} characters"
        raise InvalidInput([Problem("token", None, "name", message, "say what it is for, like ci")])
    token = new_token()
    row = TokenRow(id=new_id("tok"), name=name, hash=token_hash(token), created_at=context.now())
    with context.database.session() as session:
        session.add(row)
    return token


def owner(context: Context, token: str) -> str | None:
    """The name of the token, None if it is not one of ours."""
    with context.database.session() as session:
        return session.scalar(select(TokenRow.name).where(TokenRow.hash == token_hash(token)))


def count(context: Context) -> int:
    """How many tokens there are."""
    with context.database.session() as session:
        return session.scalar(select(func.count()).select_from(TokenRow)) or 0
