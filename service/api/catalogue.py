"""Every kind of problem that the REST API answers with: its stable code, status, cause and mend.

The table is what the handlers, the OpenAPI document and `docs/reference/problems.md` agree on; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "urn:phaseloop:problem:"
"""Type URIs are this prefix and the code. They name a kind of problem and are not meant to be fetched."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `title` is always the same for it; `cause` and `mend` are for its page in the reference."""

    code: str
    status: int
    title: str
    cause: str
    mend: str

    @property
    def type(self) -> str:
        """The URI that identifies it."""
        return PREFIX + self.code


_KINDS = (
    Kind(
        "malformed-request",
        400,
        "The body cannot be read",
        "The body is not JSON or not UTF-8 text, or a header has a value that it cannot have.",
        "Send the body in the form that its Content-Type says. `detail` names the place where reading stopped.",
    ),
    Kind(
        "unauthorized",
        401,
        "A token is needed",
        "There is no `Authorization: Bearer ...` header, or its token is not one of this service's.",
        "Make a token with `phaseloop tokens create NAME` and send it with every request.",
    ),
    Kind(
        "not-found",
        404,
        "There is no such thing",
        "Nothing has the id or name in the address or in the body.",
        "List the collection to see what there is; `detail` says how to make a new one.",
    ),
    Kind(
        "unknown-address",
        404,
        "There is nothing at this address",
        "The path is not one of the API's.",
        "Look the path up in `/api/v1/openapi.json`.",
    ),
    Kind(
        "method-not-allowed",
        405,
        "The address does not take this method",
        "The path exists, but not for this method. The `Allow` header names those it takes.",
        "Use one of these methods.",
    ),
    Kind(
        "name-taken",
        409,
        "The name is taken",
        "A connection or a team of that name exists already.",
        "Choose another name, or replace the existing one with PUT.",
    ),
    Kind(
        "project-exists",
        409,
        "The project exists",
        "The key means a project of the tracker that is set up already, here or over another connection.",
        "Make a plan for that one.",
    ),
    Kind(
        "ambiguous",
        409,
        "Several go by that name",
        "The key belongs to projects on several connections.",
        "Use the id of the one that is meant; `detail` lists them. Remove one that is not needed.",
    ),
    Kind(
        "conflict",
        409,
        "It clashes with what is there",
        "The request contradicts the present state.",
        "Read the state again, then decide.",
    ),
    Kind(
        "plan-stale",
        409,
        "The plan is stale",
        "A plan of this project was applied, or a run of it ended, after this plan was made.",
        "Make a new plan; it shows what is left to do.",
    ),
    Kind(
        "plan-expired",
        409,
        "The plan has expired",
        "The plan was made longer ago than PHASELOOP_PLAN_HOURS (24), and was not applied before.",
        "Make a new plan: it sees the tracker as it is now. `expires_at` of a plan says until when it can be applied.",
    ),
    Kind(
        "plan-blocked",
        409,
        "The plan has errors",
        "The plan has findings of severity error. `errors` holds them.",
        "Mend each as its `fix` says, then make a new plan.",
    ),
    Kind(
        "run-state",
        409,
        "The run's state does not allow it",
        "A run that has ended cannot be cancelled, one that completed has nothing left to do, one that is at work "
        "cannot be retried.",
        "`detail` says what the run's state is and what can be done with it.",
    ),
    Kind(
        "project-ended",
        409,
        "The project has ended",
        "The project was removed: it takes no more plans, and those made before are not applied.",
        "Set a new project up; the key can be used anew.",
    ),
    Kind(
        "loop-not-begun",
        409,
        "The loop has not begun",
        "The project's loop begins when its first plan was applied.",
        "Make a plan and apply it; the loop is there as soon as that run has ended.",
    ),
    Kind(
        "loop-ended",
        409,
        "The loop has ended",
        "The last iteration was closed: no further one begins.",
        "Set a new project up.",
    ),
    Kind(
        "loop-paused",
        409,
        "The loop is paused",
        "Nothing advances while the loop is paused. `detail` says why it is.",
        "Resume the loop, then advance.",
    ),
    Kind(
        "loop-moved-on",
        409,
        "The loop moved on just now",
        "An iteration began, or somebody changed the loop, while the request was being done.",
        "Read the loop again, then decide.",
    ),
    Kind(
        "no-iteration",
        409,
        "No iteration goes on",
        "There is nothing to decide or to answer before the first iteration has begun.",
        "Wait until it has begun, or advance now.",
    ),
    Kind(
        "advance-at-work",
        409,
        "An advance is at work",
        "The run that begins the next iteration is under way or held, and has looked already.",
        "Wait until it has ended, or cancel it, which pauses the loop.",
    ),
    Kind(
        "nothing-to-undo",
        409,
        "Nothing of the run is left",
        "All that the run did was taken back already, or it did nothing.",
        "Nothing is to be done.",
    ),
    Kind(
        "unsettled",
        409,
        "A call's outcome is not known yet",
        "The run lost the answer to a call of its own shortly ago, and the tracker may still be at work on it.",
        "Send the same request again after as many seconds as `detail` says.",
    ),
    Kind(
        "idempotency-key-in-use",
        409,
        "The first request is still at work",
        "A request with the same `Idempotency-Key` has not been answered yet.",
        "Wait as long as `Retry-After` says and send the same request again.",
    ),
    Kind(
        "version-mismatch",
        412,
        "It was changed meanwhile",
        "`If-Match` does not hold the present `ETag`.",
        "Read it again, bring your change into what you read, and send the new `ETag`.",
    ),
    Kind(
        "body-too-large",
        413,
        "The body is too large",
        "Bodies may have 2 MB (2,000,000 bytes), a binder to be verified 32 MB (32,000,000 bytes).",
        "Send less. Templates and teams of this size do not occur; check that it is the right file. A larger binder is "
        "verified by `phaseloop audit verify FILE`.",
    ),
    Kind(
        "unsupported-media-type",
        415,
        "The body's type is not taken here",
        "The `Content-Type` is missing or not one that this address takes.",
        "Send one of the types that `detail` names.",
    ),
    Kind(
        "invalid-input",
        422,
        "The input is not right",
        "Fields, parameters, a template or a team break a rule. `errors` holds everything that was found.",
        "Mend what `errors` names: `pointer` leads into the body, `parameter` or `header` name the others.",
    ),
    Kind(
        "idempotency-key-reused",
        422,
        "The key belongs to another request",
        "The `Idempotency-Key` was used for a request with another body or address in the last 24 hours.",
        "Use a new key for every new request, and the old one only to repeat it unchanged.",
    ),
    Kind(
        "precondition-required",
        428,
        "If-Match is needed",
        "Replacing needs an `If-Match` header, so that nobody overwrites what they have not seen.",
        "Read the resource and send its `ETag` as `If-Match`.",
    ),
    Kind(
        "internal-error",
        500,
        "phaseloop itself failed",
        "A mistake of ours. Nothing about it is shown here; it is in the service's log.",
        "Report it together with the request's id, which is in `instance` and in `X-Request-Id`.",
    ),
    Kind(
        "credential-unreadable",
        500,
        "A stored credential cannot be decrypted",
        "The connection's credential was encrypted with a key that the service does not have any more.",
        "Put the old key back, or replace the connection with its credential.",
    ),
    Kind(
        "tracker-credentials-refused",
        502,
        "The tracker does not accept the credential",
        "The account or its token is wrong, expired or revoked.",
        "Make a new token in the tracker and replace the connection.",
    ),
    Kind(
        "tracker-permission-missing",
        502,
        "The account may not do this in the tracker",
        "The tracker knows the account, which lacks a permission there. `detail` names it.",
        "An administrator of the project or site grants it.",
    ),
    Kind(
        "tracker-not-visible",
        502,
        "The tracker does not show it",
        "It does not exist in the tracker, or the account may not see it; trackers do not say which.",
        "Check the key, then the account's access.",
    ),
    Kind(
        "tracker-refused",
        502,
        "The tracker said no",
        "The tracker understood the request and refused it. `errors` says why, where it said so.",
        "Do what `detail` says; the same request will be refused again.",
    ),
    Kind(
        "tracker-unknown-outcome",
        502,
        "The tracker's answer was lost",
        "Something was sent to the tracker and no trustworthy answer came back.",
        "Make a new plan: it looks for what happened.",
    ),
    Kind(
        "not-a-tracker",
        502,
        "The address is not a tracker's",
        "The connection's address answered, but not as a tracker's API does: a login page, a proxy, nothing.",
        "Check the connection's address.",
    ),
    Kind(
        "network-misconfigured",
        502,
        "This machine's way to the tracker is not usable",
        "The certificates that the service trusts, or its proxy, stand in the way. Nothing was sent to the tracker.",
        "Set what `detail` names: `PHASELOOP_CA_BUNDLE`, `HTTPS_PROXY` or `NO_PROXY` of the service.",
    ),
    Kind(
        "tracker-unavailable",
        503,
        "The tracker is not available",
        "The tracker did not answer, limits requests or is being maintained. Nothing was written.",
        "Wait as long as `Retry-After` says and send the same request again.",
    ),
    Kind(
        "store-unavailable",
        503,
        "The database does not answer",
        "The service cannot reach its database, or the database is too busy.",
        "Send the same request again in a moment; if it stays so, look at the database.",
    ),
    Kind(
        "not-ready",
        503,
        "The service is not ready",
        "The database does not answer, its tables are of another version, or the engine was not launched. "
        "`errors` names what is missing.",
        "Do what `errors` says; for tables of another version run `phaseloop db upgrade`.",
    ),
)

KINDS: dict[str, Kind] = {kind.code: kind for kind in _KINDS}
"""All kinds by code."""
