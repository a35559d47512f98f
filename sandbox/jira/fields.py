"""The fields of a usual Jira Cloud site, and the custom field types that an administrator may add."""

from __future__ import annotations

from typing import Any

from sandbox.jira.state import Field, SiteData

GREENHOPPER = "com.pyxis.greenhopper.jira"
CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes"
SPRINT = "customfield_10020"
RANK = "customfield_10019"
EPIC_NAME = "customfield_10011"
EPIC_STATUS = "customfield_10012"
EPIC_COLOR = "customfield_10013"
EPIC_LINK = "customfield_10014"
START_DATE = "customfield_10015"
STORY_POINT_ESTIMATE = "customfield_10016"  # team-managed projects
FLAGGED = "customfield_10021"
STORY_POINTS = "customfield_10024"  # company-managed projects

# Key of a custom field type: its schema type, the type of its elements, and its usual searcher.
CUSTOM_TYPES: dict[str, tuple[str, str | None, str]] = {
    f"{CUSTOM}:textfield": ("string", None, f"{CUSTOM}:textsearcher"),
    f"{CUSTOM}:textarea": ("string", None, f"{CUSTOM}:textsearcher"),
    f"{CUSTOM}:url": ("string", None, f"{CUSTOM}:exacttextsearcher"),
    f"{CUSTOM}:readonlyfield": ("string", None, f"{CUSTOM}:textsearcher"),
    f"{CUSTOM}:float": ("number", None, f"{CUSTOM}:exactnumber"),
    f"{CUSTOM}:datepicker": ("date", None, f"{CUSTOM}:daterange"),
    f"{CUSTOM}:datetime": ("datetime", None, f"{CUSTOM}:datetimerange"),
    f"{CUSTOM}:select": ("option", None, f"{CUSTOM}:multiselectsearcher"),
    f"{CUSTOM}:radiobuttons": ("option", None, f"{CUSTOM}:multiselectsearcher"),
    f"{CUSTOM}:multiselect": ("array", "option", f"{CUSTOM}:multiselectsearcher"),
    f"{CUSTOM}:multicheckboxes": ("array", "option", f"{CUSTOM}:multiselectsearcher"),
    f"{CUSTOM}:labels": ("array", "string", f"{CUSTOM}:labelsearcher"),
    f"{CUSTOM}:userpicker": ("user", None, f"{CUSTOM}:userpickergroupsearcher"),
    f"{CUSTOM}:multiuserpicker": ("array", "user", f"{CUSTOM}:userpickergroupsearcher"),
    f"{CUSTOM}:people": ("array", "user", f"{CUSTOM}:userpickergroupsearcher"),
    f"{CUSTOM}:grouppicker": ("group", None, f"{CUSTOM}:grouppickersearcher"),
    f"{CUSTOM}:multigrouppicker": ("array", "group", f"{CUSTOM}:grouppickersearcher"),
    f"{CUSTOM}:cascadingselect": ("option-with-child", None, f"{CUSTOM}:cascadingselectsearcher"),
}
RICH_TEXT = {"description", "environment", f"{CUSTOM}:textarea"}


def _system(
    key: str, name: str, kind: str, items: str | None = None, clauses: list[str] | None = None, flags: str = "ons"
) -> Field:
    """``flags``: o orderable, n navigable, s searchable."""
    schema: dict[str, Any] = {"type": kind, "system": key}
    if items:
        schema = {"type": kind, "items": items, "system": key}
    return Field(
        key,
        name,
        schema,
        clauses if clauses is not None else [key],
        orderable="o" in flags,
        navigable="n" in flags,
        searchable="s" in flags,
    )


def custom_field(
    key: str, name: str, kind: str, value_type: str, items: str | None = None, description: str = ""
) -> Field:
    """A custom field of a type key."""
    number = int(key.removeprefix("customfield_"))
    schema: dict[str, Any] = {"type": value_type}
    if items:
        schema["items"] = items
    schema |= {"custom": kind, "customId": number}
    searcher = CUSTOM_TYPES[kind][2] if kind in CUSTOM_TYPES else None
    return Field(key, name, schema, [f"cf[{number}]", name], description=description, searcher=searcher)


