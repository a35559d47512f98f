"""The command line door: parse, call a use case, show what came of it."""

import gc

# What is imported stays: looking through it for garbage again and again takes a sixth of the time to start.
gc.disable()

from service.cli.main import main  # noqa: E402

gc.freeze()
gc.enable()

__all__ = ["main"]
