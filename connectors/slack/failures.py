"""What can go wrong on the way to Slack and back, and the one table that names who can act on it.

Slack refuses with HTTP 200 and a word (`{"ok": false, "error": "channel_not_found"}`); its incoming webhooks with a
status and that word as plain text. A 429 says that nothing was posted. Of an error on Slack's own side nobody can say
that.
"""

from __future__ import annotations

import httpx

from connectors.calls import Call, broken_call, in_doubt, quoted
from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.httpx_faults import fault_of
from connectors.pacing import whole_seconds

_CREDENTIAL = frozenset(
    {
        *("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"),
        *("no_service", "no_service_id", "no_active_hooks", "invalid_token", "no_team", "team_disabled"),
    }
)
_PERMISSION = frozenset(
    {
        *("missing_scope", "not_in_channel", "restricted_action", "ekm_access_denied", "access_denied"),
        *("no_permission", "action_prohibited", "posting_to_general_channel_denied", "org_login_required"),
        *("restricted_action_read_only_channel", "restricted_action_thread_only_channel"),
    }
)
_CHANNEL = frozenset({"channel_not_found", "is_archived", "channel_is_archived", "thread_not_found"})
_MESSAGE = frozenset(
    {
        *("invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text"),
        *("invalid_payload", "invalid_arguments", "metadata_too_large", "metadata_must_be_sent_from_app"),
        *("invalid_metadata_format", "invalid_metadata_schema", "too_many_attachments", "cannot_reply_to_message"),
    }
)
_RATE = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_THEIRS = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error"})

_CHANNELS = {
    "channel_not_found": "The channel does not exist, or the bot is not in it: copy its id again, and invite the bot.",
    "not_in_channel": "Invite the bot to the channel: /invite and its name, in Slack.",
    "missing_scope": "Give the app the scopes chat:write and channels:history (groups:history for a private channel),"
    " and install it again.",
}
_ARCHIVED = "Have somebody unarchive the channel, or name another one: phaseloop notify set NAME --channel ID"
_ANEW = "Make a new token or webhook in Slack and give it: phaseloop notify set NAME --credential-file FILE"


def broken(call: Call, error: BaseException, said: str) -> TrackerError:
    """The error to raise for a call without a usable answer; `said` is what is known of the reason."""
    found = broken_call(call, fault_of(error), "Slack", foreign, said)
    if isinstance(found, OutcomeUnknown):
        return unknown(call, "the connection broke or nothing came back in time")
    return found


def unknown(call: Call, what: str, status: int | None = None) -> OutcomeUnknown:
    """The error for a message of which nobody can say whether it was posted."""
    found = in_doubt(call, f"The message was sent to Slack at {call.host}{call.way.via}, but {what}", status)
    found.fix = "Look into the channel whether it is there."
    return found


def foreign(call: Call, what: str, status: int | None = None) -> TrackerError:
    """The error for an answer that Slack does not give; a message may have been posted all the same."""
    if call.writes and status is not None and status < 300:
        return unknown(call, f"was answered with {what}", status)
    return NotATracker(
        f"{call.host} answered{call.way.via} with {what}, not as Slack does.",
        fix="Check the address, and that no proxy stands in between.",
        request=str(call),
        status=status,
    )


def refused(call: Call, word: str, status: int, retry_after: float | None = None, more: str = "") -> TrackerError:
    """The error to raise for a refusal: Slack's own `word` for it, what else it said, and the status."""
    where, request = f"Slack at {call.host}", str(call)
    told = f"{word}: {more}" if more else word
    if status == httpx.codes.TOO_MANY_REQUESTS or word in _RATE:
        wait = retry_after if retry_after is not None else 30.0
        return TrackerUnavailable(
            f"{where} limits our rate.",
            fix=f"Try again in {whole_seconds(wait)} s.",
            request=request,
            status=status,
            retry_after=wait,
        )
    if word in _CREDENTIAL:
        message = f"{where} does not accept the credential ({word})."
        return CredentialsRefused(message, fix=_ANEW, request=request, status=status)
    if word in _PERMISSION:
        message = f"{where} does not let phaseloop post there ({told})."
        fix = _CHANNELS.get(word, "Ask an administrator of the workspace.")
        return PermissionMissing(message, fix=fix, request=request, status=status)
    if word in _CHANNEL:
        message = f"{where} takes no message for this channel ({word})."
        return NotVisible(message, fix=_CHANNELS.get(word, _ARCHIVED), request=request, status=status)
    if word in _MESSAGE or status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        message = f"{where} does not take the message ({quoted(told)})."
        return ItemRejected(message, [FieldProblem(None, told)], request=request, status=status)
    if word in _THEIRS or status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        if call.writes:
            return unknown(call, f"it failed there (HTTP {status}{f', {word}' if word else ''})", status)
        return TrackerUnavailable(f"{where} failed (HTTP {status}).", request=request, status=status)
    if not word:
        return foreign(call, f"HTTP {status}", status)
    return TrackerRefused(f"{where} refused ({quoted(told)}).", request=request, status=status)
