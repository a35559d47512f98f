"""Everything that Trello would refuse, found by reading, in words that somebody can act on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.english import counted
from connectors.errors import CredentialsRefused, NotATracker, TrackerRefused
from connectors.mapped import Found
from connectors.pacing import utc_now
from connectors.trello.board import Boards, State
from connectors.trello.client import TrelloClient, segment
from connectors.trello.layout import TITLE_LIMIT, Layout, ListRole, role_of
from connectors.trello.location import Locator
from connectors.trello.mapping import count_of, first_text, is_over, label_names
from connectors.trello.markup import marks
from connectors.trello.memory import GIVEN, LABELS, TURNS
from connectors.trello.people import find_people
from connectors.trello.settings import TrelloSettings
from connectors.values import Finding, Item, ItemKey, ItemKind, ProjectSpec, Severity, kind_of

_FULL = frozenset({"disabled", "maxExceeded"})
_NEAR = frozenset({"warn", "warning"})
_LABEL_LIMIT = 16384
_NAMED_AT_MOST = 8
"""How many labels are named."""
_CARDS = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)


def _writes(token: Any, now: datetime) -> bool | None:
    """Whether a token of the account is good for writing; None for one that is over, or of which nothing is told."""
    if not isinstance(token, dict) or not isinstance(granted := token.get("permissions"), list) or not granted:
        return None
    if is_over(token.get("dateExpires"), now):
        return None
    return any(isinstance(one, dict) and one.get("write") is True for one in granted)


class Checker:
    """Looks at a board and a plan's items, and reports what blocks it."""

    def __init__(self, client: TrelloClient, boards: Boards, locator: Locator, settings: TrelloSettings) -> None:
        self._client = client
        self._boards = boards
        self._locator = locator
        self._settings = settings

    def check(
        self, spec: ProjectSpec, layout: Layout | None, items: Sequence[Item], removing: Collection[ItemKind] = ()
    ) -> list[Finding]:
        """All findings; `layout` is None when the board is not there."""
        if removing:
            return list(self._removal(layout, removing)) if layout else []
        if layout is None:
            found = [*self._new_board(spec, items), *_contents(items, spec.uid)]
            stopped = any(one.severity is Severity.ERROR for one in found)
            return found if stopped else [*found, *_made_along(None, items, spec.key)]
        state = self._boards.state(layout, anew=True)
        access = list(self._access(layout, state))
        return [
            *access,
            *self._limits(layout, state, items),
            *self._people(items, set(state.members), spec.key),
            *_contents(items, layout.uid),
            *([] if access else _made_along(state, items, layout.key)),  # nothing is made where one may not write
            *_known_lists(layout, state),
            *_named_labels(layout, state),
        ]

    def access(self) -> list[Finding]:
        """What the token may not do, whatever the board; and that the workspace of new boards is not there."""
        found = list(self._may_write("write", self._client.host))
        stopped = any(one.severity is Severity.ERROR for one in found)
        return found if stopped else [*found, *self._no_workspace()]

    # --- a board to be made ---

    def _new_board(self, spec: ProjectSpec, items: Sequence[Item]) -> Iterable[Finding]:
        if not spec.create and self._locator.is_closed(spec):
            yield _board_closed(spec.key)
            return
        if not spec.create:
            yield Finding(
                Severity.ERROR,
                "project-not-visible",
                f"There is no board {spec.key!r} that the connection's account can see.",
                "Check the board's name, or name it by the eight characters in its address after /b/; or have the"
                " account made a member of it; or let phaseloop create the board.",
                spec.key,
            )
            return
        if (board := self._locator.board(spec.key)) is not None:
            yield Finding(
                Severity.ERROR,
                "project-key-taken",
                f"There is a board {spec.key!r} already: {board.get('url')}.",
                "Plan it under another key, or build on that board.",
                spec.key,
            )
            return
        if not 1 <= len(spec.name.strip() or spec.key) <= TITLE_LIMIT:
            message = f"A board's name has 1 to {TITLE_LIMIT} characters; this one has {len(spec.name)}."
            yield Finding(Severity.ERROR, "project-name-length", message, "Choose another name.", spec.key)
        yield from self._workspace(spec)
        yield from self._people(items, {self._locator.surroundings().me.id}, spec.key)

    def _no_workspace(self) -> Iterable[Finding]:
        """That the account is not in the workspace that the settings name, with those that it is in."""
        name = self._settings.workspace
        if not name or self._locator.surroundings().workspace(name) is not None:
            return
        there = ", ".join(str(one.get("name")) for one in self._locator.surroundings().workspaces)
        yield Finding(
            Severity.ERROR,
            "workspace-not-visible",
            f"The connection's account is in no workspace {name!r}.",
            "Check the workspace in the connection's settings, or have the account let in there."
            + (f" It is in: {there}." if there else ""),
            name,
        )

    def _workspace(self, spec: ProjectSpec) -> Iterable[Finding]:
        """The workspace that the board would be made in, and its caps on boards and people where it is a free one."""
        name = self._settings.workspace
        if not name:
            return
        workspace = self._locator.surroundings().workspace(name)
        if workspace is None:
            yield from self._no_workspace()
            return
        limits = workspace.get("limits")
        caps = limits if isinstance(limits, dict) else {}
        boards, people = _at(caps, "orgs.freeBoardsPerOrg"), _at(caps, "orgs.usersPerFreeOrg")  # of free ones only
        if boards.get("status") in _FULL or _room(boards) == 0:
            yield Finding(
                Severity.ERROR,
                "workspace-full",
                f"The free workspace {name!r} has all the boards it may have ({boards.get('disableAt', 'its cap')}).",
                f"Close a board there, choose another workspace, or build {spec.key} on a board that exists.",
                name,
            )
        if self._settings.invite and (people.get("status") in _FULL or _room(people) == 0):
            yield Finding(
                Severity.ERROR,
                "workspace-people-full",
                f"The free workspace {name!r} has all the people it may have ({people.get('disableAt', 'its cap')});"
                " nobody else can be invited.",
                "Take somebody out of it, or choose another workspace.",
                name,
            )

    # --- a board that is there ---

    def _access(self, layout: Layout, state: State) -> Iterable[Finding]:
        if state.values.get("closed") is True:
            yield _board_closed(layout.key)
        mine = state.members.get(self._locator.surroundings().me.id)
        if mine is None or mine.get("deactivated") is True or mine.get("memberType") == "observer":
            what = "is not a member of" if mine is None else "may only look at"
            yield Finding(
                Severity.ERROR,
                "permission-missing",
                f"The connection's account {what} the board {layout.key}.",
                f"Have an admin of {layout.key} make that account a normal member.",
                layout.key,
            )

    def _removal(self, layout: Layout, kinds: Collection[ItemKind]) -> Iterable[Finding]:
        """What prevents removing things of these kinds. A closed board counts as removed, but what
        stands on it cannot be. Members may delete what is on a board; only its admins may close it."""
        state = self._boards.state(layout, anew=True)
        if state.values.get("closed") is True and set(kinds) <= {ItemKind.PROJECT}:
            return
        stops = list(self._access(layout, state))
        if not stops:
            rights = self._may_write(f"remove anything from the board {layout.key}", layout.key)
            stops = [one for one in rights if one.severity is Severity.ERROR]
        yield from stops
        mine = state.members.get(self._locator.surroundings().me.id)
        if ItemKind.PROJECT in kinds and not stops and mine and mine.get("memberType") != "admin":
            yield Finding(
                Severity.ERROR,
                "permission-missing",
                f"The connection's account may not close the board {layout.key}: only its admins may.",
                f"Have an admin of {layout.key} make that account one, or close the board in Trello.",
                layout.key,
            )

    def _may_write(self, what: str, subject: str) -> Iterable[Finding]:
        """Whether the token has the scope to write. Trello tells of a token only to who puts it into an address, where
        it does not belong, and of all tokens of an account without saying which is which: so there is an answer where
        they agree. Nothing is sent that could be taken for a write."""
        try:
            tokens = self._client.get_list("members/me/tokens")
        except CredentialsRefused:
            raise
        except (TrackerRefused, NotATracker):
            tokens = []
        rights = {may_write for one in tokens if (may_write := _writes(one, utc_now())) is not None}
        if rights == {False}:
            yield Finding(
                Severity.ERROR,
                "permission-missing",
                f"The connection's token may not {what}: it is for reading only.",
                "Make a token with the scopes read and write, and store it in the connection.",
                subject,
            )
        elif rights != {True}:
            several = "the account has tokens for reading only beside others" if rights else "Trello does not tell"
            yield Finding(
                Severity.INFO,
                "permission-unclear",
                f"Only a write tells whether the connection's token may {what}: {several}.",
                "If a run is refused, make a token with the scopes read and write, and store it in the connection."
                " Revoking the tokens that nobody needs any more makes this clear.",
                subject,
            )

    def _limits(self, layout: Layout, state: State, items: Sequence[Item]) -> Iterable[Finding]:
        limits = state.values.get("limits")
        if not isinstance(limits, dict):
            return
        wanted = [item for item in items if item.kind in _CARDS]
        if not wanted:
            return
        cards = self._cards(layout)
        there = {card["mark"] for card in cards}
        new = [item for item in wanted if (layout.uid, item.key) not in there]
        tickets = [item for item in new if item.kind is ItemKind.TICKET]
        labels = {name for item in new for name in label_names(item)}
        labels |= {item.title for item in new if item.kind is ItemKind.ITERATION}
        lists = sum(role not in state.lists for role in state.columns.own) if new else 0
        open_lists = sum(1 for one in state.values.get("lists") or () if one.get("closed") is not True)
        for limit, standing, needed, what in (
            ("lists.openPerBoard", open_lists, lists, "lists"),
            ("labels.perBoard", len(state.label_names), len(labels - state.labels.keys()), "labels"),
            ("cards.openPerBoard", sum(not card["closed"] for card in cards), len(new), "open cards"),
            ("cards.totalPerBoard", len(cards), len(new), "cards"),
            (
                "attachments.perBoard",
                sum(card["attachments"] for card in cards),
                sum(item.epic is not None for item in tickets),
                "attachments",
            ),
            (
                "checklists.perBoard",
                sum(card["checklists"] for card in cards),
                sum(bool(item.checklist) for item in tickets),
                "checklists",
            ),
        ):
            yield from _limit(layout.key, _at(limits, limit), standing, needed, what)
        lines = max((len(item.checklist) for item in tickets), default=0)
        most = _at(limits, "checkItems.perChecklist").get("disableAt")
        if isinstance(most, int) and lines > most:
            message = f"A checklist of the plan has {counted(lines, 'line')}; Trello takes {most}."
            yield Finding(Severity.ERROR, "checklist-too-long", message, "Shorten it in the template.", layout.key)

    def _cards(self, layout: Layout) -> list[dict[str, Any]]:
        """What counts of the cards that are there: the item that each is, and how much hangs on it. One request."""
        path = f"boards/{segment(layout.board_id)}/cards/all"
        answer = self._client.get_list(path, {"fields": "desc,closed,idChecklists,badges"})
        return [
            {
                "mark": marks(str(card.get("desc") or "")),
                "closed": card.get("closed") is True,
                "checklists": len(card.get("idChecklists") or ()),
                "attachments": count_of(card.get("badges"), "attachments"),
            }
            for card in answer
            if isinstance(card, dict)
        ]

    def _people(self, items: Sequence[Item], members: set[str], key: str) -> Iterable[Finding]:
        missing = {item.assignee: item.title for item in items if item.assignee and item.assignee not in members}
        if not missing:
            return
        count = f"{len(missing)} {'person' if len(missing) == 1 else 'people'} with work in this plan"
        verb = "is" if len(missing) == 1 else "are"
        if self._settings.invite:
            message = f"{count} {verb} not on the board {key} yet and will be invited to it."
            yield Finding(Severity.INFO, "members-to-invite", message, subject=key)
            return
        account, title = next(iter(missing.items()))
        found = find_people(self._client, None, [account], invites=False).get(account)
        who = f"{found.name}, with" if found is not None else "that of"
        first = who if len(missing) == 1 else f"the first is {who}"
        yield Finding(
            Severity.ERROR,
            "member-missing",
            f'{count} {verb} not on the board {key} ({first} "{title}"); only members can be given cards.',
            f"Invite them to {key} in Trello, or set `invite` in the connection to have phaseloop do it.",
            key,
        )


