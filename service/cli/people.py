"""Commands around who signs in: people, the links that let them in, their sessions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.periods import period_of
from service.cli.shell import AsJson, opened, out, print_json, who
from service.context import Context
from service.domain.access.roles import MEANING, Role
from service.domain.commands import typed
from service.usecases.access import people as people_cases
from service.usecases.access import sessions as session_cases
from service.usecases.setup import projects

people = typer.Typer(help="People who sign in, and their roles.", no_args_is_help=True)
sessions = typer.Typer(help="Who is signed in.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="The e-mail address or login they go by.")]
Days = Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it ends [default: never].")]
Period = Annotated[
    str | None,
    typer.Option(
        metavar="FIRST/LAST",
        help="An auditor's period, such as 2027-01-01/2027-03-31: they see how the iterations in it are documented, "
        "and nothing else [default: all iterations].",
    ),
]


@people.command()
def add(
    login: Login,
    role: Annotated[
        Role, typer.Option(help="What they may do: " + "; ".join(f"{one.value} {MEANING[one]}" for one in Role) + ".")
    ] = Role.VIEWER,
    project: Annotated[
        list[str] | None, typer.Option(help="Only in this project (id or key); repeat for several [default: in all].")
    ] = None,
    days: Days = None,
    period: Period = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody sign in with this role, in place of any other that they held."""
    within = period_of(period)
    with opened(founds=True) as context:
        until = context.now() + timedelta(days=days) if days is not None else None
        found = people_cases.person_json(people_cases.put(context, login, role, project or (), until, within))
    if as_json:
        print_json(found)
        return
    where = f" in {', '.join(project)}" if project else " in all projects"
    bounds = f", for the iterations from {within.first} to {within.last}" if within is not None else ""
    link = f"phaseloop login-link {typed(found['login'])}"
    out.print(escape(f"{found['login']} is {role.value}{where}{bounds}. Let them in: {link}"))


@people.command()
def grant(
    login: Login,
    role: Annotated[Role, typer.Option(help="What they may do, too.")],
    project: Annotated[
        list[str] | None, typer.Option(help="Only in this project (id or key); repeat for several [default: in all].")
    ] = None,
    days: Days = None,
    period: Period = None,
    as_json: AsJson = False,
) -> None:
    """Give somebody another role, beside those that they hold."""
    within = period_of(period)
    with opened() as context:
        until = context.now() + timedelta(days=days) if days is not None else None
        found = people_cases.person_json(people_cases.grant(context, login, role, project or (), until, within))
        keys = projects.keys(context)
    _say(found, keys, as_json)


@people.command()
def withdraw(
    login: Login,
    role: Annotated[Role, typer.Option(help="The role to take away.")],
    project: Annotated[
        str | None, typer.Option(help="The one for this project (id or key) [default: for all].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take one role away that somebody was given by hand. The last administrator stays."""
    with opened() as context:
        where = projects.past_or_present(context, project).id if project is not None else None
        found = people_cases.person_json(people_cases.withdraw(context, login, role, where))
        keys = projects.keys(context)
    _say(found, keys, as_json)


def _say(found: dict[str, Any], keys: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    roles = ", ".join(_role(one, keys) for one in found["grants"]) or "nothing"
    out.print(escape(f"{found['login']} is now: {roles}."))


@people.command("list")
def list_people(as_json: AsJson = False) -> None:
    """List the people, with their roles."""
    with opened() as context:
        found = [people_cases.person_json(one) for one in people_cases.listed(context)]
        keys = projects.keys(context)
    if as_json:
        print_json(found)
        return
    table = _table("Login", "Roles", "State", "Subject at the provider")
    for one in found:
        state = "removed" if one["disabled_at"] else "active"
        roles = ", ".join(_role(grant, keys) for grant in one["grants"]) or "none"
        table.add_row(escape(one["login"]), roles, state, escape(one["subject"] or ""))
    out.print(table)


@people.command()
def remove(login: Login, as_json: AsJson = False) -> None:
    """Let somebody sign in no more; what they have open ends with the next request. The last administrator stays."""
    with opened() as context:
        found = people_cases.person_json(people_cases.remove(context, login))
    if as_json:
        print_json(found)
    else:
        out.print(escape(f"{found['login']} cannot sign in any more."))


@sessions.command("list")
def list_sessions(as_json: AsJson = False) -> None:
    """List who is signed in, from where and since when."""
    with opened() as context:
        found = [session_cases.session_json(one) for one in session_cases.listed(context)]
    if as_json:
        print_json(found)
        return
    table = _table("Login", "From", "Since", "Used last", "Id")
    for one in found:
        since, used = (_minute(one[name]) for name in ("created_at", "last_used_at"))
        table.add_row(escape(one["login"]), escape(one["from"]), since, used, one["id"])
    out.print(table)


@sessions.command()
def revoke(session: Annotated[str, typer.Argument(help="The session's id.")]) -> None:
    """End a session, from its next request on."""
    with opened() as context:
        session_cases.revoke(context, session)
    out.print(f"The session {escape(session)} has ended.")


def login_link(
    login: Annotated[
        str | None, typer.Argument(help="Who is to sign in [default: you, as administrator of this machine].")
    ] = None,
) -> None:
    """Print a link that signs somebody in once, within 15 minutes. There is no password."""
    with opened(founds=True) as context:
        link = new_link(context, login)
    sys.stdout.write(link + "\n")


def new_link(context: Context, login: str | None = None, base: str = "") -> str:
    """A new link for this person; without one, for whoever is at this machine, who is its administrator. Raises
    NotFound."""
    if login is None:
        login = people_cases.first_administrator(context, who().replace(" ", "-")).row.login
    code = session_cases.link(context, login)
    settings = context.settings
    public = str(settings.public_url).rstrip("/") if settings.public_url is not None else base
    return session_cases.link_address(public or f"http://{_host(settings.host)}:{settings.port}", code)


def _role(grant: dict[str, Any], keys: Mapping[str, str]) -> str:
    where = f" in {keys.get(grant['project'], grant['project'])}" if grant["project"] else ""
    period = grant["period"]
    bounds = f", iterations from {period['first']} to {period['last']}" if period is not None else ""
    ends = f", until {_minute(grant['expires_at'])} UTC" if grant["expires_at"] is not None else ""
    return str(grant["role"]) + where + bounds + ends + (" (by group)" if grant["origin"] == "provider" else "")


def _host(host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what is printed in their place
    return f"[{shown}]" if ":" in shown else shown


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading)
    return table


def _minute(instant: str) -> str:
    return f"{datetime.fromisoformat(instant):%Y-%m-%d %H:%M}"
