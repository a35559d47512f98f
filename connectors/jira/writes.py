"""Writing items. Each write is sent once; what may have happened without an answer is `OutcomeUnknown`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    OutcomeUnknown,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
    problems_of,
)
from connectors.jira.client import AGILE, JiraClient, segment
from connectors.jira.layout import CREATE_BATCH, MOVE_BATCH, Layout
from connectors.jira.mapping import (
    MARKER,
    Created,
    UnclearAnswer,
    awaited_side,
    bulk_results,
    create_element,
    in_our_words,
    issue_type,
    marker,
    sprint_body,
    sprint_ref,
    sprint_state,
    update_body,
)
from connectors.jira.removal import is_gone
from connectors.values import (
    Creation,
    Done,
    Item,
    ItemKey,
    ItemKind,
    Link,
    Outcome,
    Rejected,
    RemoteRef,
    kind_of,
)

_T = TypeVar("_T")

_CONFLICT = 409


class Writer:
    """Creates, changes, moves and links the items of one project."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client

    # --- create ---

    def create(self, layout: Layout, creations: Sequence[Creation]) -> list[Outcome]:
        """See `Tracker.create`. Raises `ValueError` for a batch that the port does not allow."""
        kinds = {creation.item.kind for creation in creations}
        if len(creations) > CREATE_BATCH:
            raise ValueError(f"at most {CREATE_BATCH} items can be created in one call, not {len(creations)}")
        if len(kinds) > 1 or kinds & {ItemKind.PROJECT, ItemKind.LINK, ItemKind.GUEST}:
            raise ValueError(f"items of one kind, epics, iterations or tickets, not {sorted(kinds)}")
        if not creations:
            return []
        if kinds == {ItemKind.ITERATION}:
            return self._create_sprints(layout, creations)
        return self._create_issues(layout, creations)

    def _create_issues(self, layout: Layout, creations: Sequence[Creation]) -> list[Outcome]:
        outcomes = self._bulk(layout, creations)
        again = [
            (place, Creation(creation.item, creation.epic))
            for place, (creation, outcome) in enumerate(zip(creations, outcomes, strict=True))
            if creation.links and isinstance(outcome, Rejected) and _is_about_links(outcome.problems)
        ]
        if not again:
            return outcomes
        # A screen without Linked Issues refuses the whole issue. It does not exist, so it may be sent without links;
        # but by now others of the batch may exist, and "nothing was written" would no longer be true.
        second = self._unknown_from_here(lambda: self._bulk(layout, [creation for _, creation in again]))
        for (place, _), outcome in zip(again, second, strict=True):
            outcomes[place] = outcome
        return outcomes

    def _bulk(self, layout: Layout, creations: Sequence[Creation]) -> list[Outcome]:
        if issue_type(layout, creations[0].item.kind) is None:
            problem = FieldProblem(None, f"{layout.project_key} has no issue type for this kind of item")
            return [Rejected(creation.item.key, (problem,)) for creation in creations]
        body = {"issueUpdates": [create_element(layout, creation) for creation in creations]}
        # 400 is also the answer when every single element failed, with the same body as a partial success.
        answer = self._client.write("POST", "issue/bulk", body, also={400})
        try:
            results = bulk_results(len(creations), answer.body)
        except UnclearAnswer as error:
            raise OutcomeUnknown(
                f"Jira at {self._client.host} answered a bulk create unclearly ({error}): items may exist.",
                fix="phaseloop looks them up by their markers before writing again.",
                request="POST /rest/api/2/issue/bulk",
                status=answer.status,
            ) from error
        return [_outcome(layout, creation, result) for creation, result in zip(creations, results, strict=True)]

    def _create_sprints(self, layout: Layout, creations: Sequence[Creation]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for creation in creations:
            if outcomes:
                outcomes.append(self._unknown_from_here(partial(self._create_sprint, layout, creation.item)))
            else:
                outcomes.append(self._create_sprint(layout, creation.item))
        return outcomes

    def _create_sprint(self, layout: Layout, item: Item) -> Outcome:
        body = {**sprint_body(item), "originBoardId": layout.board_id}
        try:
            sprint = self._client.write("POST", "sprint", body, base=AGILE).body
        except ItemRejected as error:
            return Rejected(item.key, in_our_words(layout, error.problems))
        if not isinstance(sprint, dict) or sprint.get("id") is None:
            raise OutcomeUnknown(
                f"Jira at {self._client.host} answered the creation of a sprint without its id: it may exist.",
                fix="phaseloop looks it up before writing again.",
                request="POST /rest/agile/1.0/sprint",
            )
        return Done(item.key, sprint_ref(layout, sprint))

    def _unknown_from_here(self, write: Callable[[], _T]) -> _T:
        """Do a later write of a call whose earlier ones may have succeeded: any failure leaves the whole in doubt."""
        try:
            return write()
        except OutcomeUnknown:
            raise
        except TrackerError as error:
            raise OutcomeUnknown(
                f"Some items of this batch were created at {self._client.host}, then it broke off: {error.message}",
                fix="phaseloop looks up what exists before it continues.",
                request=error.request,
                status=error.status,
            ) from error

    # --- change ---

    def mark(self, layout: Layout, key: ItemKey, ref: RemoteRef) -> None:
        """Set the marking property of an issue or a sprint. Raises `ValueError` for a ticket of people's own."""
        if kind_of(key) is ItemKind.GUEST:
            raise ValueError("a ticket of people's own is never marked")
        of_sprint = kind_of(key) is ItemKind.ITERATION
        path = f"{'sprint' if of_sprint else 'issue'}/{segment(ref.id)}/properties/{MARKER}"
        value = marker(layout.uid, key)
        if of_sprint:
            self._client.write("PUT", path, value, base=AGILE, empty=True)
        else:
            self._client.write("PUT", path, value, empty=True)

    def move(
        self,
        layout: Layout,
        items: Sequence[tuple[ItemKey, RemoteRef]],
        iteration: RemoteRef | None,
        *,
        apart: int = 0,
    ) -> list[Outcome]:
        """See `Tracker.move`. Jira refuses all of a call for one bad ticket; then the halves are tried apart, unless it
        is the sprint that takes none."""
        if len(items) > MOVE_BATCH:
            raise ValueError(f"at most {MOVE_BATCH} items can be moved in one call, not {len(items)}")
        if not items:
            return []
        try:
            body = {"issues": [ref.id for _, ref in items]}
            path = "backlog/issue" if iteration is None else f"sprint/{segment(iteration.id)}/issue"
            self._client.write("POST", path, body, base=AGILE, empty=True)
        except CredentialsRefused:
            raise
        except TrackerRefused as error:
            if len(items) == 1 or isinstance(error, PermissionMissing):  # a permission is for all of a project
                return [Rejected(key, in_our_words(layout, problems_of(error))) for key, _ in items]
            if apart == 1 and (why := self._takes_none(iteration)):
                return [Rejected(key, in_our_words(layout, why)) for key, _ in items]
            half = len(items) // 2
            first = self.move(layout, items[:half], iteration, apart=apart + 1)
            moved = any(isinstance(outcome, Done) for outcome in first)
            return first + self.move(layout, items[half:], iteration, apart=apart + (2 if moved else 1))
        return [Done(key, ref) for key, ref in items]

    def _takes_none(self, iteration: RemoteRef | None) -> tuple[FieldProblem, ...]:
        """Why no ticket can be put into a sprint at all; empty where that is not so."""
        if iteration is None:
            return ()
        try:
            sprint = self._client.get_object(f"sprint/{segment(iteration.id)}", base=AGILE)
        except TrackerError as error:
            if not is_gone(error):
                raise
            return (FieldProblem("iteration", f'the sprint "{iteration.key}" is gone'),)
        if sprint_state(sprint) == "closed":
            return (FieldProblem("iteration", f'the sprint "{iteration.key}" was completed'),)
        return ()

    def update(
        self,
        layout: Layout,
        ref: RemoteRef,
        item: Item,
        changed: Collection[str],
        epic: RemoteRef | None,
        labels: Collection[str],
    ) -> None:
        """See `Tracker.update`; `labels` are those that the issue has."""
        try:
            if item.kind is ItemKind.ITERATION:
                if body := sprint_body(item, changed):
                    # POST is the partial update; PUT would empty what is not sent.
                    self._client.write("POST", f"sprint/{segment(ref.id)}", body, base=AGILE, empty=True)
            elif body := update_body(layout, item, changed, epic, labels):
                self._client.write("PUT", f"issue/{segment(ref.id)}", body, empty=True)
        except ItemRejected as error:
            problems = in_our_words(layout, error.problems)
            message = f"Jira refused the change to {ref.key}: {'; '.join(map(str, problems))}"
            raise ItemRejected(message, problems, request=error.request, status=error.status) from error

    def link(self, layout: Layout, link: Link, is_linked: Callable[[], bool]) -> None:
        """Record that `source` waits for `target`; `is_linked` looks whether it is so already.

        In Jira's link the inward issue is usually the one that blocks and the outward one the one that is blocked: the
        outward issue shows "is blocked by" the inward one. `awaited_side` knows where it is the other way round.
        """
        if layout.link_type is None:
            raise TrackerRefused(
                f"{layout.site} has no link type that says which ticket blocks which.",
                fix="Add a link type named Blocks in Jira's settings under Issue linking.",
            )
        awaited = awaited_side(layout.link_type)
        waiting = "inwardIssue" if awaited == "outwardIssue" else "outwardIssue"
        body = {
            "type": {"id": layout.link_type.id},
            awaited: {"key": link.target.key},
            waiting: {"key": link.source.key},
        }
        try:
            self._client.write("POST", "issueLink", body, empty=True)
        except (ItemRejected, TrackerUnavailable) as error:
            # The vendor answers 201 for a link that exists; others say 400 or 409. Only a look can tell.
            if error.status not in {400, _CONFLICT} or not is_linked():
                raise


def _is_about_links(problems: Sequence[FieldProblem]) -> bool:
    words = ("issuelink", "issue link", "linked issue", "linked work item")
    return any(
        problem.field == "issuelinks" or any(word in problem.message.casefold() for word in words)
        for problem in problems
    )


def _outcome(layout: Layout, creation: Creation, result: Created | tuple[FieldProblem, ...]) -> Outcome:
    key = creation.item.key
    if isinstance(result, Created):
        ref = RemoteRef(result.id, result.key, layout.browse(result.key))
        linked = tuple(link for link, _ in creation.links) if layout.link_type is not None else ()
        return Done(key, ref, linked)
    return Rejected(key, in_our_words(layout, result))
