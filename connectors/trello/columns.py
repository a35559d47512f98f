"""Which of a board's lists is for what: the team's own, found by their names or by their places, where there are some;
else phaseloop's. Pure.

On a board that people made, phaseloop puts no lists between theirs unless it is asked to: epics then stand with what is
planned, and an iteration that has begun stands with what people work on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.mapped import NEW, NONE, Candidate, Choice, Choices, Found, Mapped, Role, chosen
from connectors.trello.layout import MEANT, ListRole, role_of
from connectors.trello.words import Meaning, meaning_of

ROLES: Mapping[ListRole, Role] = {
    ListRole.EPICS: Role.EPICS_LIST,
    ListRole.BACKLOG: Role.BACKLOG_LIST,
    ListRole.ITERATION: Role.ITERATION_LIST,
    ListRole.IN_PROGRESS: Role.IN_PROGRESS_LIST,
    ListRole.REVIEW: Role.REVIEW_LIST,
    ListRole.DONE: Role.DONE_LIST,
}
_OF = {role: of for of, role in ROLES.items()}
_CORE = (ListRole.BACKLOG, ListRole.IN_PROGRESS, ListRole.DONE)
_BLOCKS = {ListRole.BACKLOG, ListRole.DONE}
"""A wrong list here would take work for planned or for done that is not."""
_WITHOUT = {
    ListRole.EPICS: ListRole.BACKLOG,
    ListRole.ITERATION: ListRole.BACKLOG,
    ListRole.REVIEW: ListRole.IN_PROGRESS,
}
"""What serves where there is no list of its own."""


@dataclass
class Columns:
    """What was found. `lists` are those that serve a role, by role; `own` are the roles for which phaseloop has, or
    makes, a list of its own. `roles` tells what stands in a list, by its id."""

    lists: dict[ListRole, str] = field(default_factory=dict)
    own: frozenset[ListRole] = frozenset()
    roles: dict[str, ListRole | None] = field(default_factory=dict)
    mapping: tuple[Mapped, ...] = ()
    lost: dict[ListRole, str] = field(default_factory=dict)
    """Lists of ours that are not open on the board any more, by what they were for."""

    def choices(self) -> dict[str, Choice]:
        """What was found, as choices that lead to the same again, whatever is renamed."""
        kept = {}
        for one in self.mapping:
            if one.found is Found.SHARED:
                kept[one.role.value] = Choice(NONE, "", Found.OFF, one.by)
            elif one.found is Found.OWN:
                # One that is gone stays known until there is another, so that each look can say so.
                identity = one.id or self.lost.get(_OF[one.role]) or NEW
                kept[one.role.value] = Choice(identity, one.name, Found.OWN, one.by)
            elif one.id:
                kept[one.role.value] = Choice(one.id, one.name, one.found, one.by)
        return kept

    @property
    def entries(self) -> dict[ListRole, Mapped]:
        """The mapping, by the roles of lists."""
        return {_OF[one.role]: one for one in self.mapping}

    @property
    def running(self) -> ListRole:
        """The role of the list in which the card of an iteration stands that has begun: with what people work on, where
        no list tells the current iteration from what is planned."""
        apart = self.lists.get(ListRole.ITERATION) != self.lists.get(ListRole.BACKLOG)
        return ListRole.ITERATION if apart or ListRole.ITERATION in self.own else ListRole.IN_PROGRESS


def columns_of(
    lists: Sequence[tuple[str, str, bool]],
    choices: Choices,
    known: Mapping[str, ListRole] | None = None,
    *,
    ours: bool,
) -> Columns:
    """The roles of a board's lists, given as (id, name, open) in their order on it. `ours` says that phaseloop made the
    board: then what it lacks is made. `known` tells what lists that serve no role meant before people renamed them; it
    yields to what was chosen."""
    there = [Candidate(identity, name) for identity, name, is_open in lists if is_open]
    found = _Search(there, choices, ours=ours or not there).all()
    lost = _lost(choices, there)
    # What stands in a list of ours that was archived keeps its status, whatever the list is called now.
    columns = _laid_out(lists, found, {**(known or {}), **{identity: role for role, identity in lost.items()}})
    columns.lost = lost
    return columns


def _lost(choices: Choices, there: Sequence[Candidate]) -> dict[ListRole, str]:
    is_open = {one.id for one in there}
    own = {
        role: choices[named] for role, named in ROLES.items() if named in choices and choices[named].found is Found.OWN
    }
    return {role: one.id for role, one in own.items() if one.id not in (NEW, NONE) and one.id not in is_open}


class _Search:
    """One look at the open lists of a board."""

    def __init__(self, there: Sequence[Candidate], choices: Choices, *, ours: bool) -> None:
        self._there = tuple(there)
        self._choices = choices
        self._ours = ours
        self._found: dict[ListRole, Mapped] = {}

    def all(self) -> dict[ListRole, Mapped]:
        self._chosen_before()
        self._by_name()
        if not self._ours:
            self._by_place()
        for role in ListRole:
            if role not in self._found:
                self._found[role] = self._left(role)
        return self._found

    # --- finding ---

    def _chosen_before(self) -> None:
        for role in ListRole:
            special = self._special(role)
            before = chosen(ROLES[role], self._choices, self._there, special=special, blocks=True)
            if before is None:
                continue
            if before.found is Found.OFF and role in _WITHOUT:
                before = self._without(role, by=before.by)
            self._found[role] = before

    def _by_name(self) -> None:
        taken = {one.id for one in self._found.values()}
        free = [one for one in self._there if one.id not in taken]
        named: dict[Meaning, list[Candidate]] = {}
        for one in free:
            if (meant := meaning_of(one.name)) is not None:
                named.setdefault(meant, []).append(one)
        backlog, todo = named.get(Meaning.BACKLOG, []), named.get(Meaning.TODO, [])
        if backlog and len(todo) == 1 and not named.get(Meaning.ITERATION) and not self._ours:
            # Beside a backlog, what is to do is what was taken from it.
            self._by_convention(ListRole.ITERATION, todo)
        self._by_convention(ListRole.BACKLOG, backlog or todo)
        for meant in (Meaning.EPICS, Meaning.ITERATION, Meaning.IN_PROGRESS, Meaning.REVIEW, Meaning.DONE):
            self._by_convention(MEANT[meant], named.get(meant, []))

    def _by_convention(self, role: ListRole, named: Sequence[Candidate]) -> None:
        if role in self._found or not named:
            return
        exact = [one for one in named if one.name == role.value]
        if len(named) > 1 and len(exact) != 1 and role in _BLOCKS:
            self._found[role] = self._unclear(role)
            return
        one = (exact or named)[0]
        self._found[role] = Mapped(
            ROLES[role], Found.CONVENTION, one.id, one.name, "by its name", "", self._there, self._special(role)
        )

    def _by_place(self) -> None:
        """Three lists are what is planned, what people work on, and what is done, where no name says otherwise."""
        aside = {one.id for role, one in self._found.items() if role not in _CORE}
        core = [one for one in self._there if one.id not in aside]
        if len(core) != len(_CORE):
            return
        for role, one in zip(_CORE, core, strict=True):
            known = self._found.get(role)
            if known is not None and known.id and known.id != one.id:
                return
        for role, one in zip(_CORE, core, strict=True):
            if role not in self._found:
                why = "by its place among the lists"
                self._found[role] = Mapped(
                    ROLES[role], Found.ORDER, one.id, one.name, why, "", self._there, self._special(role)
                )

    # --- what is left ---

    def _left(self, role: ListRole) -> Mapped:
        if self._ours:
            return Mapped(ROLES[role], Found.OWN, "", role.value, candidates=self._there, special=self._special(role))
        if role is ListRole.ITERATION and not self._serves(ListRole.IN_PROGRESS):
            return self._unclear(role, blocks=True)
        if role in _WITHOUT:
            return self._without(role)
        return self._unclear(role)

    def _serves(self, role: ListRole) -> bool:
        """Whether there is, or will be, a list for this role."""
        found = self._found.get(role) or self._left(role)
        return not found.unclear and found.found is not Found.OFF

    def _without(self, role: ListRole, by: str = "") -> Mapped:
        serves = _WITHOUT[role]
        why = f"no list of its own: with {ROLES[serves]}"
        return Mapped(ROLES[role], Found.SHARED, "", "", why, by, self._there, self._special(role))

    def _unclear(self, role: ListRole, *, blocks: bool | None = None) -> Mapped:
        stops = role in _BLOCKS if blocks is None else blocks
        found = Found.AMBIGUOUS if self._there else Found.MISSING
        return Mapped(ROLES[role], found, candidates=self._there, special=self._special(role), blocks=stops)

    @staticmethod
    def _special(role: ListRole) -> tuple[str, ...]:
        return (NEW, NONE) if role in _WITHOUT else (NEW,)


def _laid_out(
    lists: Sequence[tuple[str, str, bool]], found: Mapping[ListRole, Mapped], known: Mapping[str, ListRole]
) -> Columns:
    is_open = {identity for identity, _, still in lists if still}
    by_name = {name: identity for identity, name, still in reversed(lists) if still}
    serving: dict[ListRole, str] = {}
    own = set()
    for role, one in found.items():
        if one.found is Found.OWN:
            own.add(role)
            identity = one.id or by_name.get(role.value, "")
            if identity:
                serving[role] = identity
        elif one.id in is_open and not one.unclear:
            serving[role] = one.id
    roles: dict[str, ListRole | None] = {identity: known.get(identity) or role_of(name) for identity, name, _ in lists}
    for role in _PRECEDENCE:
        if role in serving:
            roles[serving[role]] = role
    for role, serves in _WITHOUT.items():
        if found[role].found is Found.SHARED and serves in serving:
            serving[role] = serving[serves]
    for role in _BEST:  # for reading only: what is not clear is never written to
        if role not in serving and role not in own:
            named = [identity for identity in is_open_in_order(lists) if roles[identity] is role]
            if named:
                serving[role] = named[0]
    mapping = tuple(_with_list(role, found[role], serving, own, dict(_named(lists))) for role in ListRole)
    return Columns(serving, frozenset(own), roles, mapping)


_PRECEDENCE = (
    ListRole.EPICS,
    ListRole.ITERATION,
    ListRole.REVIEW,
    ListRole.IN_PROGRESS,
    ListRole.BACKLOG,
    ListRole.DONE,
)
"""Of several roles that a person gave to one list, the last one tells what stands in it."""
_BEST = (ListRole.BACKLOG, ListRole.IN_PROGRESS, ListRole.DONE)


def is_open_in_order(lists: Sequence[tuple[str, str, bool]]) -> list[str]:
    """The open lists, as they stand."""
    return [identity for identity, _, still in lists if still]


def _named(lists: Sequence[tuple[str, str, bool]]) -> Collection[tuple[str, str]]:
    return [(identity, name) for identity, name, _ in lists]


def _with_list(
    role: ListRole, one: Mapped, serving: Mapping[ListRole, str], own: Collection[ListRole], names: Mapping[str, str]
) -> Mapped:
    """The entry with the list that serves, for those that have none of their own and those of ours."""
    identity = serving.get(role, "")
    if one.found not in (Found.SHARED, Found.OWN):
        return one
    name = names.get(identity, role.value if role in own else "")
    why = one.why or ("" if identity else "is made when it is needed")
    return Mapped(one.role, one.found, identity, name, why, one.by, one.candidates, one.special, one.blocks)
