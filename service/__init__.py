"""phaseloop's service: templates planned, applied as durable runs, and shown through CLI and REST."""
