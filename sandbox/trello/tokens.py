"""Tokens, and webhooks by their own routes and by those of their token."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from sandbox.trello import nested
from sandbox.trello.boards import field_value
from sandbox.trello.errors import DUPLICATE_WEBHOOK, TrelloError, invalid, not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.params import LONGEST, Params
from sandbox.trello.state import Token, Webhook
from sandbox.trello.views import MEMBER_FIELDS

table = routes()

_SECONDS = 15.0


@table.get("/tokens/{token}")
async def get_token(call: Call) -> Json:
    """A token: whose it is, until when, and what it may do."""
    token, sent = call.named_token(), call.params
    body = nested.view(call).token(token, sent.fields())
    if sent.on("webhooks"):
        body["webhooks"] = [nested.view(call).webhook(one) for one in _of_token(call, token)]
    return body


@table.get("/tokens/{token}/member")
async def get_member(call: Call) -> Json:
    """Whose token it is."""
    member = call.trello.data.members[call.named_token().member_id]
    return nested.view(call).member(member, call.params.fields("fields", MEMBER_FIELDS))


@table.get("/tokens/{token}/{field}")
async def get_token_field(call: Call) -> Json:
    """One field of a token."""
    return field_value(nested.view(call).token(call.named_token()), call.path["field"])


@table.delete("/tokens/{token}")
async def delete_token(call: Call) -> Json:
    """Revoke a token; its webhooks end with it."""
    token = call.named_token()
    for webhook in _of_token(call, token):
        del call.trello.data.webhooks[webhook.id]
    del call.trello.data.tokens[token.value]
    call.trello.touch()
    return {"_value": None}


# -- webhooks ----------------------------------------------------------------------------------------------------------


def _of_token(call: Call, token: Token) -> list[Webhook]:
    return [one for one in call.trello.data.webhooks.values() if one.token == token.value]


def _webhook(call: Call) -> Webhook:
    """The webhook of the path, which must be of the caller's token."""
    call.caller()
    found = call.trello.data.webhooks.get(call.path["webhook"].lower())
    if found is None:
        raise not_found()
    if call.token is None or found.token != call.token.value:
        raise TrelloError(401, "unauthorized webhook permission requested")
    return found


def _require_model(call: Call, number: str | None) -> str:
    """The id of a model that the caller may see."""
    data = call.trello.data
    if number is None:
        raise invalid("idModel")
    if number in data.members or number in data.organizations:
        return number
    board_id = number
    for kept in (data.cards, data.lists, data.checklists, data.labels):
        if number in kept:
            board_id = kept[number].board_id
    board = data.boards.get(board_id)
    if board is None:
        raise invalid("idModel")
    call.open_board(board, "webhook")
    return number


async def _require_reachable(url: str | None) -> str:
    """An address that answers 200 to HEAD, which is asked while the caller waits."""
    parts = urlsplit(url or "")
    if url is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise invalid("callbackURL")
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False, follow_redirects=False) as client:
            status = str((await client.head(url)).status_code)
    except (httpx.HTTPError, httpx.InvalidURL):
        status = "no answer"  # wording unsure
    if status != "200":
        message = f"URL ({url}) did not return 200 status code, got {status}"
        raise TrelloError(400, body={"message": message, "error": "ERROR"})
    return url


def _require_new(call: Call, token: Token, model_id: str, url: str, but: str = "") -> None:
    alike = (one for one in _of_token(call, token) if (one.model_id, one.callback_url) == (model_id, url))
    if any(one.id != but for one in alike):
        raise TrelloError(400, DUPLICATE_WEBHOOK)


async def _create(call: Call, token: Token) -> Json:
    sent = call.params
    call.writer()
    description, active = sent.text("description", most=LONGEST) or "", sent.flag("active", True)
    model_id = _require_model(call, sent.id("idModel"))
    if sent.text("callbackURL") is None:
        raise invalid("callbackURL")
    _require_new(call, token, model_id, sent.text("callbackURL") or "")
    url = await _require_reachable(sent.text("callbackURL"))
    _require_new(call, token, model_id, url)
    made = Webhook(call.trello.new_id(), token.value, model_id, url, description, bool(active))
    call.trello.data.webhooks[made.id] = made
    call.trello.touch()
    return nested.view(call).webhook(made)


async def _update(call: Call, webhook: Webhook) -> Json:
    sent: Params = call.params
    call.writer()
    description, active = sent.text("description", most=LONGEST), sent.flag("active")
    model_id, url = webhook.model_id, webhook.callback_url
    if "idModel" in sent:
        model_id = _require_model(call, sent.id("idModel"))
    if "callbackURL" in sent:
        url = await _require_reachable(sent.text("callbackURL"))
    _require_new(call, call.trello.data.tokens[webhook.token], model_id, url, webhook.id)
    webhook.model_id, webhook.callback_url = model_id, url
    webhook.description = webhook.description if description is None else description
    if active is not None:
        webhook.active, webhook.failures, webhook.failing_since = active, 0, None
    call.trello.touch()
    return nested.view(call).webhook(webhook)


def _delete(call: Call, webhook: Webhook) -> Json:
    call.writer()
    del call.trello.data.webhooks[webhook.id]
    call.trello.touch()
    return {"_value": None}


@table.post("/webhooks")
async def create_webhook(call: Call) -> Json:
    """Register a webhook of the caller's token."""
    call.caller()
    if call.token is None:
        raise not_found()
    return await _create(call, call.token)


@table.get("/webhooks/{webhook}")
async def get_webhook(call: Call) -> Json:
    """One webhook."""
    return nested.view(call).webhook(_webhook(call))


@table.get("/webhooks/{webhook}/{field}")
async def get_webhook_field(call: Call) -> Json:
    """One field of a webhook."""
    return field_value(nested.view(call).webhook(_webhook(call)), call.path["field"])


@table.put("/webhooks/{webhook}")
async def update_webhook(call: Call) -> Json:
    """Change a webhook; a new address is asked first."""
    return await _update(call, _webhook(call))


@table.delete("/webhooks/{webhook}")
async def delete_webhook(call: Call) -> Json:
    """Delete a webhook."""
    return _delete(call, _webhook(call))


@table.get("/tokens/{token}/webhooks")
async def get_of_token(call: Call) -> Json:
    """The webhooks of a token."""
    token = call.named_token()
    return [nested.view(call).webhook(one) for one in _of_token(call, token)]


@table.post("/tokens/{token}/webhooks")
async def create_of_token(call: Call) -> Json:
    """Register a webhook of a token."""
    return await _create(call, call.named_token())


def _named_webhook(call: Call) -> Webhook:
    token = call.named_token()
    found = call.trello.data.webhooks.get(call.path["webhook"].lower())
    if found is None or found.token != token.value:
        raise not_found()
    return found


@table.get("/tokens/{token}/webhooks/{webhook}")
async def get_one_of_token(call: Call) -> Json:
    """One webhook of a token."""
    return nested.view(call).webhook(_named_webhook(call))


@table.put("/tokens/{token}/webhooks/{webhook}")
async def update_of_token(call: Call) -> Json:
    """Change a webhook of a token."""
    return await _update(call, _named_webhook(call))


@table.delete("/tokens/{token}/webhooks/{webhook}")
async def delete_of_token(call: Call) -> Json:
    """Delete a webhook of a token."""
    return _delete(call, _named_webhook(call))
