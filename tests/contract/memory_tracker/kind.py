"""What there is to know of this tracker before one is reached: all that the product is told of it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.calls import Permit
from connectors.kinds import Kind
from connectors.network import Network
from connectors.port import Tracker
from tests.contract.memory_tracker.layout import CAPABILITIES


class MemorySettings(BaseModel):
    """The site's name, and the token of an account on it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    site: str = Field(min_length=1, description="the name of the site.")
    token: SecretStr = Field(min_length=1)


def _connect(settings: Any, _timeout: float | None, permit: Permit, _network: Network | None) -> Tracker:
    from tests.contract.memory_tracker.site import site_of
    from tests.contract.memory_tracker.tracker import MemoryTracker

    return MemoryTracker(site_of(settings.site), settings.token.get_secret_value(), permit=permit)


MEMORY = Kind(
    name="memory",
    title="Memory",
    settings=MemorySettings,
    secret_field="token",
    connect=_connect,
    project="project in memory",
    trash="the site's attic",
    admission="by giving it a desk",
    iteration_title_limit=CAPABILITIES.iteration_title_limit,
    address_field="site",
)
