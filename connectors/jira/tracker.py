"""The Jira Cloud connector: the port's promises, kept by the client and the mapping.

Not safe to share between threads: one object for one step of a run at a time. Objects of the same connection share
only their pacing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from connectors.calls import Permit, permitted
from connectors.jira.checks import Checker
from connectors.jira.client import TIMEOUT, JiraClient, within
from connectors.jira.contents import Surveyor
from connectors.jira.credential import missing
from connectors.jira.debt_survey import Explorer
from connectors.jira.duplicates import Reconciler
from connectors.jira.layout import Layout, capabilities
from connectors.jira.location import Locator
from connectors.jira.lookup import Namer
from connectors.jira.mapping import written_as
from connectors.jira.notes import Notary
from connectors.jira.people import find_people
from connectors.jira.reads import Reader, watermark_after
from connectors.jira.records import Archivist
from connectors.jira.removal import Remover
from connectors.jira.settings import JiraSettings
from connectors.jira.traces import Tracer
from connectors.jira.transitions import Turner
from connectors.jira.writes import Writer
from connectors.mapped import Kept, Mapped
from connectors.network import Network
from connectors.records import Document, Fill, Filled, Survey
from connectors.values import (
    Account,
    Capabilities,
    Content,
    Creation,
    Done,
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


class JiraTracker:
    """A `Tracker` for one Jira Cloud site and account. Each call may wait for Jira up to 20 seconds in all."""

    def __init__(self, settings: JiraSettings, client: JiraClient) -> None:
        self._client = client
        self._locator = Locator(client, settings)
        self._checker = Checker(client, self._locator.server_info)
        self._reader = Reader(client)
        self._writer = Writer(client)
        self._remover = Remover(client)
        self._tracer = Tracer(client, lambda: self._locator.myself().id)
        self._reconciler = Reconciler(client, self._tracer, lambda: self._locator.myself().id)
        self._turner = Turner(client)
        self._surveyor = Surveyor(client)
        self._namer = Namer(client)
        self._archivist = Archivist(client)
        self._notary = Notary(client)
        self._explorer = Explorer(client, self._locator)

    @classmethod
    def connect(
        cls,
        settings: JiraSettings,
        timeout: float | None = None,
        permit: Permit = permitted,
        network: Network | None = None,
    ) -> JiraTracker:
        """A tracker for these settings, which waits so many seconds for an answer and asks `permit` before each write;
        nothing is sent yet. Raises NetworkMisconfigured."""
        waits = TIMEOUT if timeout is None else within(timeout)
        return cls(settings, JiraClient(settings, timeout=waits, permit=permit, network=network))

    def __repr__(self) -> str:
        return f"JiraTracker({self._client.host})"

    @property
    def usage(self) -> Usage:
        """See `Tracker.usage`."""
        return self._client.usage

    def whoami(self) -> Account:
        """See `Tracker.whoami`."""
        self._client.patience.renew()
        return self._locator.myself()

    def access(self) -> list[Finding]:
        """See `Tracker.access`. Six reads for a token with scopes, none for others."""
        self._client.patience.renew()
        return missing(self._client)

    @property
    def found_settings(self) -> Mapping[str, str]:
        """See `Tracker.found_settings`: where a token with scopes works."""
        return {"api_url": self._client.found_at} if self._client.found_at else {}

    def assumed(self, spec: ProjectSpec) -> Capabilities:
        """See `Tracker.assumed`: what the vendor's own project templates bring. Only that of Scrum has a field for
        estimates on its screens."""
        scrum = spec.method == "scrum"
        return capabilities(iterations=scrum, points=scrum, links=True, links_in_create=True)

    def identify(self, spec: ProjectSpec) -> Identity:
        """See `Tracker.identify`. A read for the project, and one for the site's cloud id and its address, once."""
        self._client.patience.exhaust()
        return self._locator.identify(spec)

    def remember(self, kept: Kept) -> None:
        """See `Tracker.remember`."""
        self._locator.remember(kept)

    def mapped(self, place: Place) -> tuple[Mapped, ...]:
        """See `Tracker.mapped`. Nothing is read: what Jira has does not come along with what is written."""
        return place.mapping

    def learned(self, place: Place) -> Memory:
        """See `Tracker.learned`. Nothing: what is not chosen, Jira's own answers tell by its id."""
        return {}

    def locate(self, spec: ProjectSpec) -> Place | None:
        """See `Tracker.locate`. About nine requests, two more for each further Scrum board."""
        self._client.patience.renew()
        return self._locator.locate(spec)

    def create_project(self, spec: ProjectSpec) -> Place:
        """See `Tracker.create_project`. The connection's account becomes the project's lead."""
        self._client.patience.renew()
        return self._locator.create(spec)

    def check(
        self, spec: ProjectSpec, place: Place | None, items: Sequence[Item], removing: Collection[ItemKind] = ()
    ) -> list[Finding]:
        """See `Tracker.check`. One or two requests, one more where the project is not to be seen."""
        self._client.patience.renew()
        layout = _layout(place) if place else None
        if removing:
            return self._checker.check_removing(spec, layout, removing)
        return self._checker.check(spec, layout, items)

    def people(self, place: Place | None, handles: Collection[str]) -> Mapping[str, Account]:
        """See `Tracker.people`."""
        self._client.patience.renew()
        return find_people(self._client, _layout(place).project_key if place else None, handles)

    def find(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey] | None = None
    ) -> Mapping[ItemKey, ObservedItem]:
        """See `Tracker.find`. Sprints are listed once; of those that are unknown and open, the ten newest are asked
        for their marker."""
        self._client.patience.renew()
        return self._reader.find(_layout(place), known, only)

    def elsewhere(self, place: Place, missing: Mapping[ItemKey, RemoteRef]) -> Mapping[ItemKey, RemoteRef]:
        """See `Tracker.elsewhere`. A request for each hundred."""
        self._client.patience.renew()
        return self._reader.elsewhere(_layout(place), missing)

    def watermark(self, place: Place) -> str:
        """See `Tracker.watermark`. Two marks can be compared as text: the lower one is the earlier."""
        self._client.patience.renew()
        return self._reader.watermark(_layout(place))

    def watermark_after(self, since: str, made: Sequence[tuple[ItemKey, RemoteRef]]) -> str:
        """See `Tracker.watermark_after`."""
        return watermark_after(since, made)

    def recover(
        self, place: Place, items: Collection[Item], since: str, *, widely: bool = False
    ) -> Mapping[ItemKey, RemoteRef]:
        """See `Tracker.recover`. An interrupted bulk create takes one request, and one more `widely`; more only where
        others made tickets meanwhile. Unknown sprints are asked for their marker, the ten newest."""
        self._client.patience.renew()
        return self._reader.recover(_layout(place), items, since, widely=widely)

    def create(self, place: Place, creations: Sequence[Creation]) -> list[Outcome]:
        """See `Tracker.create`. Epics and tickets are one request, iterations one each."""
        self._client.patience.renew()
        return self._writer.create(_layout(place), creations)

    def finish(
        self,
        place: Place,
        items: Sequence[tuple[Item, RemoteRef]],
        going: Mapping[ItemKey, Sequence[str]] | None = None,
    ) -> list[Outcome]:
        """See `Tracker.finish`. Jira's create calls carry everything, so nothing is sent."""
        return [Done(item.key, ref) for item, ref in items]

    def reconcile(self, place: Place, items: Sequence[tuple[Item, RemoteRef]], since: str) -> list[Double]:
        """See `Tracker.reconcile`. One request for each hundred issues since the mark, one for the sprints; three for
        each that is there twice. A sprint that was not marked yet is known by its title and dates."""
        self._client.patience.renew()
        return self._reconciler.reconcile(_layout(place), items, since)

    def mark(self, place: Place, key: ItemKey, ref: RemoteRef) -> None:
        """See `Tracker.mark`."""
        self._client.patience.renew()
        self._writer.mark(_layout(place), key, ref)

    def move(
        self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], iteration: RemoteRef | None
    ) -> list[Outcome]:
        """See `Tracker.move`. Finished tickets stay in the closed sprints they were finished in."""
        self._client.patience.renew()
        return self._writer.move(_layout(place), items, iteration)

    def link(self, place: Place, link: Link) -> None:
        """See `Tracker.link`."""
        self._client.patience.renew()
        layout = _layout(place)
        self._writer.link(layout, link, lambda: self._reader.linked(layout, link.source, link.target))

    def written_as(self, place: Place, item: Item) -> Fields:
        """See `Tracker.written_as`."""
        return written_as(item)

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
        """See `Tracker.update`. Of a guest only the labels, which say where it is under Kanban. One request, and a read
        where labels change and are not `shown`."""
        if kind in {ItemKind.PROJECT, ItemKind.LINK} or kind is not item.kind:
            raise ValueError(f"an item of kind {item.kind} cannot be updated as {kind}")
        if kind is ItemKind.GUEST and not set(changed) <= {"labels"}:
            raise ValueError(f"of a ticket of people's own only the labels are written, not {sorted(changed)}")
        self._client.patience.renew()
        layout = _layout(place)
        labels: Collection[str] = ()
        if "labels" in changed:
            labels = self._reader.labels(layout, ref) if shown is None else shown.get("labels") or ()
        self._writer.update(layout, ref, item, changed, epic, labels)

    def start_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.start_iteration`. A read and a write; another read where Jira refuses."""
        self._client.patience.renew()
        self._turner.start(_layout(place), item, ref)

    def close_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.close_iteration`. A read and a write; another read where Jira refuses. Jira sends to the backlog
        what is not done."""
        self._client.patience.renew()
        self._turner.close(_layout(place), item, ref)

    def set_status(self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], status: str) -> list[Outcome]:
        """See `Tracker.set_status`. A read and a write each: the workflow's transitions differ from ticket to ticket.
        One that asks for nothing is preferred."""
        self._client.patience.renew()
        return [self._turner.set_status(key, ref, status) for key, ref in items]

    def contents(
        self,
        place: Place,
        known: Mapping[ItemKey, RemoteRef],
        iterations: Mapping[ItemKey, RemoteRef],
        labels: Mapping[ItemKey, str],
    ) -> Mapping[ItemKey, Sequence[Content]]:
        """See `Tracker.contents`. Which tickets of others are inside, the search index knows; what it names is read
        again. The moments come from the history of the status: a request for a thousand tickets."""
        self._client.patience.renew()
        return self._surveyor.contents(_layout(place), known, iterations, labels)

    def made_along(self) -> Mapping[ItemKey, RemoteRef]:
        """See `Tracker.made_along`. Jira's labels are words on issues, so there is nothing."""
        return {}

    def traces(
        self,
        place: Place,
        known: Mapping[ItemKey, RemoteRef],
        only: Collection[ItemKey],
        own: Collection[str] = (),
    ) -> Mapping[ItemKey, Traces]:
        """See `Tracker.traces`. Tickets of others in epics and sprints are found by the search index."""
        self._client.patience.renew()
        return self._tracer.traces(_layout(place), known, only, own)

    def delete(self, place: Place, kind: ItemKind, items: Sequence[tuple[ItemKey, RemoteRef]]) -> list[Outcome]:
        """See `Tracker.delete`. A request for each, and a read where something was gone already."""
        self._client.patience.renew()
        return self._remover.delete(_layout(place), kind, items)

    def unlink(self, place: Place, link: Link) -> None:
        """See `Tracker.unlink`. Two requests."""
        self._client.patience.renew()
        self._remover.unlink(_layout(place), link)

    def named(self, place: Place, kind: ItemKind, names: Collection[str]) -> Mapping[str, RemoteRef]:
        """See `Tracker.named`. A request for a hundred issues; sprints are listed once."""
        self._client.patience.renew()
        return self._namer.named(_layout(place), kind, names)

    def documents(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], whole: Collection[ItemKey]
    ) -> Mapping[ItemKey, Document]:
        """See `Tracker.documents`. A read for a hundred tickets, one for a thousand changes, one for the statuses; web
        links take one for each ticket that is whole or has some, by its history."""
        self._client.patience.renew()
        return self._archivist.documents(_layout(place), known, whole)

    def survey(self, spec: ProjectSpec) -> Survey | None:
        """See `Tracker.survey`. About ten reads for the project, one for a hundred tickets, one for fifty sprints, one
        for a thousand changes, and at most twenty (and one for a hundred tickets) for web links and more comments."""
        self._client.patience.renew()
        return self._explorer.survey(spec)

    def comment(self, place: Place, ref: RemoteRef, text: str, mentions: Sequence[str] = ()) -> str:
        """See `Tracker.comment`. A read for a hundred comments, up to the same one, and a write; one more read for who
        this is, once."""
        self._client.patience.renew()
        return self._notary.comment(_layout(place), ref, text, mentions)

    def fill(self, place: Place, ref: RemoteRef, fills: Sequence[Fill]) -> Filled:
        """See `Tracker.fill`. Two reads, and a write between them where there is something to write. What stands above
        the text, below it and between our sections goes back to Jira as it came."""
        self._client.patience.renew()
        return self._notary.fill(_layout(place), ref, fills)

    def close(self) -> None:
        """See `Tracker.close`."""
        self._client.close()


def _layout(place: Place) -> Layout:
    return Layout.model_validate(place.facts)
