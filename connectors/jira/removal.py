"""Removing what was made: issues, sprints, links and the project. Each can be sent again: what is gone is success."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from connectors.errors import (
    CredentialsRefused,
    ItemRejected,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    PermissionMissing,
    TrackerError,
    problems_of,
)
from connectors.jira.client import AGILE, JiraClient, segment
from connectors.jira.fetch import Fetcher
from connectors.jira.layout import CREATE_BATCH, Layout
from connectors.jira.mapping import in_our_words, link_ends
from connectors.values import Done, ItemKey, ItemKind, Link, Outcome, Rejected, RemoteRef

_REMOVABLE = (ItemKind.PROJECT, ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)


class Remover:
    """Removes the items of one project, and the project."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client
        self._fetcher = Fetcher(client)

    def delete(self, layout: Layout, kind: ItemKind, items: Sequence[tuple[ItemKey, RemoteRef]]) -> list[Outcome]:
        """See `Tracker.delete`. Raises `ValueError` for a batch that the port does not allow."""
        if len(items) > CREATE_BATCH:
            raise ValueError(f"at most {CREATE_BATCH} items can be removed in one call, not {len(items)}")
        if kind not in _REMOVABLE:
            raise ValueError(f"an item of kind {kind} cannot be removed; a link is taken back with unlink")
        if kind is ItemKind.PROJECT:
            return [self._project(key, ref) for key, ref in items]
        remove = self._sprint if kind is ItemKind.ITERATION else self._issue
        outcomes: list[Outcome] = []
        unseen = False
        for key, ref in items:
            outcome, gone = self._one(partial(remove, ref), layout, key, ref, begun=bool(outcomes))
            outcomes.append(outcome)
            unseen = unseen or gone
        if unseen:
            # To somebody who may not see the project, everything in it is gone.
            self._fetcher.make_sure_of(layout)
        return outcomes

    def _one(
        self, remove: Callable[[], None], layout: Layout, key: ItemKey, ref: RemoteRef, *, begun: bool
    ) -> tuple[Outcome, bool]:
        """Remove one item; its outcome, and whether it was gone before."""
        try:
            remove()
        except (ItemRejected, PermissionMissing) as error:
            return Rejected(key, in_our_words(layout, problems_of(error))), False
        except OutcomeUnknown:
            raise
        except TrackerError as error:
            if is_gone(error):
                return Done(key, ref), True
            if not begun:
                raise
            raise OutcomeUnknown(
                f"Some items of this batch were removed at {self._client.host}, then it broke off: {error.message}",
                fix="phaseloop removes the rest when it tries again.",
                request=error.request,
                status=error.status,
            ) from error
        return Done(key, ref), False

    def _issue(self, ref: RemoteRef) -> None:
        self._client.write("DELETE", f"issue/{segment(ref.id)}", None, empty=True)

    def _sprint(self, ref: RemoteRef) -> None:
        self._client.write("DELETE", f"sprint/{segment(ref.id)}", None, base=AGILE, empty=True)

    # --- project ---

    def _project(self, key: ItemKey, ref: RemoteRef) -> Outcome:
        """Put the project into the trash, from where an administrator can bring it back for sixty days."""
        path = f"project/{segment(ref.id)}"
        try:
            self._client.write("DELETE", path, None, params={"enableUndo": "true"}, empty=True)
        except (CredentialsRefused, PermissionMissing, NotVisible) as error:
            # The vendor documents 401 and 404 for an account that may not, too; only a look can tell them apart.
            try:
                self._client.get_object(path)
            except NotVisible:
                self._client.get_object("myself")  # a stranger sees no project either
                return Done(key, ref)
            raise PermissionMissing(
                f"The connection's account may not delete the project {ref.key} at {self._client.host}.",
                fix='It takes the global permission "Administer Jira"; or an administrator moves it to the trash in'
                " Jira's settings under Projects.",
                request=error.request,
                status=error.status,
            ) from error
        return Done(key, ref)

    # --- links ---

    def unlink(self, layout: Layout, link: Link) -> None:
        """See `Tracker.unlink`. A read finds the link's id, by which it is removed."""
        read = self._fetcher.issues([link.source.id, link.target.id], ["issuelinks"])
        if not read:
            self._fetcher.make_sure_of(layout)
        wanted = (link.source.id, link.target.id)
        ids = {
            str(one["id"])
            for issue in read
            for one in (issue.get("fields") or {}).get("issuelinks") or ()
            if link_ends(layout, str(issue["id"]), one) == wanted and one.get("id") is not None
        }
        for one in sorted(ids):
            self._remove_link(one)

    def _remove_link(self, link_id: str) -> None:
        try:
            self._client.write("DELETE", f"issueLink/{segment(link_id)}", None, empty=True)
        except TrackerError as error:
            if not is_gone(error):
                raise


def is_gone(error: TrackerError) -> bool:
    """Whether a thing is not there (any more). Not every 404 has the usual body by the vendor's document."""
    return isinstance(error, NotVisible) or (isinstance(error, NotATracker) and error.status == 404)
