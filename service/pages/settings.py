"""Settings: what is in force and where it is from, the database, the keys. To be read alone."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from service import __version__
from service.context import Context
from service.domain.english import counted
from service.pages.signs import Sign
from service.store_faults import KeyProblem
from service.usecases.setup import keys
from service.usecases.setup.settings_in_force import DEFAULT, SettingInForce, in_force


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting; `value` is empty where it is unset."""

    name: str
    value: str
    source: str
    help: str


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """What the service is told: `given` are the settings that somebody set, `defaults` the others."""

    version: str
    database: str
    keys: Sign
    keys_said: str
    keys_fix: str
    given: tuple[SettingLine, ...]
    defaults: tuple[SettingLine, ...]


def page_of(context: Context) -> SettingsPage:
    """The settings of the process that answers."""
    found = in_force(context.settings)
    sign, said, fix = _keys(context)
    return SettingsPage(
        version=__version__,
        database=_database(context),
        keys=sign,
        keys_said=said,
        keys_fix=fix,
        given=tuple(_line(one) for one in found if one.source != DEFAULT),
        defaults=tuple(_line(one) for one in found if one.source == DEFAULT),
    )


def _line(one: SettingInForce) -> SettingLine:
    value = "" if one.value is None else str(one.value)
    if isinstance(one.value, bool):
        value = "yes" if one.value else "no"
    return SettingLine(one.name, value, one.source, one.description.replace("`", ""))


def _database(context: Context) -> str:
    if context.settings.embedded:
        return f"SQLite in {context.settings.home.resolve()}"
    parts = urlsplit(context.settings.database_url or "")
    return f"PostgreSQL, database {parts.path.strip('/')} on {parts.hostname or 'this machine'}"


def _keys(context: Context) -> tuple[Sign, str, str]:
    """How the keys stand, in words, and what to do."""
    try:
        found = keys.use(context)
    except KeyProblem as error:
        return Sign("bad", "bad", "A key is missing"), str(error), ""
    if not found.keys:
        return Sign("neutral", "key", "No key yet"), "The first credential that is stored makes one.", ""
    where = "a file in the home folder" if found.in_file else "PHASELOOP_SECRET_KEY"
    said = f"{counted(found.keys, 'key')} in {where}; {counted(found.stored, 'secret')} stored."
    if found.former_needed:
        fix = "Former keys are still needed. Encrypt all with the first: phaseloop keys rotate"
        return Sign("warn", "warn", "Rotation is not complete"), said, fix
    return Sign("ok", "ok", "Complete"), f"{said} The first key encrypts all of them.", ""
