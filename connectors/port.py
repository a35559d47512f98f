"""The port: what a tracker is, in domain words, with the contract every connector keeps.

A tracker is where planned work becomes visible to the people who do it. The service speaks to every tracker
through `Tracker` and the frozen values in `connectors.values`; account names, issue types, `customfield_…` and
transition ids never leave a connector. Nobody asks for a tracker's name: what it cannot do is said by its
`Capabilities`.

Calls are synchronous (both client libraries block); they are made from worker threads and durable steps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from connectors.mapped import Kept, Mapped
from connectors.records import Document, Fill, Filled, Survey
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


class Tracker(Protocol):
    """Where planned work becomes visible to the people who do it.

    Every method may raise `TrackerUnavailable` (nothing was written, wait), `CredentialsRefused`,
    `PermissionMissing`, `NotVisible`, `NotATracker`. A method that writes may also raise `OutcomeUnknown`: then
    look with `recover` before writing again. Nothing is retried inside a connector once a write may have happened.
    """

    @property
    def usage(self) -> Usage:
        """Requests sent so far by this object."""
        ...

    def whoami(self) -> Account:
        """The account that this connection acts as."""
        ...

    def access(self) -> list[Finding]:
        """What the connection's credential itself may not do, whatever the account's permissions are: the scopes that
        it lacks, as far as reading tells. Sends reads only. Raises CredentialsRefused where it is not accepted."""
        ...

    @property
    def found_settings(self) -> Mapping[str, str]:
        """Settings of the connection that were found out by using it and spare the next tracker finding them out; by
        name, empty if there are none. No I/O."""
        ...

    def assumed(self, spec: ProjectSpec) -> Capabilities:
        """What a project made by `create_project` is expected to be able to do. No I/O."""
        ...

    def identify(self, spec: ProjectSpec) -> Identity:
        """Which project `spec.key` means, in whatever way people name one: key, id, name, address; with `spec.id`, how
        that one is called now. One to three requests, and no waiting: `TrackerUnavailable` comes at once."""
        ...

    def remember(self, kept: Kept) -> None:
        """From now on, what was chosen for projects, in place of what was remembered before: `locate` keeps to it. No
        I/O."""
        ...

    def mapped(self, place: Place) -> tuple[Mapped, ...]:
        """What stands for what in a project now, with what was made in it since it was located (a list of our own).
        What was read for other calls is not read again: one request at most."""
        ...

    def locate(self, spec: ProjectSpec) -> Place | None:
        """Read the project, what it can do and what stands for what in it: the one with `spec.id`, wherever its key and
        name have gone; without that, the one that `spec.key` means. None if there is none that this account can see.
        What is not clear is in the place's `mapping`; nothing may be written then that needs it (`Mapped.blocks`)."""
        ...

    def learned(self, place: Place) -> Memory:
        """By which ids calls since the last asking have come to know what is the project's own and nobody chooses
        (labels, what a further list is for), to be kept and handed back with `ProjectSpec.memory` and `Place.memory`:
        entries that are new or changed, None for one that is no more. Asking takes them out. No I/O."""
        ...

    def create_project(self, spec: ProjectSpec) -> Place:
        """Create the project with its board. Not repeatable: on `OutcomeUnknown`, `locate` tells."""
        ...

    def check(
        self, spec: ProjectSpec, place: Place | None, items: Sequence[Item], removing: Collection[ItemKind] = ()
    ) -> list[Finding]:
        """Report everything that would be refused, without writing: permissions by name and project, required fields
        that nobody fills, limits. `place` is None when the project is still to be created. Without items it is a person
        who asks for a check of the connection: then whatever blocks the usual items is reported, and
        what only a request that is refused in any case can show (a token for reading only). With `removing`, only
        what blocks `delete` for these kinds is reported."""
        ...

    def people(self, place: Place | None, handles: Collection[str]) -> Mapping[str, Account]:
        """Find accounts by e-mail or account id; a handle nobody answers to is missing from the result.
        With a place, `assignable` says whether the person can be assigned there."""
        ...

    def find(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey] | None = None
    ) -> Mapping[ItemKey, ObservedItem]:
        """Read the `known` items by their references (strongly consistent; one that is gone, or was moved to another
        project, is missing from the result) and any further item that carries this project's marker (as fresh as the
        tracker's index).

        With `only`, just these of the known items are read and no others are looked for; `known` then still serves to
        name their epics and iterations. Requests: O(items read / read_batch), never one for each item.
        """
        ...

    def elsewhere(self, place: Place, missing: Mapping[ItemKey, RemoteRef]) -> Mapping[ItemKey, RemoteRef]:
        """Of epics and tickets that `find` did not see: those that people moved to another project, with what they are
        known by there. One that is gone, or that this account does not see there, is missing from the result.
        Requests: O(missing / 10)."""
        ...

    def watermark(self, place: Place) -> str:
        """A place in the tracker's order of creation, to be taken before a create and given to `recover` after its
        answer was lost. Opaque; safe to store."""
        ...

    def watermark_after(self, since: str, made: Sequence[tuple[ItemKey, RemoteRef]]) -> str:
        """The mark moved on past these items, whose creation was just answered: what is created from now on comes after
        it, so that a later `recover` has little to read. No I/O."""
        ...

    def recover(
        self, place: Place, items: Collection[Item], since: str, *, widely: bool = False
    ) -> Mapping[ItemKey, RemoteRef]:
        """Which of these items were created after `since`: one look, found by their markers with strongly consistent
        reads; an iteration that was not marked yet, by its title and dates. An item missing from the result does not
        exist now; whether the tracker is still working on a call is for the caller to wait out. An empty `since` looks
        through the whole project. `widely` also asks the search index, for callers who know that it has caught up.

        Requests: one for each page read, one more with `widely`, and one for each unknown iteration; where something is
        missing and the tracker makes columns and labels along with items, one more for what there is of these now."""
        ...

    def create(self, place: Place, creations: Sequence[Creation]) -> list[Outcome]:
        """Create items of one kind, at most `capabilities.create_batch`, with marker, epic, assignee, labels, estimate
        and priority (where the project has one of that name) in the same call. One outcome for each, in order; a
        refusal of one does not touch the others."""
        ...

    def finish(
        self,
        place: Place,
        items: Sequence[tuple[Item, RemoteRef]],
        going: Mapping[ItemKey, Sequence[str]] | None = None,
    ) -> list[Outcome]:
        """Write what the create calls of these tickets could not carry, at most `capabilities.create_batch` of them:
        checklists, and the rest of texts that are too long. Repeatable: it looks at what is there, adds what is
        missing, and doubles nothing. Of a checklist it takes away only the lines that are `going`, each as often as it
        is named there and not wanted, and none that somebody ticked or that is somebody's or due (`Done.kept`).
        Without effect where a create call carries everything."""
        ...

    def reconcile(self, place: Place, items: Sequence[tuple[Item, RemoteRef]], since: str) -> list[Double]:
        """Find what calls that arrived late made a second time of these items since the mark (as of `recover`), and of
        what they stand on: removed where this account made it and nobody touched it, else left with the reasons.
        Repeatable. What people made or copied before the mark is not looked at."""
        ...

    def mark(self, place: Place, key: ItemKey, ref: RemoteRef) -> None:
        """Write the marker of an item whose create call could not carry it. Repeatable."""
        ...

    def move(
        self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], iteration: RemoteRef | None
    ) -> list[Outcome]:
        """Put tickets into an iteration, or (None) out of every one, at most `capabilities.move_batch`. Repeatable. One
        that the tracker refuses to move, or that is gone, is `Rejected`; so are all where the iteration is gone or
        closed."""
        ...

    def link(self, place: Place, link: Link) -> None:
        """Record that `source` waits for `target`. Repeatable: a link that exists is success."""
        ...

    def written_as(self, place: Place, item: Item) -> Fields:
        """The fields of an item that `find` shows in another form than they are written in, as it shows them right
        after they were written; as near as can be told. No I/O."""
        ...

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
        """Write the `changed` fields of `item` (names as in `Item.fields`, `iteration` excluded: that is `move`) and no
        other. Repeatable. Raises `ItemRejected`, or another `TrackerRefused` that is about this item. With the title of
        an iteration that holds nothing any more comes what says which tickets are in it (see `ObservedItem.holds`).

        Labels are written as a difference, one by one: those of the item are put on, and of those that the item had as
        `shown` (what `find` just said of it; read here where it is not given) those that it is not to have are taken
        off. A label that somebody puts on meanwhile stays.

        `known` are the project's items, as for `find`. Where tickets have their iteration's dates, those of them that
        are in it get its new ones with it, people's own never; and an epic that a ticket leaves is known by its
        reference."""
        ...

    def start_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        """Begin an iteration. `item` has its dates, which the tracker may need: they are written only where it has
        none. Repeatable: one that is active already is success. Other iterations stay as they are. Where the tracker
        keeps what is worked on apart from what is planned, the iteration's tickets that still stand with the planned
        ones are brought there.

        Raises TrackerRefused, whose message names what blocks it (another active iteration by its title, the
        permission) and whose fix says who can fix it; NotVisible if the iteration is gone. Never called where
        `capabilities.iterations` is off. The requests it takes are in the connector's reference."""
        ...

    def close_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        """End an iteration. Repeatable: one that is closed already is success. What is not done should have been moved
        before: trackers put it where they like. Done tickets stay in it.

        Raises TrackerRefused, NotVisible as `start_iteration` does; TrackerRefused too if it was never active."""
        ...

    def set_status(self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], status: str) -> list[Outcome]:
        """Have these tickets stand as `todo`, `doing` or `done` (as in `ObservedItem.status`), at most
        `capabilities.move_batch`. Repeatable: one that stands so stays as it is. One that the tracker does not let
        there (its workflow, a permission), or that is gone, is `Rejected`, and says why; the others are brought."""
        ...

    def contents(
        self,
        place: Place,
        known: Mapping[ItemKey, RemoteRef],
        iterations: Mapping[ItemKey, RemoteRef],
        labels: Mapping[ItemKey, str],
    ) -> Mapping[ItemKey, Sequence[Content]]:
        """The tickets in these iterations now, ours and people's own; epics and iterations are none.

        `known` names ours. `iterations` are those that the tracker has; `labels` gives, where it has none
        (`capabilities.iterations` is off), the label that says that a ticket is in the iteration. One that is gone has
        no entry. A closed iteration holds what was left in it. Strongly consistent for tickets in `known`; people's own
        may be as fresh as the tracker's index. Requests: O(tickets / read_batch), never one for each ticket."""
        ...

    def made_along(self) -> Mapping[ItemKey, RemoteRef]:
        """What calls since the last asking had to make besides the items they were given, and what stays for others to
        use: columns (`column:Doing`) and labels (`label:role:ml-engineer`). Asking takes them out. No I/O."""
        ...

    def traces(
        self,
        place: Place,
        known: Mapping[ItemKey, RemoteRef],
        only: Collection[ItemKey],
        own: Collection[str] = (),
    ) -> Mapping[ItemKey, Traces]:
        """What people left on these of the `known` items; one that is gone is missing from the result. `own` are the
        ids of comments that we made (see `comment`): they are nobody's else.

        Comments, attachments, work logs, sub-tasks and moves count, and so do links, tickets of an epic, of an
        iteration, of a column, a label or the project that are not in `known`. Strongly consistent where the tracker
        can. Requests: O(items / read_batch), never one for each item."""
        ...

    def delete(self, place: Place, kind: ItemKind, items: Sequence[tuple[ItemKey, RemoteRef]]) -> list[Outcome]:
        """Remove items of one kind, at most `capabilities.create_batch`; never a `LINK` (see `unlink`). One that is
        gone already is `Done`; one the tracker refuses to remove is `Rejected`. Repeatable, so an `OutcomeUnknown` may
        be answered by calling again.

        Nothing else goes with an item: an epic's tickets and an iteration's tickets stay, and an issue that has
        sub-tasks, a label that is in use or a column that holds tickets is `Rejected`. A project goes to where the
        tracker keeps what can be restored (Jira: the trash; Trello: closed boards)."""
        ...

    def unlink(self, place: Place, link: Link) -> None:
        """Take back that `source` waits for `target`. Repeatable: a link that is gone is success."""
        ...

    def named(self, place: Place, kind: ItemKind, names: Collection[str]) -> Mapping[str, RemoteRef]:
        """Find existing epics, tickets or iterations of this project by what people call them: key (ML-12), id, web
        address, or an iteration's title. A name that nothing, or more than one thing, answers to is missing."""
        ...

    def documents(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], whole: Collection[ItemKey]
    ) -> Mapping[ItemKey, Document]:
        """These tickets as evidence, with everything on them for those that are `whole`; of the others, what takes a
        request for each ticket (Jira's remote links) is read only where the history tells that there is something. One
        that is gone is missing from the result. A part that is refused or fails for one ticket is named in its
        `unread`; a tracker that cannot be read at all raises.

        Strongly consistent. Requests: O(tickets / read_batch), and at most one more for each of the `whole` ones and
        for each page of comments beyond the first."""
        ...

    def survey(self, spec: ProjectSpec) -> Survey | None:
        """Read a project that need not be ours, by its key or address, with all its iterations and tickets; None if
        there is none that this account can see. Writes nothing.

        Requests: O(tickets / read_batch) and O(iterations / page), never one for each ticket."""
        ...

    def comment(self, place: Place, ref: RemoteRef, text: str, mentions: Sequence[str] = ()) -> str:
        """Say something on a ticket, in Markdown, addressed to these accounts so that the tracker notifies them; the
        comment's id. Repeatable: where this account has said the same on this ticket already, nothing is written, and
        the id is that one's."""
        ...

    def fill(self, place: Place, ref: RemoteRef, fills: Sequence[Fill]) -> Filled:
        """Write sections of a ticket's text where nobody wrote anything but we: a section is written if its body is
        empty or says the same as one of `former`, markup and white space aside. All else of the text stays as it is,
        to the character. The text is read right before it is written. Repeatable; writes nothing where nothing is to
        be written."""
        ...

    def close(self) -> None:
        """Release connections. The object cannot be used afterwards."""
        ...
