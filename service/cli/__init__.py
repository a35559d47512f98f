"""The command line door: parse, call a use case, show what came of it."""

from service.cli.main import main

__all__ = ["main"]
