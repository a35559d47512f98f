"""What events tell people: a comment on the record of the current iteration, as reminders are, and in the history."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from connectors.port import Tracker
from connectors.values import Fields, ItemKind, Place
from service.context import Context
from service.domain.loop.turnover import record_key
from service.domain.plan.plan import COMMENT, Action, Change, Reason
from service.domain.problems import InvalidInput
from service.usecases.hook.asked import Asked, Drafted, Event, Reaction, bare, drafted, look
from service.usecases.hook.checking import addressed, unknown_people, words_of
from service.usecases.loop import proposals
from service.usecases.plan.project_state import Material

TOLD = {"notify": "trigger", "propose": proposals.PROPOSED}
"""What people are told, and the kind of its event."""

LONGEST_NOTICE = 2000


def told(context: Context, ours: Material, asked: Asked, _keeps: bool) -> Reaction:
    """The comment; in the history alone where there is no record. `data` is what the history is told beside."""
    if problems := unknown_people(asked.text("to"), ours.team):
        raise InvalidInput(problems)
    text, words, current = asked.text("text")[:LONGEST_NOTICE], words_of(asked.text("to")), ours.current
    names = {name for word in words for name in addressed(word, ours.team)}
    people = {account: name for account, name in ours.people.items() if name in names}
    kind = TOLD[asked.action]
    data = {**asked.given.get("data", {}), **({"to": words} if words else {})}
    event = Event(f"{kind}:{asked.once}", kind, text, data)
    key = record_key(current)
    where = f"the record of iteration {current} of {asked.project.key}"
    alone = Reaction(None, f"There is no ticket for {where}, so it is in the history alone: {text}", current, (event,))
    if key not in ours.known:
        return alone

    def make(tracker: Tracker, place: Place) -> Drafted:
        observed = look(ours, tracker, place, [key])
        plan = bare(ours, place, observed)
        if key not in observed:
            return plan, observed
        title = str(observed[key].fields.get("title") or key)
        said = f"{asked.by[:1].upper()}{asked.by[1:]}: {text}"
        after: Fields = {COMMENT: said, "mentions": list(people)}
        change = Change(
            key, ItemKind.TICKET, Action.UPDATE, Reason.ASKED_FOR, title, None, after, (COMMENT,), note=asked.by
        )
        return replace(plan, changes=(change,), people=people), observed

    made, observed = drafted(context, ours, make)
    if key not in observed:
        return alone
    return Reaction(made, f"Said in a comment on {where}: {text}", current, (event,))


def is_overtaken(_session: Session, _asked: Asked, _found: Reaction) -> bool:
    """Never: what is said hangs on nothing that was read."""
    return False
