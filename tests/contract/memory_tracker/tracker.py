"""The tracker: the port's methods over a site in memory, each request by the wire."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from connectors.calls import Permit, permitted
from connectors.errors import FieldProblem, ItemRejected, NotVisible, PermissionMissing, TrackerRefused
from connectors.mapped import Candidate, Choices, Found, Kept, Mapped, Role, chosen
from connectors.records import TEXT_READ, Document, Fill, Filled, Survey, Surveyed, Tick, text_digest
from connectors.trello.sections import written_into
from connectors.values import (
    UNMADE,
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
    Rejected,
    RemoteRef,
    Severity,
    Traces,
    Usage,
    kind_of,
)
from tests.contract.memory_tracker.layout import CAPABILITIES
from tests.contract.memory_tracker.site import Project, Site, Thing
from tests.contract.memory_tracker.wire import Between, Wire

TYPES = (Candidate("type-1", "Task"), Candidate("type-2", "Story"))
COLUMNS = {"todo": "To do", "doing": "Doing", "done": "Done"}
KINDS = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)


class MemoryTracker:
    """See `Tracker`; the docstrings there say what each method promises."""

    def __init__(self, site: Site, token: str, between: Between | None = None, permit: Permit = permitted) -> None:
        self._site = site
        self._wire = Wire(site, token, permit, between or Between())
        self._kept: Kept = {}

    # --- who and where ---

    @property
    def usage(self) -> Usage:
        return self._wire.usage

    @property
    def found_settings(self) -> Mapping[str, str]:
        return {}

    def whoami(self) -> Account:
        return self._wire.read("/me", lambda me: me)

    def access(self) -> list[Finding]:
        def look(me: Account) -> list[Finding]:
            return [] if self._writes() else [self._not_allowed(Severity.WARNING, me, self._site.name)]

        return self._wire.read("/me/rights", look)

    def assumed(self, spec: ProjectSpec) -> Capabilities:
        return CAPABILITIES

    def identify(self, spec: ProjectSpec) -> Identity:
        def look(_me: Account) -> Identity:
            found = self._meant(spec)
            if found is None:
                key = spec.key.strip()
                return Identity(self._site.name, f"{UNMADE}{key.casefold()}", key, exists=False)
            return Identity(self._site.name, found.id, found.key, self._site.page(found.id))

        return self._wire.read("/projects", look)

    def remember(self, kept: Kept) -> None:
        self._kept = kept

    def mapped(self, place: Place) -> tuple[Mapped, ...]:
        return place.mapping

    def learned(self, place: Place) -> Memory:
        return {}

    def made_along(self) -> Mapping[ItemKey, RemoteRef]:
        return {}

    def locate(self, spec: ProjectSpec) -> Place | None:
        def look(_me: Account) -> Place | None:
            found = self._meant(spec)
            return self._place(found, spec) if found is not None else None

        return self._wire.read("/projects", look)

    def create_project(self, spec: ProjectSpec) -> Place:
        def make(_me: Account) -> Place:
            if self._site.project(spec.key) is not None:
                raise TrackerRefused(f"There is a project {spec.key} already.", fix="Choose another key.")
            made = Project(self._site.number(), spec.key, spec.name)
            self._site.projects[made.id] = made
            return self._place(made, spec)

        return self._wire.write("/projects", make)

    def check(
        self, spec: ProjectSpec, place: Place | None, items: Sequence[Item], removing: Collection[ItemKind] = ()
    ) -> list[Finding]:
        def look(me: Account) -> list[Finding]:
            missing = [] if self._writes() else [self._not_allowed(Severity.ERROR, me, spec.key)]
            if removing:
                return missing
            there = self._meant(replace(spec, id=""))
            if place is None and spec.create and there is not None:
                text = f"There is a project {spec.key} already."
                missing.append(Finding(Severity.ERROR, "project-key-taken", text, "Choose another key.", spec.key))
            if place is None and not spec.create:
                text, fix = f"The project {spec.key} is not to be seen.", "Check its key, or create it."
                missing.append(Finding(Severity.ERROR, "project-not-visible", text, fix, spec.key))
            return [*missing, *(one for item in items for one in _refusals(item))]

        return self._wire.read("/checks", look)

    def people(self, place: Place | None, handles: Collection[str]) -> Mapping[str, Account]:
        def look(_me: Account) -> Mapping[str, Account]:
            found = {}
            for handle in handles:
                for one in self._site.accounts.values():
                    if handle and handle.casefold() in (one.id, (one.email or "").casefold()):
                        found[handle] = replace(one, assignable=_may_work(one) if place is not None else None)
            return found

        return self._wire.read("/people", look)

    def close(self) -> None:
        """Nothing is held."""

    # --- reading items ---

    def find(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey] | None = None
    ) -> Mapping[ItemKey, ObservedItem]:
        asked = [key for key in known if (only is None or key in only) and kind_of(key) in (*KINDS, ItemKind.GUEST)]
        keys = {ref.id: key for key, ref in known.items()}
        seen: dict[ItemKey, ObservedItem] = {}
        for some in _pages(asked):
            there = self._look(place, [known[key] for key in some])
            for key, thing in zip(some, there, strict=True):
                if thing is not None:
                    seen[key] = self._observed(key, thing, keys)
        if only is None:
            for thing in self._wire.read("/things/marked", lambda _me: self._marked(place)):
                assert thing.mark is not None
                if thing.id not in keys and thing.mark[1] not in seen:
                    seen[thing.mark[1]] = self._observed(thing.mark[1], thing, keys)
        return seen

    def elsewhere(self, place: Place, missing: Mapping[ItemKey, RemoteRef]) -> Mapping[ItemKey, RemoteRef]:
        def look(_me: Account) -> Mapping[ItemKey, RemoteRef]:
            there = {key: self._site.things.get(ref.id) for key, ref in missing.items()}
            return {key: self._ref(one) for key, one in there.items() if one and one.project != place.ref.id}

        return self._wire.read("/things", look) if missing else {}

    def contents(
        self,
        place: Place,
        known: Mapping[ItemKey, RemoteRef],
        iterations: Mapping[ItemKey, RemoteRef],
        labels: Mapping[ItemKey, str],
    ) -> Mapping[ItemKey, Sequence[Content]]:
        keys = {ref.id: key for key, ref in known.items()}

        def look(_me: Account) -> Mapping[ItemKey, Sequence[Content]]:
            return {
                key: [self._content(place, one, keys) for one in self._tickets(place) if one.iteration == ref.id]
                for key, ref in iterations.items()
                if self._there(place, ref) is not None
            }

        return self._wire.read("/iterations", look)

    def named(self, place: Place, kind: ItemKind, names: Collection[str]) -> Mapping[str, RemoteRef]:
        def look(_me: Account) -> Mapping[str, RemoteRef]:
            there = [one for one in self._site.within(place.ref.id) if one.kind is kind]
            found = {}
            for name in names:
                by_title = [one for one in there if kind is ItemKind.ITERATION and one.title == name]
                answering = [one for one in there if name in (one.key, one.id, self._site.page(one.id))] or by_title
                if len(answering) == 1:
                    found[name] = self._ref(answering[0])
            return found

        return self._wire.read("/things", look) if names else {}

    def documents(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], whole: Collection[ItemKey]
    ) -> Mapping[ItemKey, Document]:
        asked = [key for key in known if kind_of(key) is ItemKind.TICKET]
        found: dict[ItemKey, Document] = {}
        for some in _pages(asked):
            there = self._look(place, [known[key] for key in some])
            pairs = [(key, one) for key, one in zip(some, there, strict=True) if one is not None]
            found |= zip([key for key, _one in pairs], self._told(pairs), strict=True)
        return found

    def survey(self, spec: ProjectSpec) -> Survey | None:
        project = self._wire.read("/projects", lambda _me: self._meant(spec))
        if project is None:
            return None
        there = self._wire.read("/things", lambda _me: list(self._site.within(project.id)))
        told: dict[str, list[Document]] = {}
        for some in _pages([one for one in there if one.kind is ItemKind.TICKET]):
            for one, document in zip(some, self._told([(None, one) for one in some]), strict=True):
                told.setdefault(one.iteration or "", []).append(document)
        turns = sorted(
            (one for one in there if one.kind is ItemKind.ITERATION), key=lambda one: (str(one.starts), one.id)
        )
        return Survey(
            RemoteRef(project.id, project.key, self._site.page(project.id)),
            project.title,
            tuple(
                Surveyed(self._ref(one), one.title, one.status, one.starts, one.ends, tuple(told.get(one.id, ())))
                for one in turns
            ),
            tuple(told.get("", ())),
        )

    def traces(
        self, place: Place, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey], own: Collection[str] = ()
    ) -> Mapping[ItemKey, Traces]:
        ours = {ref.id for ref in known.values()}

        def look(me: Account) -> Mapping[ItemKey, Traces]:
            found = {}
            for key in only:
                if kind_of(key) is ItemKind.PROJECT:
                    found[key] = Traces(tuple(_counted(self._foreign(place, ours), "ticket that is", "not ours")))
                elif (thing := self._there(place, known[key])) is not None:
                    found[key] = Traces(tuple(self._additions(place, thing, ours, me.id, own)), frozenset(thing.edited))
            return found

        return self._wire.read("/history", look) if only else {}

    # --- what was lost ---

    def watermark(self, place: Place) -> str:
        return self._wire.read("/things/newest", lambda _me: max(self._site.things, key=int, default="0"))

    def watermark_after(self, since: str, made: Sequence[tuple[ItemKey, RemoteRef]]) -> str:
        return str(max([int(since or 0), *(int(ref.id) for _key, ref in made)]))

    def recover(
        self, place: Place, items: Collection[Item], since: str, *, widely: bool = False
    ) -> Mapping[ItemKey, RemoteRef]:
        wanted = {item.key for item in items}

        def look(_me: Account) -> Mapping[ItemKey, RemoteRef]:
            return {key: self._ref(one) for key, one in self._since(place, since) if key in wanted}

        return self._wire.read("/things/since", look)

    def reconcile(self, place: Place, items: Sequence[tuple[Item, RemoteRef]], since: str) -> list[Double]:
        refs = {item.key: ref.id for item, ref in items}

        def look(me: Account) -> list[Double]:
            doubles = [(key, one) for key, one in self._since(place, since) if refs.get(key, one.id) != one.id]
            return [
                Double(key, self._ref(one), one.kind.value, one.title, self._touched(place, one, me))
                for key, one in doubles
            ]

        found = self._wire.read("/things/since", look)
        gone = [one.ref.id for one in found if not one.why]
        if gone:
            self._wire.write("/things/drop", lambda _me: self._drop(gone))
        return found

    # --- writing items ---

    def create(self, place: Place, creations: Sequence[Creation]) -> list[Outcome]:
        kinds = {one.item.kind for one in creations}
        _at_most(CAPABILITIES.create_batch, creations)
        if len(kinds) > 1:
            raise ValueError("items of one kind are created at once")
        calls = (
            [[one] for one in creations] if kinds == {ItemKind.ITERATION} else [list(creations)] if creations else []
        )
        done: list[Outcome] = []
        for some in calls:
            done += self._make(place, some)
        return done

    def finish(
        self,
        place: Place,
        items: Sequence[tuple[Item, RemoteRef]],
        going: Mapping[ItemKey, Sequence[str]] | None = None,
    ) -> list[Outcome]:
        return [Done(item.key, ref) for item, ref in items]

    def mark(self, place: Place, key: ItemKey, ref: RemoteRef) -> None:
        def write(_me: Account) -> None:
            self._need(place, ref).mark = place.facts["uid"], key

        self._wire.write("/things/mark", write)

    def move(
        self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], iteration: RemoteRef | None
    ) -> list[Outcome]:
        def place_it(_me: Account, thing: Thing) -> str:
            turn = self._there(place, iteration) if iteration is not None else None
            if iteration is not None and (turn is None or turn.status == "closed"):
                return f"The iteration {iteration.key} is gone or closed."
            if thing.iteration != (turn.id if turn else None):
                thing.iteration = turn.id if turn else None
                thing.edited.add("iteration")
            return ""

        return self._each("/things/move", place, items, place_it)

    def set_status(self, place: Place, items: Sequence[tuple[ItemKey, RemoteRef]], status: str) -> list[Outcome]:
        def bring(me: Account, thing: Thing) -> str:
            self._site.step(thing, status, me.id)
            return ""

        try:
            return self._each("/things/status", place, items, bring)
        except PermissionMissing as error:
            return [Rejected(key, (FieldProblem(None, str(error)),)) for key, _ref in items]

    def delete(self, place: Place, kind: ItemKind, items: Sequence[tuple[ItemKey, RemoteRef]]) -> list[Outcome]:
        _at_most(CAPABILITIES.create_batch, items)
        if kind is ItemKind.LINK:
            raise ValueError("a link is taken back by `unlink`")

        def remove(_me: Account) -> list[Outcome]:
            for _key, ref in items:
                if kind is ItemKind.PROJECT and ref.id in self._site.projects:
                    self._site.projects[ref.id].deleted = True
                elif kind is not ItemKind.PROJECT:
                    self._site.drop(ref.id)
            return [Done(key, ref) for key, ref in items]

        return self._wire.write("/things/drop", remove) if items else []

    def link(self, place: Place, link: Link) -> None:
        def write(_me: Account) -> None:
            source, target = self._need(place, link.source), self._need(place, link.target)
            if target.id not in source.waits_for:
                source.waits_for.append(target.id)

        self._wire.write("/links", write)

    def unlink(self, place: Place, link: Link) -> None:
        def write(_me: Account) -> None:
            source = self._there(place, link.source)
            if source is not None and link.target.id in source.waits_for:
                source.waits_for.remove(link.target.id)

        self._wire.write("/links/drop", write)

    def written_as(self, place: Place, item: Item) -> Fields:
        return {"text": item.text.strip()}

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
        if kind is ItemKind.GUEST and set(changed) - {"labels"}:
            raise ValueError("only the labels of people's own tickets are written")

        def write(me: Account) -> None:
            thing = self._need(place, ref)
            if "title" in changed and (problems := _problems(item)):
                raise ItemRejected(f"{thing.key} was refused.", problems, fix="Shorten its title.")
            for name in changed:
                self._put(thing, name, item, epic, set((shown or {}).get("labels", thing.labels)), me.id)

        self._wire.write("/things/update", write)

    def start_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        def write(_me: Account) -> None:
            turn = self._need(place, ref)
            if turn.status == "closed":
                raise TrackerRefused(f'"{turn.title}" is closed.', fix="Plan another iteration.")
            others = (one for one in self._site.within(place.ref.id) if one.kind is ItemKind.ITERATION)
            active = next((one for one in others if one.status == "active" and one is not turn), None)
            if active is not None:
                raise TrackerRefused(f'"{active.title}" is active.', fix=f'Close "{active.title}" first.')
            turn.status = "active"
            turn.starts, turn.ends = turn.starts or item.starts, turn.ends or item.ends

        self._wire.write("/iterations/start", write)

    def close_iteration(self, place: Place, item: Item, ref: RemoteRef) -> None:
        def write(_me: Account) -> None:
            turn = self._need(place, ref)
            if turn.status == "future":
                raise TrackerRefused(f'"{turn.title}" was never active.', fix="Begin it first.")
            turn.status = "closed"

        self._wire.write("/iterations/close", write)

    # --- words on tickets ---

    def comment(self, place: Place, ref: RemoteRef, text: str, mentions: Sequence[str] = ()) -> str:
        words = " ".join([*(f"@{account}" for account in mentions), text])

        def look(me: Account) -> str:
            said = (one.id for one in self._need(place, ref).comments if (one.author, one.text) == (me.id, words))
            return next(said, "")

        there = self._wire.read("/comments", look)
        return there or self._wire.write("/comments", lambda me: self._site.say(self._need(place, ref), words, me.id))

    def fill(self, place: Place, ref: RemoteRef, fills: Sequence[Fill]) -> Filled:
        before = self._wire.read("/things", lambda _me: self._need(place, ref).text)
        after = written_into(before, fills)
        if after.text.strip() != before:
            self._wire.write("/things/text", lambda me: self._site.write(self._need(place, ref), after.text, me.id))
        return Filled(after.written, after.left, text_digest(after.text))

    # --- what a request does on the site ---

    def _look(self, place: Place, refs: Sequence[RemoteRef]) -> list[Thing | None]:
        return self._wire.read("/things", lambda _me: [self._there(place, ref) for ref in refs])

    def _told(self, things: Sequence[tuple[ItemKey | None, Thing]]) -> list[Document]:
        return self._wire.read("/history", lambda _me: [self._document(one, key) for key, one in things])

    def _make(self, place: Place, creations: Sequence[Creation]) -> list[Outcome]:
        return self._wire.write("/things", lambda me: [self._created(place, one, me) for one in creations])

    def _drop(self, numbers: Sequence[str]) -> None:
        for number in numbers:
            self._site.drop(number)

    def _writes(self) -> bool:
        return self._site.who(self._wire.token)[1]

    def _not_allowed(self, severity: Severity, me: Account, where: str) -> Finding:
        text, fix = f"{me.name} may not write in {where}.", f"Give {me.name} a token that may."
        return Finding(severity, "permission-missing", text, fix, where)

    def _meant(self, spec: ProjectSpec) -> Project | None:
        return self._site.project(spec.id or spec.key)

    def _place(self, project: Project, spec: ProjectSpec) -> Place:
        ref = RemoteRef(project.id, project.key, self._site.page(project.id))
        choices = self._kept.get((self._site.name, project.id), {})
        mapping = (_ticket_type(choices),)
        facts = {"uid": spec.uid, "type": mapping[0].id}
        return Place(ref, CAPABILITIES, ref.url, facts, self._site.name, spec.memory, mapping, project.title)

    def _ref(self, thing: Thing) -> RemoteRef:
        return RemoteRef(thing.id, thing.key, self._site.page(thing.id))

    def _there(self, place: Place, ref: RemoteRef) -> Thing | None:
        found = self._site.things.get(ref.id)
        project = self._site.projects.get(place.ref.id)
        return found if found and project and not project.deleted and found.project == project.id else None

    def _need(self, place: Place, ref: RemoteRef) -> Thing:
        found = self._there(place, ref)
        if found is None:
            raise NotVisible(f"{ref.key} is not there any more.", fix="Plan again.")
        return found

    def _marked(self, place: Place) -> list[Thing]:
        return [one for one in self._site.within(place.ref.id) if one.mark and one.mark[0] == place.facts["uid"]]

    def _since(self, place: Place, since: str) -> Iterator[tuple[ItemKey, Thing]]:
        for one in self._marked(place):
            if one.mark is not None and int(one.id) > int(since or 0):
                yield one.mark[1], one

    def _tickets(self, place: Place) -> Iterator[Thing]:
        return (one for one in self._site.within(place.ref.id) if one.kind is ItemKind.TICKET)

    def _each(
        self,
        path: str,
        place: Place,
        items: Sequence[tuple[ItemKey, RemoteRef]],
        act: Callable[[Account, Thing], str],
    ) -> list[Outcome]:
        """One request for all of them; what `act` says of one is why that is refused."""
        _at_most(CAPABILITIES.move_batch, items)

        def write(me: Account) -> list[Outcome]:
            done: list[Outcome] = []
            for key, ref in items:
                thing = self._there(place, ref)
                refused = act(me, thing) if thing is not None else f"{ref.key} is gone."
                done.append(Rejected(key, (FieldProblem(None, refused),)) if refused else Done(key, ref))
            return done

        return self._wire.write(path, write) if items else []

    def _created(self, place: Place, creation: Creation, me: Account) -> Outcome:
        item = creation.item
        if problems := _problems(item):
            return Rejected(item.key, problems)
        made = self._site.make(self._site.projects[place.ref.id], item.kind, item.title, me.id)
        made.mark, made.type = (place.facts["uid"], item.key), place.facts["type"]
        for name in set(item.fields()) - {"iteration"}:
            self._put(made, name, item, creation.epic, set(), me.id)
        made.iteration = creation.iteration.id if creation.iteration is not None else None
        made.waits_for = [target.id for _key, target in creation.links]
        made.edited.clear()
        made.edits.clear()
        return Done(item.key, self._ref(made), tuple(key for key, _target in creation.links))

    def _put(self, thing: Thing, name: str, item: Item, epic: RemoteRef | None, shown: set[str], by: str) -> None:
        if name == "text":
            self._site.write(thing, item.text, by)
        elif name == "labels":
            thing.labels = thing.labels - (shown - set(item.labels)) | set(item.labels)
        elif name == "checklist":
            ticked = {one.text: one for one in thing.checklist}
            thing.checklist = [ticked.get(line, Tick(line, done=False)) for line in item.checklist]
        elif name == "epic":
            thing.epic = epic.id if epic is not None else None
        else:
            setattr(thing, name, getattr(item, name))
        thing.edited.add(name)

    # --- what is told of a thing ---

    def _observed(self, key: ItemKey, thing: Thing, keys: Mapping[str, ItemKey]) -> ObservedItem:
        def called(number: str | None) -> str | None:
            return keys.get(number, number) if number is not None else None

        fields: Fields = {"title": thing.title}
        if thing.kind is ItemKind.ITERATION:
            fields |= {
                "goal": thing.goal,
                "starts": thing.starts.isoformat() if thing.starts else None,
                "ends": thing.ends.isoformat() if thing.ends else None,
            }
        else:
            fields |= {"text": thing.text, "labels": sorted(thing.labels)}
        if thing.kind is ItemKind.TICKET:
            fields |= {
                "checklist": [line.text for line in thing.checklist],
                "assignee": thing.assignee,
                "points": thing.points,
                "priority": thing.priority,
                "epic": called(thing.epic),
                "iteration": called(thing.iteration),
            }
        waiting = [(one.id, thing.id) for one in self._site.things.values() if thing.id in one.waits_for]
        links = sorted([*((thing.id, target) for target in thing.waits_for), *waiting])
        return ObservedItem(key, kind_of(key), self._ref(thing), fields, thing.status, tuple(links))

    def _key(self, place: Place, thing: Thing, keys: Mapping[str, ItemKey]) -> ItemKey | None:
        marked = thing.mark[1] if thing.mark and thing.mark[0] == place.facts["uid"] else None
        return keys.get(thing.id, marked)

    def _content(self, place: Place, thing: Thing, keys: Mapping[str, ItemKey]) -> Content:
        epic = self._site.things.get(thing.epic or "")
        begun = [step.at for step in thing.steps if step.status != "todo"]
        done = [step.at for step in thing.steps if step.status == "done"] if thing.status == "done" else []
        return Content(
            self._ref(thing),
            thing.title,
            thing.status,
            self._key(place, thing, keys),
            thing.points,
            thing.assignee,
            self._site.accounts[thing.assignee].name if thing.assignee else "",
            epic.title if epic else "",
            tuple(sorted(thing.labels)),
            thing.at,
            begun[0] if begun else None,
            done[-1] if done else None,
        )

    def _document(self, thing: Thing, key: ItemKey | None) -> Document:
        return Document(
            self._ref(thing),
            thing.title,
            thing.text[:TEXT_READ],
            text_digest(thing.text[:TEXT_READ]),
            thing.status,
            key,
            tuple(sorted(thing.labels)),
            thing.assignee,
            thing.by,
            thing.at,
            tuple(thing.comments),
            tuple(thing.files),
            tuple(thing.links),
            tuple(thing.checklist),
            tuple(thing.edits),
            tuple(thing.steps),
            cut=len(thing.text) > TEXT_READ,
        )

    def _foreign(self, place: Place, ours: Collection[str], inside: str = "") -> int:
        there = (one for one in self._tickets(place) if one.id not in ours)
        return sum(1 for one in there if not inside or inside in (one.epic, one.iteration))

    def _additions(
        self, place: Place, thing: Thing, ours: Collection[str], me: str, own: Collection[str]
    ) -> Iterator[str]:
        yield from _counted(sum(one.id not in own for one in thing.comments), "comment")
        yield from _counted(len(thing.files), "attachment")
        yield from _counted(len(thing.links), "address")
        yield from _counted(sum(one.done for one in thing.checklist), "ticked line")
        if thing.steps and thing.status != "todo" and thing.steps[-1].by != me:
            yield f"moved to {COLUMNS[thing.status]}"
        if thing.kind is not ItemKind.TICKET:
            yield from _counted(self._foreign(place, ours, thing.id), "ticket that is", "not ours")

    def _touched(self, place: Place, thing: Thing, me: Account) -> tuple[str, ...]:
        ours = {one.id for one in self._marked(place)}
        found = [*self._additions(place, thing, ours, me.id, ())]
        found += [f"{name} was changed" for name in sorted(thing.edited - {"iteration"})]
        return tuple(found if thing.by == me.id else ["made by somebody else", *found])


def _pages(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    size = CAPABILITIES.read_batch
    return (things[start : start + size] for start in range(0, len(things), size))


def _may_work(account: Account) -> bool:
    return account.active and account.assignable is not False


def _at_most(limit: int, things: Sequence[object]) -> None:
    if len(things) > limit:
        raise ValueError(f"at most {limit} at once")


def _limit(item: Item) -> int:
    return CAPABILITIES.iteration_title_limit if item.kind is ItemKind.ITERATION else CAPABILITIES.title_limit


def _problems(item: Item) -> tuple[FieldProblem, ...]:
    return (
        (FieldProblem("title", f"has more than {_limit(item)} characters"),) if len(item.title) > _limit(item) else ()
    )


def _refusals(item: Item) -> Iterator[Finding]:
    if item.kind is not ItemKind.LINK and _problems(item):
        text = f'"{item.title[:40]}" has more than {_limit(item)} characters.'
        yield Finding(Severity.ERROR, "title-too-long", text, "Shorten it.", item.key)
    if any(" " in label for label in item.labels):
        text = f'"{item.title[:40]}" has a label with a space.'
        yield Finding(Severity.ERROR, "label-invalid", text, "Write it without.", item.key)


def _ticket_type(choices: Choices) -> Mapped:
    before = chosen(Role.TICKET_TYPE, choices, TYPES, blocks=True)
    usual = TYPES[0]
    return before or Mapped(Role.TICKET_TYPE, Found.CONVENTION, usual.id, usual.name, "by its name", candidates=TYPES)


def _counted(number: int, what: str, more: str = "") -> Iterator[str]:
    """ "2 comments", "1 ticket that is not ours"; nothing for none."""
    if number:
        many = "tickets that are" if what == "ticket that is" else f"{what}es" if what.endswith("s") else f"{what}s"
        yield f"{number} {what if number == 1 else many} {more}".strip()
