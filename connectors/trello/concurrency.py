"""Several calls at the same time, because Trello takes one card a call and answers each in some tenths of a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from connectors.errors import TrackerError
from connectors.trello.service import PARALLEL

_T = TypeVar("_T")


def together(tasks: Sequence[Callable[[], _T]]) -> list[_T | TrackerError | None]:
    """Do the tasks, several at a time, begun in order: for each its result, or its error, or None for one that was not
    begun because another had failed by then."""
    failed = Event()

    def attempt(task: Callable[[], _T]) -> _T | TrackerError | None:
        if failed.is_set():
            return None
        try:
            return task()
        except TrackerError as error:
            failed.set()
            return error
        except BaseException:
            failed.set()
            raise

    if len(tasks) < 2:
        return [attempt(task) for task in tasks]
    with ThreadPoolExecutor(min(PARALLEL, len(tasks)), "trello") as pool:
        return list(pool.map(attempt, tasks))


def all_of(tasks: Sequence[Callable[[], _T]]) -> list[_T]:
    """The same for what may be done twice: the results, or the first error."""
    results = together(tasks)
    for result in results:
        if isinstance(result, TrackerError):
            raise result
    return [result for result in results if result is not None and not isinstance(result, TrackerError)]
