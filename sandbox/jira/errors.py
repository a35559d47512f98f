"""Refusals in the vendor's own words and shapes.

Texts marked *observed* were seen in answers of a real Jira Cloud site; the others follow public reports or, where it
says unsure, the shape alone is certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ISSUE_NOT_FOUND = "Issue does not exist or you do not have permission to see it."  # observed
BAD_JSON = "There was an error parsing JSON. Check that your request body is valid."  # observed
BAD_PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."  # observed
BAD_PROJECT = "Specify a valid project ID or key"  # observed
BAD_ISSUE_TYPE = "Specify an issue type"  # observed
NO_TRANSITION_ID = "Missing 'transition' identifier"  # observed
BAD_COMMENT = "Comment body is not valid!"  # observed
BAD_PAGE_TOKEN = "The provided next page token is invalid or expired."  # observed
BAD_MAX_RESULTS = "The max results parameter has to be between 1 and 5,000."  # observed
UNBOUNDED_JQL = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."  # observed
SEARCH_REMOVED = (  # observed
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline"
    " is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
SUMMARY_MISSING = "You must specify a summary of the issue."
SUMMARY_NEWLINES = "The summary is invalid because it contains newline characters."
SUMMARY_LONG = "Summary can't exceed 255 characters."
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
NOT_STRING = "Operation value must be a string"
ONLY_ACCOUNT_ID = "'accountId' must be the only user identifying query parameter in GDPR strict mode."
NO_USERNAME = "The query parameter 'username' is not supported in GDPR strict mode."
SPRINT_NOT_NUMBER = "Number value expected as the Sprint id."


class ApiError(Exception):
    """A refusal. ``messages`` and ``errors`` make the vendor's usual body; ``body`` replaces it whole."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        bare: bool = False,
    ) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = list(messages)
        self.errors = dict(errors or {})
        self._body = body
        self._bare = bare
        self.headers = dict(headers or {})

    @property
    def body(self) -> Any:
        """The JSON body. Refusals of the body's parser carry ``errorMessages`` only (observed)."""
        if self._body is not None:
            return self._body
        if self._bare:
            return {"errorMessages": self.messages}
        return {"errorMessages": self.messages, "errors": self.errors}

    def element(self) -> dict[str, Any]:
        """The same refusal as the ``elementErrors`` of a bulk answer."""
        return {"errorMessages": self.messages, "errors": self.errors}


def bad_request(*messages: str, **errors: str) -> ApiError:
    """400 with messages, or with errors by field."""
    return ApiError(400, *messages, errors=errors)


def invalid_payload() -> ApiError:
    """400 for a body of the wrong shape or with members the vendor does not know (observed)."""
    return ApiError(400, BAD_PAYLOAD, bare=True)


def unauthenticated() -> ApiError:
    """401 for no or wrong credentials. The text is known; the body's form is unsure (text, ``message`` and this one
    have all been reported, and this one fits the vendor's document wherever it declares a body)."""
    return ApiError(
        401,
        "Client must be authenticated to access this resource.",
        headers={"X-Seraph-LoginReason": "AUTHENTICATED_FAILED", "WWW-Authenticate": 'OAuth realm="jira"'},
    )


def forbidden(message: str = "You do not have permission to perform this operation.") -> ApiError:
    """403; the vendor's wording differs by route and is unsure for most."""
    return ApiError(403, message)


def not_found(message: str) -> ApiError:
    """404 in the usual shape."""
    return ApiError(404, message)


def issue_not_found() -> ApiError:
    """404 for an issue that is not there or not to be seen."""
    return not_found(ISSUE_NOT_FOUND)


def project_not_found(id_or_key: str) -> ApiError:
    """404 for a project; the vendor words ids and keys differently."""
    what = "id" if id_or_key.isdigit() else "key"
    return not_found(f"No project could be found with {what} '{id_or_key}'.")


def off_screen(field_id: str) -> str:
    """The text for a field that the screen does not show (observed)."""
    return f"Field '{field_id}' cannot be set. It is not on the appropriate screen, or unknown."
