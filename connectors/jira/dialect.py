"""Where Jira Cloud and Jira Data Center differ, in one place, so that Data Center can follow.

Only Cloud is offered now. Known differences of Data Center, for whoever adds it: people are named by `name`, not by
account id; search is `search` with `startAt` and there is no bulk fetch; an epic is joined through the field whose
schema is `gh-epic-link` and needs its `gh-epic-label`; issue types carry no hierarchy level; create metadata answers
with `values`; sprints can start and stop by themselves (`autoStartStop`); a token is sent as `Bearer`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.values import Finding, Severity

CLOUD = "Cloud"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names one kind of Jira uses on the wire."""

    person: str
    """The field that names a person in an assignee."""
    search: str
    """The search route, below the REST root."""
    bulk_fetch: str
    """The route that reads many issues by id, strongly consistent."""


CLOUD_DIALECT = Dialect(person="accountId", search="search/jql", bulk_fetch="issue/bulkfetch")


def deployment_of(server_info: Any) -> str:
    """What kind of Jira answered: `Cloud`, `Server`, ... An answer that does not say is taken for Cloud, where the
    field is always present by the vendor's word, but not by every stand-in's."""
    named = server_info.get("deploymentType") if isinstance(server_info, dict) else None
    return named if isinstance(named, str) and named else CLOUD


def unsupported(deployment: str, host: str) -> Finding | None:
    """The finding for a Jira that this connector does not speak to; None for Cloud."""
    if deployment == CLOUD:
        return None
    return Finding(
        Severity.ERROR,
        "deployment-unsupported",
        f"{host} is Jira {deployment} (Data Center or Server); phaseloop speaks to Jira Cloud only.",
        "Use a connection to a Jira Cloud site (https://<name>.atlassian.net).",
        subject=host,
    )
