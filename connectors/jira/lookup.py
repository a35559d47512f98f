"""Finding existing issues and sprints by what people call them: key, id, web address, a sprint's name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.addresses import parts_of
from connectors.jira.client import JiraClient
from connectors.jira.fetch import Fetcher
from connectors.jira.layout import Layout
from connectors.jira.mapping import fields_of, is_epic, issue_ref, sprint_ref
from connectors.values import ItemKind, RemoteRef

_ISSUE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[1-9][0-9]*")
_PATH = re.compile(r"/(?:browse|issues)/([^/]+)/?$")


class Namer:
    """Answers to names with references."""

    def __init__(self, client: JiraClient) -> None:
        self._fetcher = Fetcher(client)

    def named(self, layout: Layout, kind: ItemKind, names: Collection[str]) -> dict[str, RemoteRef]:
        """See `Tracker.named`. Raises `ValueError` for a kind that nobody calls by name."""
        if kind is ItemKind.ITERATION:
            return self._sprints(layout, names)
        if kind not in {ItemKind.EPIC, ItemKind.TICKET}:
            raise ValueError(f"an item of kind {kind} is not found by name")
        meant = {name: one for name in names if (one := issue_named(layout, name)) is not None}
        found: dict[str, RemoteRef] = {}
        for issue in self._fetcher.issues(list(dict.fromkeys(meant.values())), ["issuetype", "project"]):
            if _is_of(layout, kind, issue):
                ref = issue_ref(layout, issue)
                found[ref.id] = found[ref.key.upper()] = ref
        return {name: found[one] for name, one in meant.items() if one in found}

    def _sprints(self, layout: Layout, names: Collection[str]) -> dict[str, RemoteRef]:
        wanted = {name: name.strip().casefold() for name in names if name.strip()}
        if not wanted or not layout.sprints:
            return {}
        answering: dict[str, dict[str, RemoteRef]] = {}
        for sprint in self._fetcher.sprints(layout):
            ref = sprint_ref(layout, sprint)
            for called in (ref.id, str(sprint.get("name") or "").strip().casefold()):
                answering.setdefault(called, {})[ref.id] = ref
        return {
            name: next(iter(answering[called].values()))
            for name, called in wanted.items()
            if len(answering.get(called, ())) == 1
        }


def issue_named(layout: Layout, name: str) -> str | None:
    """The issue key (in capitals) or id that somebody wrote, alone or in an address of this site; None for neither."""
    text = name.strip()
    if "/" in text:
        address = parts_of(text)
        if address.netloc.casefold() != urlsplit(layout.site).netloc.casefold():
            return None
        path = _PATH.search(address.path)
        text = parse_qs(address.query).get("selectedIssue", [path[1] if path else ""])[0]
        return text.upper() if _ISSUE_KEY.fullmatch(text) else None
    if text.isascii() and text.isdecimal():
        return text
    return text.upper() if _ISSUE_KEY.fullmatch(text) else None


def _is_of(layout: Layout, kind: ItemKind, issue: Mapping[str, Any]) -> bool:
    """Whether an issue is in this project and on the level of epics, or of tickets."""
    values = fields_of(issue)
    project, issue_type = values.get("project"), values.get("issuetype")
    if not isinstance(project, dict) or str(project.get("id")) != layout.project_id:
        return False
    if not isinstance(issue_type, dict) or issue_type.get("subtask"):
        return False
    return is_epic(layout, issue_type) is (kind is ItemKind.EPIC)
