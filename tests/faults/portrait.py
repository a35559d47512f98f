"""What a project holds, as plain facts that can be counted: as its plan asks for it, and as the sandbox has it.

Nothing of the connectors is used: markers, epics, iterations and people are read from the sandbox's own records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.jira.state import Issue, SiteData
from sandbox.trello.state import Card, TrelloData

Fact = tuple[str, ...]
"""A kind of fact and what it is about: `("ticket", "ticket:set-goals", "Set the goals")`."""

LISTS = ("Epics", "Backlog", "Iteration", "In progress", "Review", "Done")
"""The lists of a board, as the documentation names them."""

_MARKER = re.compile(r"^\[//\]: # \(phaseloop (\S+) (\S+)\)\s*$", re.MULTILINE)
_LINK = re.compile(r"/c/([0-9A-Za-z]+)")


@dataclass(frozen=True)
class Portrait:
    """The facts of one project, each as often as it is so, and where each marked item lives."""

    facts: Counter[Fact]
    ids: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """How a project differs from its plan, fact by fact."""

    duplicates: tuple[Fact, ...]
    missing: tuple[Fact, ...]
    extra: tuple[Fact, ...]

    @property
    def none(self) -> bool:
        """Whether the project is just as planned."""
        return not (self.duplicates or self.missing or self.extra)


def difference(wanted: Counter[Fact], found: Counter[Fact]) -> Difference:
    """What is there more often than planned, less often, and not planned at all."""
    more = found - wanted
    return Difference(
        duplicates=tuple(sorted(fact for fact in more if fact in wanted)),
        missing=tuple(sorted(wanted - found)),
        extra=tuple(sorted(fact for fact in more if fact not in wanted)),
    )


# -- as planned ----------------------------------------------------------------------------------------------------


def planned(plan: Mapping[str, Any], tracker: str) -> Counter[Fact]:
    """What the stored plan asks of the tracker."""
    facts: Counter[Fact] = Counter([("project", plan["spec"]["key"])])
    items = plan["items"]
    titles = {item["key"]: item["title"] for item in items}
    for item in items:
        facts.update(_of_item(item, plan["spec"]["label"], tracker))
    if tracker == "trello":
        facts.update(("list", name) for name in LISTS)
        names = {fact[2] for fact in facts if fact[0] == "label of"}
        turns = {titles[item["key"]] for item in items if item["kind"] == "iteration"}
        facts.update(("label", name) for name in names | turns)
    return facts


def _of_item(item: Mapping[str, Any], label: str, tracker: str) -> Iterable[Fact]:
    key, kind = item["key"], item["kind"]
    if kind == "link":
        if tracker == "jira":
            yield ("link", item["source"], item["target"])
        return
    yield (kind, key, item["title"])
    if kind == "iteration":
        return
    labels = [*item["labels"]]
    if tracker == "trello" and item["priority"]:
        labels.append(f"priority:{item['priority']}")
    if tracker == "jira" and label:
        labels.append(label)
    for name in set(labels):
        yield ("label of", key, name)
    for name in ("epic", "iteration", "assignee"):
        if item[name]:
            yield (f"{name} of", key, item[name])
    if tracker == "trello" and item["checklist"]:
        yield ("checklist of", key)
        for line in item["checklist"]:
            yield ("line of", key, line)


# -- as it is in Jira ----------------------------------------------------------------------------------------------


def in_jira(data: SiteData, key: str) -> Portrait:
    """What the project of this key holds."""
    projects = [project for project in data.projects.values() if project.key == key]
    facts: Counter[Fact] = Counter(("project", project.key) for project in projects)
    ours = {project.id for project in projects}
    boards = {board.id for board in data.boards.values() if board.project_id in ours}
    sprints = {sprint.id: sprint for sprint in data.sprints.values() if sprint.board_id in boards}
    names = {str(identity): _key_in(sprint.properties) for identity, sprint in sprints.items()}
    issues = {issue.id: issue for issue in data.issues.values() if issue.project_id in ours}
    names |= {identity: _key_in(issue.properties) for identity, issue in issues.items()}
    facts.update(("iteration", names[str(one.id)], one.name) for one in sprints.values())
    for issue in issues.values():
        epic = data.issue_types[issue.type_id].level == 1
        facts.update(_of_issue(issue, names, "epic" if epic else "ticket"))
    facts.update(
        ("link", names[link.outward_id], names[link.inward_id])
        for link in data.links.values()
        if link.inward_id in issues or link.outward_id in issues
    )
    return Portrait(facts, {key: identity for identity, key in names.items()})


def _key_in(properties: Mapping[str, Any]) -> str:
    marker = properties.get("phaseloop")
    return str(marker["key"]) if isinstance(marker, dict) else "unmarked"


def _of_issue(issue: Issue, names: Mapping[str, str], kind: str) -> Iterable[Fact]:
    key = names[issue.id]
    yield (kind, key, issue.summary)
    for label in issue.labels:
        yield ("label of", key, label)
    if issue.parent_id:
        yield ("epic of", key, names.get(issue.parent_id, issue.parent_id))
    for sprint in issue.sprint_ids:
        yield ("iteration of", key, names.get(str(sprint), str(sprint)))
    if issue.assignee:
        yield ("assignee of", key, issue.assignee)


# -- as it is in Trello --------------------------------------------------------------------------------------------


def in_trello(data: TrelloData, name: str) -> Portrait:
    """What the boards of this name hold."""
    boards = {board.id for board in data.boards.values() if board.name == name}
    facts: Counter[Fact] = Counter([("project", name)] * len(boards))
    facts.update(("list", one.name) for one in data.lists.values() if one.board_id in boards and not one.closed)
    facts.update(("label", label.name) for label in data.labels.values() if label.board_id in boards and label.name)
    cards = [card for card in data.cards.values() if card.board_id in boards]
    names = {card.id: _key_on(card) for card in cards}
    short = {card.short_link: names[card.id] for card in cards}
    turns = {
        label: names[card.id] for card in cards if _kind(names[card.id]) == "iteration" for label in card.label_ids
    }
    for card in cards:
        facts.update(_of_card(card, data, names[card.id], short, turns))
    return Portrait(facts, {key: identity for identity, key in names.items()})


def _key_on(card: Card) -> str:
    found = _MARKER.findall(card.desc)
    return found[-1][1] if len(found) == 1 else "unmarked"


def _kind(key: str) -> str:
    prefix = key.partition(":")[0]
    return prefix if prefix in {"epic", "iteration"} else "ticket"


def _of_card(
    card: Card, data: TrelloData, key: str, short: Mapping[str, str], turns: Mapping[str, str]
) -> Iterable[Fact]:
    kind = _kind(key)
    yield (kind, key, card.name)
    if kind == "iteration":
        return
    for label in card.label_ids:
        yield ("iteration of", key, turns[label]) if label in turns else ("label of", key, data.labels[label].name)
    for attachment in card.attachments:
        link = _LINK.search(attachment.url)
        yield ("epic of", key, short.get(link[1], link[1]) if link else attachment.url)
    for member in card.member_ids:
        yield ("assignee of", key, member)
    for checklist in (data.checklists[one] for one in card.checklist_ids):
        yield ("checklist of", key)
        for item in checklist.items:
            yield ("line of", key, item.name)
