"""Commands that are loaded when they are called: to tell its version or list its commands, the program imports none."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, cast

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Later:
    """Where a command or a group of them is, and what the list of commands says of it: its own first sentence."""

    module: str
    name: str
    summary: str

    def load(self, command: str) -> Any:
        """The command, as the program would have it if it had been there from the beginning."""
        with _uncollected():
            found = getattr(import_module(f"service.cli.{self.module}"), self.name)
        program = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
        if isinstance(found, typer.Typer):
            program.add_typer(found, name=command)
        else:
            program.command(command)(found)
        return typer.main.get_group(program).commands[command]


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is imported stays: looking through it for garbage again and again takes a sixth of the time to start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _Loading(Mapping[str, Any]):
    """Commands by name; each is loaded once, when it is asked for."""

    def __init__(self, places: Mapping[str, Later]) -> None:
        self._places = places
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = self._places[name].load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class LaterGroup(TyperGroup):
    """A group whose commands are in `places`, in the order in which they are listed."""

    places: ClassVar[Mapping[str, Later]] = {}

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = cast("MutableMapping[str, Any]", _Loading(self.places))

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, with nothing loaded."""
        return list(self.places)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands by what `places` says of them."""
        limit = formatter.width - 6 - max(map(len, self.places))  # as TyperGroup leaves room
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summary(name, limit)) for name in self.places])

    def summary(self, name: str, limit: int) -> str:
        """What a line of this many columns says of a command."""
        return TyperCommand(name, help=self.places[name].summary).get_short_help_str(limit)
