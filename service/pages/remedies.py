"""What to do, for people at the pages: where a message proposes a command, which button does the same. Pure."""

from __future__ import annotations

import re

_WORD = r"(?: (?:'[^']*'|[^\s`'.,;:()-][^\s`'.,;:()]*(?:[.:][^\s`'.,;:()]+)*))?"

_BUTTONS = (
    (r"runs retry", "“Retry what failed” on the run's page"),
    (r"runs resume", "“Continue” on the run's page"),
    (r"runs cancel", "“Cancel run” on the run's page"),
    (r"runs (?:show|watch)", "the run's page"),
    (r"runs list", "the list of runs"),
    (r"undo", "“Undo” on the run's page"),
    (r"apply", "the plan's page"),
    (r"schedule resume", "“Resume” on the project's page"),
    (r"schedule pause", "“Pause” on the project's page"),
    (r"schedule skip", "“Skip one” on the project's schedule"),
    (r"advance", "“Show advance plan” on the project's page"),
    (r"plan", "“Plan again” on the project's page"),
    (r"audit run", "“Audit now” on the project's page"),
    (r"status(?=` names)", "the page of projects"),
    (r"(?:status|history|schedule next|audit report)", "the project's page"),
    (r"audit waive(?: (?:'[^']*'|[A-Za-z0-9_]+)){0,2}", "“Waive” at the finding, on the project's audit page"),
    (r"phase(?: (?:'[^']*'|[A-Za-z0-9_-]+)){0,2}", "“Decide what follows” on the project's schedule"),
    (r"projects set", "“Settings” on the project's page"),
    (r"connections add [^`;.]*--replace", "“Change the credential” on the connection's page"),
    (r"connections add(?![^`;]*--replace)", "“Add a connection” on the page of connections"),
    (r"connections (?:check|show|remove)", "the connection's page"),
    (r"connections list", "the page of connections"),
    (r"hooks (?:register|repair)", "“Repair” on the connection's page"),
    (r"hooks (?:check|show|remove)", "the webhook on the connection's page"),
    (r"hooks secret", "“Make a new secret” on the connection's page"),
    (r"teams (?:list|show)", "the page of teams"),
    (r"events list", "the list of events"),
    (r"events replay", "“Handle it again” on the event's page"),
    (r"events show", "the event's page"),
    (r"notify add", "“Add a receiver” on the page of receivers"),
    (r"notify (?:set|show|remove)", "the receiver's page"),
    (r"notify test", "“Post a test message” on the receiver's page"),
    (r"notify list", "the page of receivers"),
    (r"notify deliveries", "the list of messages"),
    (r"notify replay", "“Send it again” in the list of messages"),
    (r"triggers list", "the list of triggers"),
    (r"triggers test", "“Test a trigger” on the page of triggers"),
    (r"triggers enable", "“Switch it on again” on the trigger's page"),
    (r"triggers (?:show|disable|remove)", "the trigger's page"),
)
_OPTIONS = r"(?: --?[a-z-]+(?: (?:'[^']*'|[^\s`'.,;:()]+))?)*"
_RULES = tuple((re.compile(rf"`?phaseloop {one}(?![\w-]){_WORD}{_OPTIONS}`?"), told) for one, told in _BUTTONS)


_IN_A_FORM = (
    (re.compile(r"--allow-http \(REST: allow_http\)"), "“Allow plain http”, under “More”"),
    (re.compile(r" \(--name\)"), ""),
    (re.compile(r" in the team file"), ""),
    (re.compile(r", or [\d to]+ weeks? \(`2 weeks`, `3w`\)"), ""),
)
"""Options of commands and places in files that are fields of a form, or nothing there."""

_HEADINGS = re.compile(r', or say which heading it is: --map "[^"]*"')
_BEGINS = re.compile(r"(^|[.?!] )the(?= (?:page|list|project|event|trigger|connection|webhook|receiver)\b)")
"""Where what takes the place of a command begins a sentence."""
_QUOTED = re.compile(r"`([^`]*)`")


def on_pages(text: str) -> str:
    """The text, in which each command that a button does is that button. Others stay: they are for whoever runs the
    service."""
    for pattern, told in _RULES:
        text = pattern.sub(told, text)
    for pattern, field in _IN_A_FORM:
        text = pattern.sub(field, text)
    text = _BEGINS.sub(r"\1The", _HEADINGS.sub("", text))
    return _QUOTED.sub(r"“\1”", text) if "phaseloop " not in text else text
