"""The site as it is on first start: people, the vocabulary of a usual Jira Cloud site, and three projects."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime

from sandbox.jira import templates
from sandbox.jira.fields import site_fields
from sandbox.jira.state import (
    Actor,
    Group,
    IssueType,
    LinkType,
    Priority,
    Resolution,
    Role,
    Screen,
    ScreenTab,
    SiteData,
    Status,
    User,
)

DEMO_EMAIL, DEMO_TOKEN = "demo@example.com", "sandbox-token"
TEAM = (
    ("pm-1@example.com", "PM 1"),
    ("ml-1@example.com", "ML 1"),
    ("ml-2@example.com", "ML 2"),
    ("data-1@example.com", "Data 1"),
    ("devops-1@example.com", "DevOps 1"),
    ("qa-1@example.com", "QA 1"),
    ("ux-1@example.com", "UX 1"),
    ("gov-lead-1@example.com", "Gov Lead 1"),
    ("compliance-1@example.com", "Compliance 1"),
)


def account_id(email: str, *, old_form: bool = False) -> str:
    """The account id of an e-mail address, always the same: 24 hex digits, or the newer ``712020:uuid`` form."""
    if old_form:
        return hashlib.sha256(email.encode()).hexdigest()[:24]
    return f"712020:{uuid.uuid5(uuid.NAMESPACE_URL, 'mailto:' + email)}"


def seed(now: datetime) -> SiteData:
    """A fresh site as of the given moment."""
    data = SiteData()
    _people(data)
    _vocabulary(data)
    data.fields = {f.id: f for f in site_fields()}
    data.counters["field"] = 10100
    lead = account_id(DEMO_EMAIL, old_form=True)
    templates.create(data, now, key="SCRUM", name="Scrum project", template="scrum-classic", lead=lead)
    templates.create(data, now, key="TEAM", name="Team project", template="agility-scrum", lead=lead)
    templates.create(data, now, key="KANBAN", name="Kanban project", template="kanban-classic", lead=lead)
    return data


def _people(data: SiteData) -> None:
    def add(email: str, name: str, role: str = "member", token: str | None = None, *, active: bool = True) -> User:
        user = User(account_id(email, old_form=email == DEMO_EMAIL), name, email, active, role, token)
        data.users[user.account_id] = user
        return user

    add(DEMO_EMAIL, "Demo Admin", "admin", DEMO_TOKEN)
    add("member@example.com", "Member", token="member-token")
    add("viewer@example.com", "Viewer", "viewer", "viewer-token")
    for email, name in TEAM:
        add(email, name)
    add("left-1@example.com", "Left 1", active=False)
    everybody = [user.account_id for user in data.users.values()]
    admins = [user.account_id for user in data.users.values() if user.role == "admin"]
    working = [user.account_id for user in data.users.values() if user.active and user.role != "viewer"]
    for name, members in (
        ("jira-administrators", admins),
        ("site-admins", admins),
        ("jira-software-users", working),
        ("everyone", everybody),
    ):
        group = Group(str(uuid.uuid5(uuid.NAMESPACE_URL, f"group:{name}")), name, list(members))
        data.groups[group.group_id] = group


def _vocabulary(data: SiteData) -> None:
    for number, name, category in (
        ("10000", "To Do", "new"),
        ("3", "In Progress", "indeterminate"),
        ("10001", "Done", "done"),
    ):
        data.statuses[number] = Status(number, name, category)
    data.statuses["10002"] = Status("10002", "Backlog", "new")
    data.statuses["10003"] = Status("10003", "Selected for Development", "new")
    for number, name, level, text, avatar in (
        ("10000", "Epic", 1, "A big user story that needs to be broken down.", 10307),
        ("10001", "Story", 0, "Functionality or a feature expressed as a user goal.", 10315),
        ("10002", "Task", 0, "A small, distinct piece of work.", 10318),
        ("10003", "Sub-task", -1, "A small piece of work that is part of a larger task.", 10316),
        ("10004", "Bug", 0, "A problem or error.", 10303),
    ):
        data.issue_types[number] = IssueType(number, name, text, level, avatar_id=avatar)
    for number, name, color, text in (
        ("1", "Highest", "#d04437", "This problem will block progress."),
        ("2", "High", "#f15C75", "Serious problem that could block progress."),
        ("3", "Medium", "#f79232", "Has the potential to affect progress."),
        ("4", "Low", "#707070", "Minor problem or easily worked around."),
        ("5", "Lowest", "#999999", "Trivial problem with little or no impact on progress."),
    ):
        data.priorities[number] = Priority(number, name, color, text, default=name == "Medium")
    for number, name, text in (
        ("10000", "Done", "Work has been completed on this issue."),
        ("10001", "Won't Do", "This issue won't be actioned."),
        ("10002", "Duplicate", "The problem is a duplicate of an existing issue."),
        ("10003", "Cannot Reproduce", "All attempts at reproducing this issue failed."),
    ):
        data.resolutions[number] = Resolution(number, name, text)
    for number, name, inward, outward in (
        ("10000", "Blocks", "is blocked by", "blocks"),
        ("10001", "Cloners", "is cloned by", "clones"),
        ("10002", "Duplicate", "is duplicated by", "duplicates"),
        ("10003", "Relates", "relates to", "relates to"),
    ):
        data.link_types[number] = LinkType(number, name, inward, outward)
    admins = next(g.group_id for g in data.groups.values() if g.name == "jira-administrators")
    data.roles[10002] = Role(
        10002,
        "Administrators",
        "A project role that represents administrators in a project",
        [Actor(10240, "atlassian-group-role-actor", admins)],
        admin=True,
    )
    data.roles[10003] = Role(10003, "Member", "A project role that represents members of a project", default=True)
    data.roles[10004] = Role(10004, "Viewer", "A project role that represents viewers of a project")
    data.screens[1] = Screen(
        1,
        "Default Screen",
        "Allows to update all system fields.",
        [ScreenTab(10000, "Field Tab", list(templates.CLASSIC_SCREEN))],
    )
    data.counters.update(role_actor=10300, status=10100, issue_type=10100, sprint=0, board=0)
    data.application_properties.update(
        {"jira.title": "Jira sandbox", "jira.option.voting": "true", "jira.option.watching": "true"}
    )
