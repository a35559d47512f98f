"""Where a token with scopes works: at the vendor's gateway, under the site's cloud id.

The vendor refuses such a token at the site with a plain 401, and says nowhere which kind a token is. So where a site
refuses one, its cloud id is read, which it tells everybody, and the gateway is asked whether it knows the token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from connectors.calls import permitted
from connectors.errors import NetworkMisconfigured
from connectors.jira.failures import lacks_scope
from connectors.jira.gate import Gate
from connectors.jira.settings import JiraSettings
from connectors.network import Network, said_by

TENANT_INFO = "/_edge/tenant_info"


@dataclass(frozen=True, slots=True)
class Found:
    """Where the token works, empty if nowhere else; and then what is known of the reason, as a sentence."""

    url: str = ""
    why: str = ""


def find(settings: JiraSettings, network: Network, timeout: tuple[float, float], count: Callable[[], None]) -> Found:
    """Ask the site for its cloud id and the gateway for the token. Two reads; `count` is called for each."""
    with requests.Session() as session:
        session.trust_env = False
        gate = Gate(permitted)
        for scheme in ("http://", "https://"):
            session.mount(scheme, gate)

        def get(base: str, path: str, auth: tuple[str, str] | None = None) -> requests.Response:
            chosen = network.way_to(base)
            gate.guard = chosen.guard
            way = chosen.for_requests()
            count()
            headers = {"User-Agent": "phaseloop", "Accept": "application/json"}
            return session.get(base + path, auth=auth, headers=headers, timeout=timeout, allow_redirects=False, **way)

        try:
            cloud = _cloud_id(get(settings.url, TENANT_INFO))
        except (requests.RequestException, NetworkMisconfigured):
            cloud = ""
        address = settings.at_gateway(cloud)
        if not address:
            return Found()  # no Cloud site: there is no gateway to it
        host = urlsplit(address).netloc
        try:
            answer = get(address, "/rest/api/2/myself", (settings.email, settings.token.get_secret_value()))
        except NetworkMisconfigured as error:
            return Found(why=f"The gateway at {host}, where tokens with scopes work, could not be asked: {error}")
        except requests.RequestException as error:
            reason = said_by(error) or "no answer came"
            return Found(why=f"The gateway at {host}, where tokens with scopes work, could not be asked ({reason}).")
        if answer.status_code in (200, 403) or lacks_scope(answer.status_code, _json(answer)):
            return Found(address)
        return Found(why=f"The gateway at {host}, where tokens with scopes work, does not accept it either.")


def _cloud_id(answer: requests.Response) -> str:
    value = _json(answer) if answer.status_code == 200 else None
    found = value.get("cloudId") if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
