"""Webhooks of a site: the administrators' route, and what is sent when something happens.

``/rest/webhooks/1.0/webhook`` is not in the vendor's OpenAPI document; its shapes follow the vendor's page on
webhooks.  The dynamic route ``/rest/api/3/webhook`` is for apps only, so that callers with an API token are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import times
from sandbox.jira.access import require_admin
from sandbox.jira.deliveries import Deliveries
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.issue_view import bean, comment_body, history_body, worklog_body
from sandbox.jira.jql import JqlError, parse
from sandbox.jira.jql_search import prepare
from sandbox.jira.state import Event, Issue, IssueLink, Project, Site, Sprint, Version, Webhook, Worklog
from sandbox.jira.views import Body, View

FILTER = "issue-related-events-section"
EVENTS = frozenset(
    {
        *(f"jira:issue_{what}" for what in ("created", "updated", "deleted")),
        *(f"comment_{what}" for what in ("created", "updated", "deleted")),
        *(f"worklog_{what}" for what in ("created", "updated", "deleted")),
        *(f"issuelink_{what}" for what in ("created", "deleted")),
        *(f"issue_property_{what}" for what in ("set", "deleted")),
        *(f"attachment_{what}" for what in ("created", "deleted")),
        *(f"sprint_{what}" for what in ("created", "updated", "started", "closed", "deleted")),
        *(f"board_{what}" for what in ("created", "updated", "deleted", "configuration_changed")),
        *(f"project_{what}" for what in ("created", "updated", "deleted", "soft_deleted", "restored_deleted")),
        *(f"project_{what}" for what in ("archived", "restored_archived")),
        *(f"user_{what}" for what in ("created", "updated", "deleted")),
        *(f"jira:version_{what}" for what in ("created", "updated", "released", "unreleased", "deleted", "moved")),
        *(f"option_{what}_changed" for what in ("voting", "watching", "unassigned_issues", "subtasks", "attachments")),
        *(f"option_{what}_changed" for what in ("issuelinks", "timetracking")),
    }
)
_MEMBERS = frozenset({"name", "url", "events", "filters", "excludeBody", "secret", "enabled", "description"})

admin = Routes("/rest/webhooks/1.0")
dynamic = Routes("/rest/api/2", "/rest/api/3")


# -- the administrators' route -------------------------------------------------------------------------------------


def _body(call: Call, hook: Webhook) -> Body:
    editor = call.site.data.users.get(hook.updated_by)
    return {
        "name": hook.name,
        "url": hook.url,
        "description": hook.description,
        "excludeBody": hook.exclude_body,
        "filters": {FILTER: hook.filters.get(FILTER, "")},
        "events": hook.events,
        "enabled": hook.enabled,
        "isSigned": hook.secret is not None,
        "self": call.url(f"/rest/webhooks/1.0/webhook/{hook.id}"),
        "lastUpdatedUser": hook.updated_by,
        "lastUpdatedDisplayName": editor.display_name if editor else "",
        "lastUpdated": times.epoch_ms(hook.updated),
    }


def _hook(call: Call) -> Webhook:
    number = call.path["webhookId"]
    hook = call.site.data.webhooks.get(int(number)) if number.isdigit() else None
    if hook is None:
        raise not_found(f"No webhook with id {number} exists.")
    return hook


@admin.get("/webhook")
async def list_webhooks(call: Call) -> Response:
    """All webhooks, for administrators."""
    require_admin(call)
    return answer([_body(call, hook) for hook in call.site.data.webhooks.values()])


@admin.get("/webhook/{webhookId}")
async def get_webhook(call: Call) -> Response:
    """One webhook."""
    require_admin(call)
    return answer(_body(call, _hook(call)))


@admin.post("/webhook")
async def create_webhook(call: Call) -> Response:
    """Register a webhook; events the vendor does not know and filters that do not parse are refused."""
    user = require_admin(call)
    sent = await call.members()
    number = call.site.next_id("webhook", 1)
    hook = Webhook(number, "", "", [], call.site.clock.now(), user.account_id)
    _take(call, hook, sent)
    if not hook.name or not hook.url:
        raise bad_request("Webhook name and URL must be given.")
    call.site.data.webhooks[number] = hook
    call.site.touch()
    return answer(_body(call, hook), 201, {"location": call.url(f"/rest/webhooks/1.0/webhook/{number}")})


@admin.put("/webhook/{webhookId}")
async def update_webhook(call: Call) -> Response:
    """Change a webhook; members that are not sent stay."""
    user = require_admin(call)
    hook = _hook(call)
    _take(call, hook, await call.members())
    hook.updated, hook.updated_by = call.site.clock.now(), user.account_id
    call.site.touch()
    return answer(_body(call, hook))


@admin.delete("/webhook/{webhookId}")
async def delete_webhook(call: Call) -> Response:
    """Remove a webhook; deliveries already under way continue."""
    require_admin(call)
    del call.site.data.webhooks[_hook(call).id]
    call.site.touch()
    return no_content()


def _take(call: Call, hook: Webhook, sent: dict[str, Any]) -> None:
    """Put the sent members into a webhook; raises before anything is changed."""
    url = sent.get("url", hook.url)
    if not isinstance(url, str) or (url and urlsplit(url).scheme not in {"http", "https"}):
        raise bad_request("The URL of a webhook must be an absolute http or https address.")
    events = sent.get("events", hook.events)
    if not isinstance(events, list) or any(event not in EVENTS for event in events):
        unknown = [str(event) for event in events if event not in EVENTS] if isinstance(events, list) else ["events"]
        raise bad_request(f"Unknown webhook events: {', '.join(unknown)}")
    filters = sent.get("filters", hook.filters) or {}
    jql = filters.get(FILTER, "") if isinstance(filters, dict) else None
    if not isinstance(jql, str):
        raise bad_request("The filters of a webhook are an object of JQL queries.")
    if jql:
        try:
            prepare(call.site, call.user, parse(jql))
        except JqlError as error:
            raise bad_request(*error.messages) from error
    hook.name, hook.url, hook.events, hook.filters = str(sent.get("name", hook.name)), url, events, {FILTER: jql}
    hook.exclude_body = sent.get("excludeBody", hook.exclude_body) is True
    hook.enabled = sent.get("enabled", hook.enabled) is True
    hook.description = str(sent.get("description") or hook.description)
    secret = sent.get("secret", hook.secret)
    hook.secret = str(secret) if secret else None


# -- the apps' route -----------------------------------------------------------------------------------------------


@dynamic.get("/webhook", "/webhook/failed")
@dynamic.post("/webhook")
@dynamic.put("/webhook/refresh")
@dynamic.delete("/webhook")
async def refuse_dynamic_webhooks(call: Call) -> Response:
    """403: only Connect and OAuth 2.0 apps may use dynamic webhooks (the vendor's wording is unsure)."""
    call.caller()
    raise ApiError(403, "Only Connect and OAuth 2.0 apps can use this operation.")


# -- what is sent --------------------------------------------------------------------------------------------------


class Sender:
    """Listens to a site and hands payloads to the deliveries, one for each webhook that wants the event."""

    def __init__(self, site: Site, deliveries: Deliveries) -> None:
        self.site = site
        self.deliveries = deliveries
        site.listeners.append(self)

    def __call__(self, event: Event) -> None:
        """Deliver an event to every webhook that wants it."""
        hooks = [hook for hook in self.site.data.webhooks.values() if hook.enabled and event.name in hook.events]
        payload: Body | None = None
        for hook in hooks:
            if not self._wanted(hook, event):
                continue
            payload = payload or payload_of(self.site, event)
            url = _filled(hook.url, event, self.site)
            sent = None if hook.exclude_body else payload
            self.deliveries.send(hook.id, event.name, url, hook.secret, sent)

    def _wanted(self, hook: Webhook, event: Event) -> bool:
        """Whether the webhook's JQL fits the event's issue; events without an issue are not filtered."""
        jql = hook.filters.get(FILTER)
        if not jql or event.issue is None:
            return True
        owner = self.site.data.users.get(hook.updated_by)
        try:
            return prepare(self.site, owner, parse(jql)).matches(event.issue)
        except JqlError:
            return False


def payload_of(site: Site, event: Event) -> Body:
    """The body of an event. ``issue`` has the shape of version 2: text as wiki markup."""
    view = View(site, site.base_url, 2, site.data.users.get(event.actor))
    body: Body = {"timestamp": times.epoch_ms(event.at), "webhookEvent": event.name}
    if event.name.startswith("jira:issue_"):
        return body | _issue_event(view, event)
    if event.comment is not None:
        body["comment"] = _comment(view, event)
    if event.issue is not None and not isinstance(event.subject, Worklog):
        body["issue"] = _short(view, event.issue)
    return body | _subject(view, event)


def _issue_event(view: View, event: Event) -> Body:
    issue = event.issue
    body: Body = {"issue_event_type_name": event.extra.get("issue_event_type_name", "issue_updated")}
    body["user"] = _person(view, event.actor)
    if issue is not None:
        body["issue"] = bean(view, issue)
    if event.history is not None:
        shown = history_body(view, event.history)
        items = []
        for shown_item, item in zip(shown["items"], event.history.items, strict=True):
            # Unlike the REST document, webhooks carry null for an empty side.
            nulls = {"from": item.before, "fromString": item.before_text, "to": item.after, "toString": item.after_text}
            items.append({**shown_item, **nulls})
        body["changelog"] = {"id": event.history.id, "items": items}
    if event.comment is not None:
        body["comment"] = _comment(view, event)
    return body


def _person(view: View, account: str) -> Body:
    """A person without the e-mail address, which webhooks leave out."""
    body = view.maybe_user(account) or {}
    body.pop("emailAddress", None)
    return body


def _comment(view: View, event: Event) -> Body:
    if event.comment is None or event.issue is None:
        return {}
    return comment_body(view, event.issue, event.comment)


def _short(view: View, issue: Issue) -> Body:
    wanted = ("summary", "issuetype", "project", "assignee", "priority", "status")
    body = bean(view, issue, wanted)
    return {key: body[key] for key in ("id", "self", "key", "fields")}


def _subject(view: View, event: Event) -> Body:
    subject = event.subject
    if isinstance(subject, Sprint):
        from sandbox.jira.agile_view import sprint_body

        return {"sprint": sprint_body(view, subject), **event.extra}
    if isinstance(subject, IssueLink):
        return {
            "issueLink": {
                "id": int(subject.id),
                "sourceIssueId": int(subject.inward_id),
                "destinationIssueId": int(subject.outward_id),
                "issueLinkType": view.link_type(subject.type_id),
                "systemLink": False,
            }
        }
    if isinstance(subject, Worklog) and event.issue is not None:
        return {"worklog": worklog_body(view, event.issue, subject)}
    if isinstance(subject, Version):
        return {"version": view.version_body(subject)}
    if isinstance(subject, Project):
        return {"project": view.project_ref(subject)}
    if event.name.startswith("issue_property_"):
        return {"property": dict(event.extra)}
    return dict(event.extra)


_VARIABLES: dict[str, Callable[[Event, Site], object]] = {
    "issue.id": lambda event, _site: event.issue.id if event.issue else "",
    "issue.key": lambda event, _site: event.issue.key if event.issue else "",
    "project.id": lambda event, _site: event.issue.project_id if event.issue else "",
    "project.key": lambda event, site: site.data.projects[event.issue.project_id].key if event.issue else "",
    "comment.id": lambda event, _site: event.comment.id if event.comment else "",
    "sprint.id": lambda event, _site: event.subject.id if isinstance(event.subject, Sprint) else "",
    "modifiedUser.accountId": lambda event, _site: event.actor,
}


def _filled(url: str, event: Event, site: Site) -> str:
    """The address with its variables, such as ``${issue.key}``, filled in."""

    def value(match: re.Match[str]) -> str:
        known = _VARIABLES.get(match[1])
        return str(known(event, site)) if known else match[0]

    return re.sub(r"\$\{([\w.]+)\}", value, url)
