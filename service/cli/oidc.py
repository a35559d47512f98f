"""Commands around signing in with an OpenID Connect provider: whether it can be used, the roles that it gives, and who
people are there."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.shell import AsJson, Exit, opened, out, print_json
from service.domain.access.roles import MEANING, Role
from service.domain.commands import typed
from service.usecases.access import provider_identities, role_rules

oidc = typer.Typer(help="Signing in with an OpenID Connect provider.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="The person's login here, as `phaseloop people list` has it.")]


@oidc.command()
def check(as_json: AsJson = False) -> None:
    """Ask the provider whether people can sign in with it, and say what it has to be told. Exits with 3 if not."""
    with opened() as context:
        found = [provider_identities.noted_json(one) for one in provider_identities.check(context)]
    if as_json:
        print_json(found)
    else:
        for one in found:
            mark = "[bold red]Wrong:[/] " if one["wrong"] else ""
            out.print(mark + escape(f"{one['message']} {one['fix']}".strip()))
    if any(one["wrong"] for one in found):
        raise typer.Exit(Exit.FOUND)


@oidc.command("map")
def map_role(
    value: Annotated[str, typer.Argument(help="The group, as the provider writes it.")],
    role: Annotated[
        Role, typer.Option(help="The role it gives: " + "; ".join(f"{one.value} {MEANING[one]}" for one in Role) + ".")
    ] = Role.VIEWER,
    project: Annotated[str | None, typer.Option(help="Only in this project (id or key) [default: in all].")] = None,
    claim: Annotated[
        str, typer.Option(help="The claim that the value is of [default: PHASELOOP_OIDC_GROUPS_CLAIM].")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Have everybody in a group of the provider hold a role, from their next sign-in on."""
    with opened(founds=True) as context:
        found = role_rules.rule_json(role_rules.add(context, value, role, claim, project))
    if as_json:
        print_json(found)
        return
    where = f" in {found['project']}" if found["project"] else " in all projects"
    what = f"Who has {found['value']} in {found['claim']} is {found['role']}{where} from their next sign-in on."
    out.print(escape(f"{what} Take that back: phaseloop oidc unmap {typed(found['id'])}"))


@oidc.command()
def unmap(rule: Annotated[str, typer.Argument(help="The rule's id.")], as_json: AsJson = False) -> None:
    """Take a rule away: the role that it gave is gone from each one's next sign-in on."""
    with opened() as context:
        found = role_rules.rule_json(role_rules.remove(context, rule))
    if as_json:
        print_json(found)
    else:
        out.print(escape(f"{found['value']} in {found['claim']} makes nobody {found['role']} any more."))


@oidc.command()
def rules(as_json: AsJson = False) -> None:
    """List which groups and other claims give which roles. What is not here gives none."""
    with opened() as context:
        found = [role_rules.rule_json(one) for one in role_rules.listed(context)]
    if as_json:
        print_json(found)
        return
    if not found:
        out.print("No rule gives a role. Make one: phaseloop oidc map GROUP --role ROLE")
        return
    table = Table("Claim", "Value", "Role", "Project", "Id", box=None, pad_edge=False, header_style="bold")
    for one in found:
        table.add_row(escape(one["claim"]), escape(one["value"]), one["role"], one["project"] or "all", one["id"])
    out.print(table)


@oidc.command()
def link(
    login: Login,
    subject: Annotated[str, typer.Argument(help="Their subject at the provider: the page that refuses them names it.")],
) -> None:
    """Have somebody sign in with the provider as a person who was put in, where no verified e-mail address says so."""
    with opened() as context:
        provider_identities.link(context, login, subject)
    out.print(escape(f"{login} signs in with the provider from now on. See: phaseloop people list"))


@oidc.command()
def unlink(login: Login) -> None:
    """Have nobody sign in as this person with the provider any more; their sessions end."""
    with opened() as context:
        was = provider_identities.unlink(context, login)
    if was:
        out.print(
            escape(f"Nobody signs in as {login} with the provider. Again: phaseloop oidc link {typed(login)} SUBJECT")
        )
    else:
        out.print(escape(f"{login} is nobody at the provider; nothing was changed but their sessions, which ended."))
