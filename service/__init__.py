"""phaseloop's service: templates planned, applied as durable runs, and shown through CLI and REST."""

__version__ = "0.2.0"
