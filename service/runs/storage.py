"""What our own database says when it cannot be used just now, apart from what it says of a wrong statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class StoreUnavailable(Exception):
    """Our own database could not be used just now: locked, gone, or its disk is full. The step may be repeated."""


@contextmanager
def stored() -> Iterator[None]:
    """Turn what the database says when it cannot be used into StoreUnavailable, which a journal can hold."""
    try:
        yield
    except SQLAlchemyError as error:
        if not unusable(error):
            raise
        raise StoreUnavailable(str(getattr(error, "orig", error))) from error


def unusable(error: BaseException) -> bool:
    """Whether this is what a database says that is locked, gone or full, not what it says of a wrong statement."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout)
