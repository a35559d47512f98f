"""Work that is open when its phase is entered again: it becomes the new turn's, instead of being made a second time.

Each time a phase is entered its tickets have keys of their own (`ticket:train`, `ticket:train~2`). Where the one of
before is still open, the new key stands for that ticket. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.values import ItemKey
from service.domain.loop import course as course_of
from service.domain.loop.course import Course, ticket_key
from service.domain.loop.seeding import Instance, instances
from service.domain.plan import placement
from service.domain.plan.plan import Recorded
from service.domain.template.parameters import is_on
from service.domain.template.template import Key, ParameterValue, Template

DONE = "done"


def continued(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    course: Course,
    recorded: Mapping[ItemKey, Recorded],
    statuses: Mapping[ItemKey, str],
    before: Mapping[ItemKey, ItemKey],
) -> dict[ItemKey, ItemKey]:
    """By the keys of tickets of phases that are entered again, the open tickets that they stand for.

    `statuses` is what is known of tickets now; one of an iteration that has not ended counts as open where nothing is
    known of it. `before` is what was decided so far: of phases whose iterations have begun it stays, of those to come
    it is decided anew, so that what is done before its phase is entered again is made again then. A key whose own
    ticket was made already stands for that."""
    found: dict[ItemKey, ItemKey] = {}
    taken: set[ItemKey] = set()
    for instance in instances(template, course):
        if instance.entry == 1:
            continue
        for ticket in instance.phase.tickets:
            if not is_on(ticket.when, parameters):
                continue
            keys = _keys(instance, ticket.key)
            if instance.turns[0].number <= course.current:
                found |= {key: before[key] for key in keys if key in before}
                continue
            new = [key for key in keys if not _exists(recorded, key)]
            former = (key for key in _former(instance, ticket.key, course, before) if key not in taken)
            still = (key for key in former if _is_open(key, course, recorded, statuses))
            pairs = dict(zip(new, still, strict=False))
            found |= pairs
            taken |= set(pairs.values())
    return found


def foreseen(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    course: Course,
    recorded: Mapping[ItemKey, Recorded],
    statuses: Mapping[ItemKey, str],
    before: Mapping[ItemKey, ItemKey],
) -> dict[ItemKey, ItemKey]:
    """The same for all that follows after the end of the course as well: what is open of a phase that comes again
    beyond it will be that phase's, so that nobody may take it for what is wanted no longer."""
    along = course_of.foreseen(template, parameters, course)
    return continued(template, parameters, along, recorded, statuses, before)


def brought_back(
    continuing: Mapping[ItemKey, ItemKey], recorded: Mapping[ItemKey, Recorded], before: Mapping[ItemKey, ItemKey]
) -> frozenset[ItemKey]:
    """The tickets that a phase continues now and that wait in no open iteration: they are put where the phase
    has them. `before` is what was continued when people last decided where these tickets are."""
    return frozenset(key for new, key in continuing.items() if before.get(new) != key and key in recorded)


def _keys(instance: Instance, ticket: Key) -> list[ItemKey]:
    """The keys of a ticket in an instance: of a recurring phase one for each of its iterations."""
    made = (ticket_key(instance.phase, ticket, turn.stage.of_phase, instance.entry) for turn in instance.turns)
    return list(dict.fromkeys(made))


def _former(instance: Instance, ticket: Key, course: Course, before: Mapping[ItemKey, ItemKey]) -> Iterator[ItemKey]:
    """The tickets that were this one's when its phase was entered before, the latest first."""
    seen: set[ItemKey] = set()
    reach = len(course.turns) if instance.phase.recurring else 1
    for entry in range(instance.entry - 1, 0, -1):
        for of_phase in range(1, reach + 1):
            own = ticket_key(instance.phase, ticket, of_phase, entry)
            key = before.get(own, own)
            if key not in seen:
                seen.add(key)
                yield key


def _is_open(
    key: ItemKey, course: Course, recorded: Mapping[ItemKey, Recorded], statuses: Mapping[ItemKey, str]
) -> bool:
    if not _exists(recorded, key):
        return False
    if key in statuses:
        return statuses[key] != DONE
    number = placement.iteration_of(recorded[key])
    return number is not None and number >= course.current > 0


def _exists(recorded: Mapping[ItemKey, Recorded], key: ItemKey) -> bool:
    return key in recorded and recorded[key].ref is not None
