"""What the simulated team does in a day, in the tracker: take tickets, finish them, forget some, make and move others,
and write the records.

What becomes of a ticket is drawn from the seed and its title, not from the order in which things happen: so the same
seed plays the same months in the same tracker.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from random import Random

from simulation.cast import Character
from simulation.office import Office, Ticket
from simulation.scribes import Scribes, Setting, Tell

_EFFORTS = (0.6, 0.8, 0.8, 0.8, 1.0, 1.0, 1.0, 1.0, 1.2, 1.2, 1.5, 1.5, 2.5, 2.5, 7.0)
"""How a ticket's work compares with its estimate; one in fifteen takes several iterations."""

FORGOTTEN = 0.05
"""The share of tickets that nobody touches in an iteration."""

_RESULTS = (
    "Done, the result is at {url}",
    "Finished. What came of it: {url}",
    "Please have a look: {url}",
)

_IDEAS = (
    "Find out why the nightly import was slow",
    "Clean up the notebook",
    "Answer a question of the sales team",
    "Fix a flaky test",
    "Try a smaller learning rate",
    "Update the library that warns",
)


class Crew:
    """The team, as it works. `number` is always that of the current iteration."""

    def __init__(self, office: Office, people: Sequence[Character], seed: int, tell: Tell) -> None:
        self._office, self._people, self._seed = office, people, seed
        self._scribes = Scribes(office, lambda: self._people, seed, tell)
        self._doing: dict[str, Ticket] = {}
        self._done: dict[str, float] = {}

    def without(self, email: str) -> None:
        """Continue without this person; what they had in hand stays as it is."""
        self._people = [person for person in self._people if person.email != email]
        self._doing.pop(email, None)

    def morning(self, day: date, number: int) -> None:
        """Whoever is there and has nothing in hand takes a ticket; records that are late are written."""
        tickets = self._office.at_work(number)
        self._scribes.morning(day, tickets)
        self._let_go(tickets)
        taken: set[str] = set()
        for person in self._people:
            if not person.works(day) or person.email in self._doing:
                continue
            ticket = self._choice(person, [one for one in tickets if one.id not in taken], number)
            if ticket is None:
                continue
            taken.add(ticket.id)
            if ticket.status == "todo":
                self._office.take(ticket, person.email)
            self._doing[person.email] = ticket

    def afternoon(self, day: date) -> None:
        """Everybody works; what is ready is finished."""
        for person in self._people:
            ticket = self._doing.get(person.email)
            if ticket is None or not person.works(day):
                continue
            self._done[ticket.id] = self._done.get(ticket.id, 0.0) + person.pace
            if self._done[ticket.id] >= self._effort(ticket):
                self._office.say(ticket, self._result(ticket), person.email)
                self._office.finish(ticket)
                del self._doing[person.email]

    def wind_up(self, day: date, setting: Setting) -> None:
        """On the last day: the meetings were held, and most records are written."""
        there = self._there(day)
        tickets = self._office.at_work(setting.number)
        for ticket in tickets:
            if ticket.is_meetings and ticket.status != "done" and ticket.email in there:
                self._office.finish(ticket)
        self._scribes.wind_up(day, setting, tickets)

    def sign(self, day: date) -> None:
        """At the end of the day's work: who signs records does, if they are there."""
        self._scribes.sign(day)

    def surprise(self, day: date, number: int) -> list[str]:
        """In the middle of an iteration: somebody makes a ticket, moves one, takes one out. Says in words what."""
        drawn = Random(f"surprise {self._seed} {day}")
        said = []
        there = [person for person in self._people if person.works(day)]
        idle = [one for one in self._open(number) if one.status == "todo" and not self._in_hand(one)]
        if there and drawn.random() < 0.6:
            person, idea = drawn.choice(there), drawn.choice(_IDEAS)
            made = self._office.add(f"{idea} ({day.day} {day:%b})", person.email, number)
            said.append(f"{person.person} adds {made}")
        if idle and drawn.random() < 0.3:
            ticket = drawn.choice(idle)
            if self._office.put_off(ticket, number + 1):
                said.append(f"somebody moves {ticket} to the next iteration")
        elif idle and drawn.random() < 0.2:
            ticket = drawn.choice(idle)
            self._office.drop(ticket, number)
            said.append(f"somebody takes {ticket} out, into the backlog")
        coming = [one for one in self._office.coming(number + 1) if _is_work(one) and one.status == "todo"]
        if coming and drawn.random() < 0.25:
            ticket = drawn.choice(coming)
            self._office.pull_in(ticket, number)
            said.append(f"somebody pulls {ticket} in from the next iteration")
        return said

    def bring_back(self, titles: Collection[str], number: int) -> list[str]:
        """Have what a phase cannot end without done: what lies in the backlog is brought back. Says in words what."""
        missing = [one for one in self._office.backlog() if one.title in titles] if titles else []
        for ticket in missing:
            self._office.bring(ticket, number)
        return [f"the delivery lead brings {one} back from the backlog" for one in missing]

    def _result(self, ticket: Ticket) -> str:
        drawn = Random(f"result {self._seed} {ticket.title}")
        return drawn.choice(_RESULTS).format(url=f"https://docs.example.com/demand/{drawn.randrange(16**6):06x}")

    def _there(self, day: date) -> set[str]:
        return {person.email for person in self._people if person.works(day)}

    def _open(self, number: int) -> list[Ticket]:
        return [one for one in self._office.at_work(number) if _is_work(one) and one.status != "done"]

    def _in_hand(self, ticket: Ticket) -> bool:
        return any(one.id == ticket.id for one in self._doing.values())

    def _let_go(self, tickets: Sequence[Ticket]) -> None:
        """Who was working on a ticket that is done, or that is another's by now, is free again."""
        known = {ticket.id: ticket for ticket in tickets}
        for email, ticket in list(self._doing.items()):
            now = known.get(ticket.id)
            if now is None or now.status == "done" or now.email not in (None, email):
                del self._doing[email]

    def _choice(self, person: Character, tickets: Sequence[Ticket], number: int) -> Ticket | None:
        """What the person takes: what they began, then what is theirs, then what is nobody's."""
        in_hand = {one.id for one in self._doing.values()}
        work = [one for one in tickets if _is_work(one) and one.status != "done" and one.id not in in_hand]
        own = [one for one in work if one.email == person.email]
        for ticket in own:
            if ticket.status == "doing":
                return ticket
        for ticket in own + [one for one in work if one.email is None]:
            if ticket.status == "todo" and not self._forgotten(ticket, number):
                return ticket
        return None

    def _forgotten(self, ticket: Ticket, number: int) -> bool:
        return Random(f"forgotten {self._seed} {ticket.title} {number}").random() < FORGOTTEN

    def _effort(self, ticket: Ticket) -> float:
        return max(1.0, ticket.points) * Random(f"effort {self._seed} {ticket.title}").choice(_EFFORTS)


def _is_work(ticket: Ticket) -> bool:
    return not ticket.is_record and not ticket.is_meetings