def _board_closed(key: str) -> Finding:
    return Finding(
        Severity.ERROR,
        "board-closed",
        f"The board {key} is closed.",
        "Open it again in Trello (Boards, View closed boards), or use another one.",
        key,
    )


def _named_labels(layout: Layout, state: State) -> Iterable[Finding]:
    """The labels of iterations that people call otherwise than we did."""
    turns = set(state.ids.of(TURNS).values())
    for label, given in state.ids.of(GIVEN).items():
        name = state.shown_labels.get(label)
        if label in turns and name is not None and name != given:
            yield Finding(
                Severity.INFO,
                "label-renamed",
                f'The label that phaseloop called "{given}" is called "{name}" now. It still says which tickets are'
                " in its iteration, and keeps that name also when the iteration is named anew.",
                f'Call it "{given}" again if it is to follow the name of its iteration.',
                layout.key,
            )


def _made_along(state: State | None, items: Sequence[Item], board: str) -> Iterable[Finding]:
    """What is made besides the cards, because they stand in it or carry it: lists and labels that the board lacks and
    that were never made there. `state` is None for a board to be made."""
    cards = [item for item in items if kind_of(item.key) in _CARDS]
    made = set(state.ids.of(LABELS)) if state else set()
    labels = sorted(
        {name for item in cards for name in label_names(item)} - made - (state.labels.keys() if state else set())
    )
    turns = [] if made else [item for item in cards if kind_of(item.key) is ItemKind.ITERATION]
    lists = [role.value for role in (state.missing if state else ListRole)]
    said = []
    if cards and lists:
        said.append(f"the {'list' if len(lists) == 1 else 'lists'} {', '.join(lists)}")
    if labels:
        more = len(labels) - _NAMED_AT_MOST
        named = ", ".join(f'"{name}"' for name in labels[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        said.append(f"{counted(len(labels), 'label')} ({named})")
    if turns:
        said.append("a label for each iteration")
    if said:
        message = f"Besides the cards, the board {board!r} gets {', and '.join(said)}."
        yield Finding(Severity.INFO, "made-along", message, "", board)


def _known_lists(layout: Layout, state: State) -> Iterable[Finding]:
    """What became of the lists that are known by their ids, and that nobody chose."""
    for role, one in state.columns.entries.items():
        if one.found in (Found.CONVENTION, Found.OWN) and one.id and role_of(one.name) is not role:
            message = f"The list {one.name!r} of {layout.key} is the one that is used as {role}: it was renamed."
            fix = "Nothing needs to be done: it is known by its id, and means what it did."
            yield Finding(Severity.INFO, "list-renamed", message, fix, one.name)
    for role, identity in state.columns.lost.items():
        was = f"archived ({state.list_names[identity]!r})" if identity in state.list_names else "deleted or moved away"
        instead = state.lists.get(role)
        then = f"the list {state.list_names[instead]!r} is used" if instead else f"a new list {role.value!r} is made"
        yield Finding(
            Severity.WARNING,
            "list-gone",
            f"The list that was used as {role} on the board {layout.key} was {was}; {then} instead of it.",
            "Put it back in Trello if that was a mistake; what stands in an archived list keeps its status.",
            role.value,
        )


def _at(limits: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A limit by the vendor's name for it, empty where it is not told."""
    group, _, limit = name.partition(".")
    part = limits.get(group)
    found = part.get(limit) if isinstance(part, dict) else None
    return found if isinstance(found, dict) else {}


def _room(limit: Mapping[str, Any], standing: int | None = None) -> int | None:
    """How many more there may be; None where nobody says how many there are. Trello's own count wins over ours."""
    most, count = limit.get("disableAt"), limit.get("count", standing)
    return max(0, most - count) if isinstance(most, int) and isinstance(count, int) else None


def _limit(key: str, limit: Mapping[str, Any], standing: int, needed: int, what: str) -> Iterable[Finding]:
    if not needed:
        return
    room = _room(limit, standing)
    if limit.get("status") in _FULL or (room is not None and needed > room):
        left = "no more" if limit.get("status") in _FULL else f"{room} more"
        yield Finding(
            Severity.ERROR,
            "board-full",
            f"The plan needs {needed} {what} on the board {key}, which takes {left}.",
            f"Delete {what} that nobody uses, or build on a new board.",
            key,
        )
    elif limit.get("status") in _NEAR:
        message = f"The board {key} is close to the limit of {what} that Trello sets."
        yield Finding(Severity.WARNING, "board-nearly-full", message, "Think of a new board soon.", key)


def _contents(items: Sequence[Item], uid: str) -> Iterable[Finding]:
    seen: dict[str, ItemKey] = {}
    for item in items:
        if item.kind not in _CARDS:
            continue
        length = len(item.title.strip())
        if length > TITLE_LIMIT:
            message = f"The title of {item.key} has {length} characters; Trello takes {TITLE_LIMIT}."
            yield Finding(Severity.ERROR, "title-too-long", message, "Shorten the title.", item.key)
        elif not length or "\n" in item.title:
            message = "Its title is empty." if not length else f"{item.title!r} has more than one line."
            yield Finding(Severity.ERROR, "title-invalid", message, "Give it a title of one line.", item.key)
        text, comments = first_text(uid, item)
        if comments or (kind_of(item.key) is ItemKind.EPIC and len(item.text) > len(text)):
            message = f"The text of {item.key} is longer than the description of a card."
            fix = "Its end goes into comments on the card." if comments else "It is cut with a note; shorten it."
            yield Finding(Severity.WARNING, "text-cut", message, fix, item.key)
        for label in item.labels:
            seen.setdefault(label, item.key)
    for label, subject in seen.items():
        if not label or any(c.isspace() for c in label) or len(label) > _LABEL_LIMIT:
            message = f"{label!r} cannot be a label."
            fix = f"Use 1 to {_LABEL_LIMIT} characters without spaces."
            yield Finding(Severity.ERROR, "label-invalid", message, fix, subject)
