"""The Trello connector: the port's promises, kept by the client and the mapping.

Not safe to share between threads: one object for one step of a run at a time (inside, several calls are under way at
once). Objects of the same connection share only their pacing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from connectors.calls import Permit, permitted
from connectors.mapped import Kept, Mapped
from connectors.network import Network
from connectors.records import Document, Fill, Filled, Survey
from connectors.trello.board import Boards
from connectors.trello.checks import Checker
from connectors.trello.client import TrelloClient, within
from connectors.trello.columns import columns_of
from connectors.trello.debt_survey import Surveyor
from connectors.trello.duplicates import Reconciler
from connectors.trello.layout import CAPABILITIES, Layout
from connectors.trello.location import Locator
from connectors.trello.mapping import written_as
from connectors.trello.notes import Noter
from connectors.trello.people import find_people
from connectors.trello.reads import Reader
from connectors.trello.records import Recorder
from connectors.trello.removal import Remover
from connectors.trello.service import TIMEOUT
from connectors.trello.settings import TrelloSettings
from connectors.trello.traces import Tracer
from connectors.trello.transitions import Turner
from connectors.trello.writes import Writer
from connectors.values import (
    Account,
    Capabilities,
    Content,
    Creation,
    Double,
    Fields,
    Finding,
    Identity,
    Item,
    ItemKey,
    ItemKind,
    Link,
    Memory,
    ObservedItem,
    Outcome,
    Place,
    ProjectSpec,
    RemoteRef,
    Traces,
    Usage,
)


class TrelloTracker:
    """A `Tracker` for one Trello account. Each request may wait for Trello up to 45 seconds in all."""

    def __init__(self, settings: TrelloSettings, client: TrelloClient) -> None:
        self._client = client
        self._invites = settings.invite
        self._boards = Boards(client)
        self._locator = Locator(client, settings)
        self._checker = Checker(client, self._boards, self._locator, settings)
        self._reader = Reader(self._boards)
        self._writer = Writer(client, self._boards, invites=settings.invite)
        self._tracer = Tracer(client, self._boards)
        self._remover = Remover(client, self._boards)
        self._reconciler = Reconciler(client, self._boards, self._tracer, lambda: self._locator.surroundings().me.id)
        self._turner = Turner(client, self._boards)
        self._recorder = Recorder(client, self._boards)
        self._surveyor = Surveyor(self._locator, self._boards, self._recorder)
        self._noter = Noter(client, lambda: self._locator.surroundings().me.id)

    @classmethod
    def connect(
        cls,
        settings: TrelloSettings,
        timeout: float | None = None,
        permit: Permit = permitted,
        network: Network | None = None,
    ) -> TrelloTracker:
        """A tracker for these settings, which waits so many seconds for an answer and asks `permit` before each write;
        nothing is sent yet."""
        waits = TIMEOUT if timeout is None else within(timeout)
        return cls(settings, TrelloClient(settings, timeout=waits, permit=permit, network=network))

    def __repr__(self) -> str:
        return f"TrelloTracker({self._client.host})"

    @property
    def usage(self) -> Usage:
        """See `Tracker.usage`."""
        return self._client.usage

    def whoami(self) -> Account:
        """See `Tracker.whoami`. One request, none if it was asked where we are before."""
        return self._locator.surroundings().me

    def access(self) -> list[Finding]:
        """See `Tracker.access`. One read."""
        return self._checker.access()

    @property
    def found_settings(self) -> Mapping[str, str]:
        """See `Tracker.found_settings`: there is nothing to find out."""
        return {}

    def assumed(self, spec: ProjectSpec) -> Capabilities:
        """See `Tracker.assumed`."""
        return CAPABILITIES

    def identify(self, spec: ProjectSpec) -> Identity:
        """See `Tracker.identify`. One request; one more for a board of which this account is no member."""
        with self._client.hurried():
            return self._locator.identify(spec)

    def remember(self, kept: Kept) -> None:
        """See `Tracker.remember`."""
        here = sorted(of for of in kept if of[0] in ("", self._locator.site))
        self._boards.remember({of[1]: kept[of] for of in here})

    def mapped(self, place: Place) -> tuple[Mapped, ...]:
        """See `Tracker.mapped`. One request, none if the board was read before."""
        return self._boards.mapping(_layout(place))

    def learned(self, place: Place) -> Memory:
        """See `Tracker.learned`: labels by our names, an iteration's label by its card, what further lists are for."""
        return self._boards.learned(_layout(place))

    def locate(self, spec: ProjectSpec) -> Place | None:
        """See `Tracker.locate`. Two requests; the key is a board's id, short link, name, or the key it was made for."""
        place = self._locator.locate(spec)
        if place is None:
            return None
        return _with(place, *self._boards.resolved(_layout(place)))

    def create_project(self, spec: ProjectSpec) -> Place:
        """See `Tracker.create_project`. The board is empty; lists and labels come with the first cards."""
        place = self._locator.create(spec)
        columns = columns_of((), {}, ours=True)
        layout = _layout(place).model_copy(update={"choices": columns.choices()})
        return _with(place, layout, columns.mapping)

    def check(
        self, spec: ProjectSpec, place: Place | None, items: Sequence[Item], removing: Collection[ItemKind] = ()
    ) -> list[Finding]:
        """See `Tracker.check`. Up to four requests."""
        return self._checker.check(spec, _layout(place) if place else None, items, removing)

    def people(self, place: Place | None, handles: Collection[str]) -> Mapping[str, Account]:
        """See `Tracker.people`. A handle is an e-mail address, `@username` or a member id."""
        board = _layout(place).board_id if place else None
        return find_people(self._client, board, handles, invites=self._invites)

    def find(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey] | None = None
    ) -> Mapping[ItemKey, ObservedItem]:
        """See `Tracker.find`. A request for each thousand cards of the board, archived ones too; they are `done`."""
        return self._reader.find(_layout(place), known, only)

    def elsewhere(self, place: Place, missing: Mapping[ItemKey, RemoteRef]) -> Mapping[ItemKey, RemoteRef]:
        """See `Tracker.elsewhere`. A request for each ten."""
        return self._reader.elsewhere(_layout(place), missing)

    def watermark(self, place: Place) -> str:
        """See `Tracker.watermark`. A moment by this machine's clock, and no request. It serves for lists and labels:
        items are found by their marker alone."""
        return self._reader.watermark()

    def watermark_after(self, since: str, made: Sequence[tuple[ItemKey, RemoteRef]]) -> str:
        """See `Tracker.watermark_after`. The mark stays: it serves for lists and labels of the whole run."""
        return since

    def recover(
        self, place: Place, items: Collection[Item], since: str, *, widely: bool = False
    ) -> Mapping[ItemKey, RemoteRef]:
        """See `Tracker.recover`. A request for each thousand cards of the board, and one for the board if it was not
        read yet; no index is needed, so `widely` adds nothing. Lists and labels that were made along since the mark
        by a call that did not live to tell are told by `made_along`."""
        return self._reader.recover(_layout(place), items, since)

    def create(self, place: Place, creations: Sequence[Creation]) -> list[Outcome]:
        """See `Tracker.create`. One request a card, ten at a time; two an iteration; one for each new list or label.
        Checklists come by copying where a card of the board has the same, else with `finish`."""
        return self._writer.create(_layout(place), creations)

    def finish(
        self,
        place: Place,
        items: Sequence[tuple[Item, RemoteRef]],
        going: Mapping[ItemKey, Sequence[str]] | None = None,
    ) -> list[Outcome]:
        """See `Tracker.finish`. One reading of the board; a request for each checklist and line, or for each copy."""
        return self._writer.finish(_layout(place), items, going)

    def reconcile(self, place: Place, items: Sequence[tuple[Item, RemoteRef]], since: str) -> list[Double]:
        """See `Tracker.reconcile`. One reading of the board and of its cards; four requests for each card that is there
        twice, and one for everything that is removed."""
        return self._reconciler.reconcile(_layout(place), items, since)

    def mark(self, place: Place, key: ItemKey, ref: RemoteRef) -> None:
        """See `Tracker.mark`."""
        self._writer.mark(_layout(place), key, ref)

    def move(
        self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], iteration: RemoteRef | None
    ) -> list[Outcome]:
        """See `Tracker.move`. A card keeps its list, because people decide where it stands; but one that is not begun
        goes from Backlog into Iteration with an open iteration, and back with none. One reading of the board;
        up to three requests a card: its labels are put on and taken off one by one."""
        return self._writer.move(_layout(place), items, iteration)

    def link(self, place: Place, link: Link) -> None:
        """Never called: `capabilities.links` says that there are none; what a ticket waits for is in its text."""
        raise _no_links(place, link)

    def unlink(self, place: Place, link: Link) -> None:
        """Never called, as `link` is not."""
        raise _no_links(place, link)

    def written_as(self, place: Place, item: Item) -> Fields:
        """See `Tracker.written_as`."""
        return written_as(_layout(place).uid, item)

    def update(
        self,
        place: Place,
        kind: ItemKind,
        ref: RemoteRef,
        item: Item,
        changed: Collection[str],
        epic: RemoteRef | None,
        shown: Fields | None = None,
        known: Mapping[ItemKey, RemoteRef] = MappingProxyType({}),
    ) -> None:
        """See `Tracker.update`. A read of the card right before its labels or people change, and a request for each
        label."""
        if kind in {ItemKind.PROJECT, ItemKind.LINK} or kind is not item.kind:
            raise ValueError(f"an item of kind {item.kind} cannot be updated as {kind}")
        if kind is ItemKind.GUEST:
            raise ValueError(f"{item.key} is people's own: it is moved, and never written")
        self._writer.update(_layout(place), ref, item, changed, epic, shown, known)

    def start_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.start_iteration`. Two requests to read the board; one for each ticket that stands in Backlog,
        ten at a time, and one for the iteration's card: they go into Iteration."""
        self._turner.start(_layout(place), item, ref)

    def close_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.close_iteration`. Two requests to read the board; one for each ticket that still stands
        in Iteration, ten at a time, and one for the iteration's card: they go to Backlog, and to Done."""
        self._turner.close(_layout(place), item, ref)

    def set_status(self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], status: str) -> list[Outcome]:
        """See `Tracker.set_status`. Two requests to read the board; one for each card, ten at a time. A card that is
        archived or ticked as done stays as it is."""
        return self._turner.set_status(_layout(place), items, status)

    def contents(
        self,
        place: Place,
        known: Mapping[ItemKey, RemoteRef],
        iterations: Mapping[ItemKey, RemoteRef],
        labels: Mapping[ItemKey, str],
    ) -> Mapping[ItemKey, Sequence[Content]]:
        """See `Tracker.contents`. One request for the board, one for its members, one for each thousand of its cards,
        and of what happened on it since the oldest of the tickets was made. An iteration whose card has no label has no
        entry either."""
        return self._turner.contents(_layout(place), known, iterations)

    def made_along(self) -> Mapping[ItemKey, RemoteRef]:
        """See `Tracker.made_along`. Lists and labels; a label that says who is in an iteration is part of that."""
        return self._boards.made_along()

    def traces(
        self,
        place: Place,
        known: Mapping[ItemKey, RemoteRef],
        only: Collection[ItemKey],
        own: Collection[str] = (),
    ) -> Mapping[ItemKey, Traces]:
        """See `Tracker.traces`. One request for the board, one for each thousand of its cards and of what happened on
        it since the oldest of these items was made. Lines that people added to a checklist show in `find`."""
        return self._tracer.traces(_layout(place), known, only, own)

    def delete(self, place: Place, kind: ItemKind, items: Sequence[tuple[ItemKey, RemoteRef]]) -> list[Outcome]:
        """See `Tracker.delete`. One request an item, ten at a time; two an iteration. Cards are gone for good, lists
        are archived and boards closed. The board and its cards are read for iterations, lists and labels."""
        return self._remover.delete(_layout(place), kind, items)

    def named(self, place: Place, kind: ItemKind, names: Collection[str]) -> Mapping[str, RemoteRef]:
        """See `Tracker.named`. One reading of the board; the key is a card's short link."""
        return self._reader.named(_layout(place), kind, names)

    def documents(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], whole: Collection[ItemKey]
    ) -> Mapping[ItemKey, Document]:
        """See `Tracker.documents`. One request for the board, one for each thousand of its cards and of what happened
        on it since the oldest of the tickets was made; one for each ticket that was on another board before."""
        return self._recorder.documents(_layout(place), known, whole)

    def survey(self, spec: ProjectSpec) -> Survey | None:
        """See `Tracker.survey`. Two requests to find the board and read it, one for each thousand of its cards and of
        what happened on it; one more if the account is no member. Iterations are what people call so."""
        return self._surveyor.survey(spec)

    def comment(self, place: Place, ref: RemoteRef, text: str, mentions: Sequence[str] = ()) -> str:
        """See `Tracker.comment`. One request for each thousand comments of the card, one for the board's members if
        somebody is addressed, one to write, and once one to learn who we are."""
        return self._noter.comment(_layout(place), ref, text, mentions)

    def fill(self, place: Place, ref: RemoteRef, fills: Sequence[Fill]) -> Filled:
        """See `Tracker.fill`. One request to read and one to write; where the text continues in comments, one more to
        read these and one for each that changes."""
        return self._noter.fill(ref, fills)

    def close(self) -> None:
        """See `Tracker.close`."""
        self._client.close()


def _no_links(place: Place, link: Link) -> ValueError:
    return ValueError(f"Trello has no links between tickets: {link.key} of {place.ref.key}")


def _layout(place: Place) -> Layout:
    return Layout.model_validate({**place.facts, "memory": place.memory})


def _with(place: Place, layout: Layout, mapping: tuple[Mapped, ...]) -> Place:
    return replace(place, facts=layout.model_dump(mode="json", exclude={"memory"}), mapping=mapping)
