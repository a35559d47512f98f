"""Puts the Slack half together."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.limits import Limits
from sandbox.slack.api import SlackApp, SlackLimits
from sandbox.slack.state import Slack, SlackData, seed


@dataclass
class SlackWorld:
    """A live workspace, and what answers its routes."""

    state: Slack
    app: SlackApp


def make_slack(clock: Clock, limits: Limits, data: SlackData | None = None) -> SlackWorld:
    """A workspace with the given data, or freshly seeded. It keeps to the vendor's limits where the sandbox does."""
    state = Slack(data if data is not None else seed(), clock)
    return SlackWorld(state, SlackApp(state, SlackLimits(lambda: limits.enabled, lambda: limits.scale)))