def site_fields() -> list[Field]:
    """Every field of a fresh site."""
    flagged = custom_field(FLAGGED, "Flagged", f"{CUSTOM}:multicheckboxes", "array", "option")
    flagged.options = [{"id": "10019", "value": "Impediment"}]
    return [
        _system("summary", "Summary", "string"),
        _system("issuetype", "Issue Type", "issuetype", clauses=["issuetype", "type"]),
        _system("project", "Project", "project", flags="ns"),
        _system("description", "Description", "string"),
        _system("environment", "Environment", "string"),
        _system("status", "Status", "status", flags="ns"),
        Field(
            "statusCategory",
            "Status Category",
            {"type": "statusCategory", "system": "statusCategory"},
            ["statusCategory"],
            orderable=False,
        ),
        _system("priority", "Priority", "priority"),
        _system("resolution", "Resolution", "resolution"),
        _system("assignee", "Assignee", "user"),
        _system("reporter", "Reporter", "user"),
        _system("creator", "Creator", "user", flags="ns"),
        _system("labels", "Labels", "array", "string"),
        _system("components", "Components", "array", "component", ["component"]),
        _system("fixVersions", "Fix versions", "array", "version", ["fixVersion"]),
        _system("versions", "Affects versions", "array", "version", ["affectedVersion"]),
        _system("duedate", "Due date", "date", clauses=["due", "duedate"]),
        Field("parent", "Parent", {"type": "issuelink", "system": "parent"}, ["parent"], orderable=False),
        _system("subtasks", "Sub-tasks", "array", "issuelinks", ["subtasks"], "n"),
        _system("issuelinks", "Linked Issues", "array", "issuelinks", ["issueLinkType", "issueLink"]),
        _system("attachment", "Attachment", "array", "attachment", ["attachments"], "os"),
        _system("comment", "Comment", "comments-page", clauses=["comment"], flags="os"),
        _system("worklog", "Log Work", "array", "worklog", [], "o"),
        _system("created", "Created", "datetime", clauses=["created", "createdDate"], flags="ns"),
        _system("updated", "Updated", "datetime", clauses=["updated", "updatedDate"], flags="ns"),
        _system("resolutiondate", "Resolved", "datetime", clauses=["resolutiondate", "resolved"], flags="ns"),
        _system(
            "statuscategorychangedate", "Status Category Changed", "datetime", None, ["statusCategoryChangedDate"], "ns"
        ),
        _system("lastViewed", "Last Viewed", "datetime", clauses=["lastViewed"], flags="ns"),
        _system("timetracking", "Time tracking", "timetracking", clauses=[], flags="o"),
        _system("timespent", "Time Spent", "number", clauses=["timespent"], flags="n"),
        _system(
            "timeoriginalestimate",
            "Original estimate",
            "number",
            None,
            ["originalEstimate", "timeoriginalestimate"],
            "n",
        ),
        _system("timeestimate", "Remaining Estimate", "number", None, ["remainingEstimate", "timeestimate"], "n"),
        _system("aggregatetimespent", "Σ Time Spent", "number", clauses=[], flags="n"),
        _system("aggregatetimeoriginalestimate", "Σ Original Estimate", "number", clauses=[], flags="n"),
        _system("aggregatetimeestimate", "Σ Remaining Estimate", "number", clauses=[], flags="n"),
        _system("progress", "Progress", "progress", clauses=["progress"], flags="n"),
        _system("aggregateprogress", "Σ Progress", "progress", clauses=[], flags="n"),
        _system("workratio", "Work Ratio", "number", clauses=["workratio"], flags="ns"),
        _system("votes", "Votes", "votes", clauses=["votes"], flags="n"),
        _system("watches", "Watchers", "watches", clauses=["watchers"], flags="n"),
        _system("security", "Security Level", "securitylevel", clauses=["level"]),
        Field("issuekey", "Key", {}, ["id", "issue", "issuekey", "key"], orderable=False, searchable=False),
        Field("thumbnail", "Images", {}, [], orderable=False, searchable=False),
        custom_field(EPIC_NAME, "Epic Name", f"{GREENHOPPER}:gh-epic-label", "string"),
        custom_field(EPIC_STATUS, "Epic Status", f"{GREENHOPPER}:gh-epic-status", "option"),
        custom_field(EPIC_COLOR, "Epic Color", f"{GREENHOPPER}:gh-epic-color", "string"),
        custom_field(EPIC_LINK, "Epic Link", f"{GREENHOPPER}:gh-epic-link", "any"),
        custom_field(START_DATE, "Start date", f"{CUSTOM}:datepicker", "date"),
        custom_field(STORY_POINT_ESTIMATE, "Story point estimate", f"{GREENHOPPER}:jsw-story-points", "number"),
        custom_field(RANK, "Rank", f"{GREENHOPPER}:gh-lexo-rank", "any"),
        custom_field(SPRINT, "Sprint", f"{GREENHOPPER}:gh-sprint", "array", "json"),
        flagged,
        custom_field(STORY_POINTS, "Story Points", f"{CUSTOM}:float", "number"),
    ]


def is_rich(field: Field) -> bool:
    """Whether the field holds rich text: ADF on version 3, wiki markup on version 2."""
    return field.id in RICH_TEXT or field.schema.get("custom") in RICH_TEXT


def add_custom_field(data: SiteData, name: str, kind: str, description: str, searcher: str | None) -> Field:
    """Create a custom field of one of ``CUSTOM_TYPES`` with the next free id."""
    data.counters["field"] = data.counters.get("field", 10100) + 1
    type_, items, _ = CUSTOM_TYPES[kind]
    field = custom_field(f"customfield_{data.counters['field']}", name, kind, type_, items, description)
    field.searcher = searcher or field.searcher
    data.fields[field.id] = field
    return field
