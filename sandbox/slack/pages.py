"""Pages for people: the channels, and a channel as its members see it. Plain HTML without scripts; every value is
escaped."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.jira.pages import environment, page_headers
from sandbox.slack.state import TOKEN, Channel, Message, Slack

_LINK = re.compile(r"<([^<>]*)>")
_STYLES = (
    (re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w_])_([^_\n]+)_(?![\w_])"), r"<em>\1</em>"),
    (re.compile(r"(?<![\w~])~([^~\n]+)~(?![\w~])"), r"<del>\1</del>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
)


def respond(slack: Slack, request: Request) -> Response | None:
    """The page that a request is for; none if it is for no page of Slack's."""
    parts = request.scope["path"].strip("/").split("/")
    if request.method not in {"GET", "HEAD"} or parts[0] != "slack":
        return None
    if len(parts) == 1:
        return _page(
            slack,
            "slack_index.html",
            base=f"{request.base_url.scheme}://{request.base_url.netloc}",
            token=TOKEN,
            webhooks=[
                {"secret": secret, "channel": slack.data.channels[channel].name}
                for secret, channel in slack.data.webhooks.items()
            ],
        )
    if len(parts) == 3 and parts[1] == "channels":
        channel = slack.named(parts[2])
        if channel is None:
            return _page(
                slack, "slack_message.html", 404, title="No such channel", text="There is no such channel here."
            )
        return _page(slack, "slack_channel.html", here=channel.id, channel=channel, messages=_messages(slack, channel))
    return None


def _page(slack: Slack, template: str, status: int = 200, **values: Any) -> Response:
    channels = [
        {"id": one.id, "name": one.name, "archived": one.archived, "member": one.member, "count": len(one.messages)}
        for one in slack.data.channels.values()
    ]
    now = slack.clock.now().strftime("%Y-%m-%d %H:%M")
    found = environment.get_template(template).render({"channels": channels, "here": None, "now": now, **values})
    return HTMLResponse(found, status_code=status, headers=page_headers)


def _messages(slack: Slack, channel: Channel) -> list[dict[str, Any]]:
    return [
        {**_shown(slack, one), "replies": [_shown(slack, reply) for reply in channel.replies(one.ts)]}
        for one in channel.on_top
    ]


def _shown(slack: Slack, message: Message) -> dict[str, Any]:
    at = datetime.fromtimestamp(float(message.ts), UTC)
    blocks = [_block(slack, one) for one in message.blocks] or [
        {"kind": "section", "texts": [mrkdwn(slack, message.text)]}
    ]
    return {
        "ts": message.ts,
        "at": f"{at:%Y-%m-%d %H:%M:%S}",
        "blocks": blocks,
        "edited": message.edited is not None,
    }


def _block(slack: Slack, block: dict[str, Any]) -> dict[str, Any]:
    texts = [block["text"]] if "text" in block else []
    texts += [*block.get("fields", []), *(one for one in block.get("elements", []) if "text" in one)]
    return {"kind": block["type"], "texts": [_text(slack, one) for one in texts]}


def _text(slack: Slack, value: dict[str, Any]) -> Markup:
    if isinstance(value["text"], dict):  # a button's
        value = value["text"]
    if value.get("type") == "plain_text":
        return Markup(html.escape(value["text"]))  # noqa: S704 - escaped right here
    return mrkdwn(slack, value["text"])


def mrkdwn(slack: Slack, text: str) -> Markup:
    """Slack's markup as HTML: what stands in angle brackets leads somewhere or mentions somebody, the rest is text."""
    parts: list[str] = []
    last = 0
    for found in _LINK.finditer(text):
        parts += [_styled(text[last : found.start()]), _reference(slack, found[1])]
        last = found.end()
    parts.append(_styled(text[last:]))
    return Markup("".join(parts))  # noqa: S704 - every part is escaped below


def _plain(text: str) -> str:
    """The text as people read it, as HTML."""
    for coded, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(coded, character)
    return html.escape(text)


def _styled(text: str) -> str:
    found = _plain(text)
    for pattern, put in _STYLES:
        found = pattern.sub(put, found)
    return found.replace("\n", "<br>")


def _reference(slack: Slack, text: str) -> str:
    target, _, label = text.partition("|")
    if target.startswith(("@", "!", "#")):
        known = slack.data.people.get(target[1:]) if target.startswith("@") else None
        shown = f"@{known.name}" if known is not None else label or target.replace("!", "@")
        return f'<span class="mention">{_plain(shown)}</span>'
    if not target.startswith(("https://", "http://", "mailto:")):
        return _plain(f"<{text}>")
    href = html.escape(target.replace("&amp;", "&"), quote=True)
    return f'<a href="{href}" rel="nofollow noreferrer">{_plain(label or target)}</a>'
