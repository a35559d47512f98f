"""Fields, the options of select lists, and screens."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.fields import CUSTOM_TYPES, add_custom_field
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Field, Screen, ScreenTab
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

# -- fields --------------------------------------------------------------------------------------------------------


@routes.get("/field")
async def fields(call: Call) -> Response:
    """Every field of the site; anonymous callers see the built-in ones."""
    found = call.site.data.fields.values()
    return answer([call.view.field(field) for field in found if call.user is not None or not field.custom])


@routes.post("/field")
async def create_field(call: Call) -> Response:
    """Add a custom field. It is on no screen yet."""
    if not access.allowed(call.site, call.caller(), "ADMINISTER"):
        raise bad_request("Only Jira administrators can create custom fields.")  # no 403 in the document
    body = await call.members(allowed=("name", "description", "type", "searcherKey"))
    problems = {}
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        problems["name"] = "The name of the custom field is required."
    if str(body.get("type")) not in CUSTOM_TYPES:
        problems["type"] = "The custom field type is not known."
    if problems:
        raise ApiError(400, errors=problems)
    added = add_custom_field(
        call.site.data,
        body["name"].strip(),
        body["type"],
        str(body.get("description") or ""),
        body.get("searcherKey"),
    )
    call.site.touch()
    return answer(call.view.field(added), 201)


@routes.get("/field/search")
async def search_fields(call: Call) -> Response:
    """Fields by type, id and words, paged; only for administrators."""
    access.require_admin(call)
    types, ids = set(call.query_list("type")), set(call.query_list("id"))
    words = (call.query("query") or "").lower()
    found = [
        f
        for f in call.site.data.fields.values()
        if f.schema
        and (not types or ("custom" if f.custom else "system") in types)
        and (not ids or f.id in ids)
        and (words in f.name.lower() or words in f.description.lower())
    ]
    order = call.query("orderBy", "name") or "name"
    found.sort(key=lambda f: f.name.lower(), reverse=order.startswith("-"))
    return answer(page(call, found, lambda f: _full(call, f), cap=100))


def _full(call: Call, field: Field) -> Body:
    screens = sum(field.id in tab.fields for screen in call.site.data.screens.values() for tab in screen.tabs)
    body: Body = {
        "id": field.id,
        "name": field.name,
        "schema": field.schema,
        "description": field.description,
        "key": field.id,
        "isLocked": field.kind.startswith("com.pyxis"),
        "isUnscreenable": not field.orderable,
    }
    expand = call.query_list("expand")
    if field.searcher and "searcherKey" in expand:
        body["searcherKey"] = field.searcher
    if "screensCount" in expand:
        body["screensCount"] = screens
    if "contextsCount" in expand:
        body["contextsCount"] = int(field.custom)
    return body


def _field(call: Call) -> Field:
    found = call.site.data.fields.get(call.path["fieldId"])
    if found is None:
        raise not_found("The custom field was not found.")
    return found


def _context(field: Field) -> str:
    return str(int(field.schema["customId"]) + 100)


@routes.get("/field/{fieldId}/contexts")
async def contexts_of_field(call: Call) -> Response:
    """The one context of a custom field (the old form)."""
    access.require_admin(call)
    found = [_field(call)] if _field(call).custom else []
    return answer(
        page(call, found, lambda f: {"id": int(_context(f)), "name": f"Default Configuration Scheme for {f.name}"})
    )


@routes.get("/field/{fieldId}/context")
async def field_contexts(call: Call) -> Response:
    """The one context of a custom field."""
    access.require_admin(call)
    found = [_field(call)] if _field(call).custom else []
    return answer(
        page(
            call,
            found,
            lambda f: {
                "id": _context(f),
                "name": f"Default Configuration Scheme for {f.name}",
                "description": "",
                "isGlobalContext": True,
                "isAnyIssueType": True,
            },
        )
    )


@routes.get("/field/{fieldId}/context/{contextId}/option")
async def field_options(call: Call) -> Response:
    """The options of a select list."""
    access.require_admin(call)
    return answer(page(call, _field(call).options, lambda o: {**o, "disabled": False}, default=100))


@routes.post("/field/{fieldId}/context/{contextId}/option")
async def add_field_options(call: Call) -> Response:
    """Add options to a select list."""
    access.require_admin(call)
    field = _field(call)
    body = await call.members(allowed=("options",), required=("options",))
    added = []
    for entry in body["options"]:
        value = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(value, str) or any(o["value"] == value for o in field.options):
            raise bad_request("Each option needs a value that the field does not have yet.")
        added.append({"id": str(call.site.next_id("option", 10200)), "value": value})
        field.options.append(added[-1])
    call.site.touch()
    return answer({"options": [{**option, "disabled": False} for option in added]})


@routes.get("/customFieldOption/{id}")
async def custom_field_option(call: Call) -> Response:
    """One option by id."""
    call.caller()
    for field in call.site.data.fields.values():
        for option in field.options:
            if option["id"] == call.path["id"]:
                return answer({"self": call.link(f"/customFieldOption/{option['id']}"), "value": option["value"]})
    raise not_found(f"A custom field option with id '{call.path['id']}' does not exist")


# -- screens: the default screen is the one that company-managed projects use --------------------------------------

DEFAULT_SCREEN = 1


def _screen(call: Call) -> Screen:
    access.require_admin(call)
    wanted = call.path["screenId"]
    found = call.site.data.screens.get(int(wanted)) if wanted.isdigit() else None
    if found is None:
        raise not_found(f"Screen with id {wanted} does not exist.")
    return found


def _tab(call: Call) -> tuple[Screen, ScreenTab]:
    screen = _screen(call)
    found = next((t for t in screen.tabs if str(t.id) == call.path["tabId"]), None)
    if found is None:
        raise not_found(f"Screen tab with id {call.path['tabId']} does not exist.")
    return screen, found


def _screen_body(screen: Screen) -> Body:
    return {"id": screen.id, "name": screen.name, "description": screen.description}


def _place(call: Call, screen: Screen, field_id: str, *, shown: bool) -> None:
    """Carry a change of the default screen over to the projects that use it."""
    if screen.id == DEFAULT_SCREEN:
        for project in call.site.data.projects.values():
            for fields_ in () if project.team_managed else project.screen_fields.values():
                if shown and field_id not in fields_:
                    fields_.append(field_id)
                elif not shown and field_id in fields_ and field_id not in {"summary", "issuetype", "project"}:
                    fields_.remove(field_id)
    call.site.touch()


@routes.get("/screens")
async def screens(call: Call) -> Response:
    """The screens, paged."""
    access.require_admin(call)
    ids, words = set(call.query_list("id")), (call.query("queryString") or "").lower()
    found = [s for s in call.site.data.screens.values() if (not ids or str(s.id) in ids) and words in s.name.lower()]
    return answer(page(call, found, _screen_body, default=100))


@routes.post("/screens")
async def create_screen(call: Call) -> Response:
    """Add a screen with one empty tab; nothing uses it."""
    access.require_admin(call)
    body = await call.members(allowed=("name", "description"), required=("name",))
    tab = ScreenTab(call.site.next_id("screen_tab", 10100), "Field Tab", [])
    name = _screen_name(call, body["name"])
    screen = Screen(call.site.next_id("screen"), name, str(body.get("description") or ""), [tab])
    call.site.data.screens[screen.id] = screen
    call.site.touch()
    return answer(_screen_body(screen), 201)


def _screen_name(call: Call, name: Any, but: Screen | None = None) -> str:
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 255:
        raise bad_request("The screen name must have 1 to 255 characters.")
    if any(s.name == name.strip() and s is not but for s in call.site.data.screens.values()):
        raise bad_request("A screen with this name already exists.")
    return name.strip()


@routes.put("/screens/{screenId}")
async def update_screen(call: Call) -> Response:
    """Rename a screen."""
    screen = _screen(call)
    body = await call.members(allowed=("name", "description"))
    if "name" in body:
        screen.name = _screen_name(call, body["name"], screen)
    screen.description = str(body.get("description", screen.description) or "")
    call.site.touch()
    return answer(_screen_body(screen))


@routes.delete("/screens/{screenId}")
async def delete_screen(call: Call) -> Response:
    """Delete a screen that nothing uses."""
    screen = _screen(call)
    if screen.id == DEFAULT_SCREEN:
        raise bad_request("The screen is used in a screen scheme.")
    del call.site.data.screens[screen.id]
    call.site.touch()
    return no_content()


@routes.get("/screens/{screenId}/availableFields")
async def available_fields(call: Call) -> Response:
    """The fields that could be put on a screen."""
    screen = _screen(call)
    used = {key for tab in screen.tabs for key in tab.fields}
    found = [f for f in call.site.data.fields.values() if f.orderable and f.id not in used]
    return answer([{"id": f.id, "name": f.name} for f in found])


def _tab_body(tab: ScreenTab) -> Body:
    return {"id": tab.id, "name": tab.name}


@routes.get("/screens/{screenId}/tabs")
async def screen_tabs(call: Call) -> Response:
    """The tabs of a screen."""
    return answer([_tab_body(tab) for tab in _screen(call).tabs])


@routes.post("/screens/{screenId}/tabs")
async def add_tab(call: Call) -> Response:
    """Add a tab."""
    screen = _screen(call)
    name = (await call.members(allowed=("id", "name"), required=("name",)))["name"]
    if any(tab.name == name for tab in screen.tabs):
        raise bad_request("A tab with this name already exists.")
    tab = ScreenTab(call.site.next_id("screen_tab", 10100), str(name), [])
    screen.tabs.append(tab)
    call.site.touch()
    return answer(_tab_body(tab))


@routes.put("/screens/{screenId}/tabs/{tabId}")
async def rename_tab(call: Call) -> Response:
    """Rename a tab."""
    _, tab = _tab(call)
    tab.name = str((await call.members(allowed=("id", "name"), required=("name",)))["name"])
    call.site.touch()
    return answer(_tab_body(tab))


@routes.delete("/screens/{screenId}/tabs/{tabId}")
async def delete_tab(call: Call) -> Response:
    """Delete a tab with its fields."""
    screen, tab = _tab(call)
    screen.tabs.remove(tab)
    for field_id in tab.fields:
        _place(call, screen, field_id, shown=False)
    call.site.touch()
    return no_content()


@routes.post("/screens/{screenId}/tabs/{tabId}/move/{pos}")
async def move_tab(call: Call) -> Response:
    """Move a tab to a position."""
    screen, tab = _tab(call)
    wanted = call.path["pos"]
    if not wanted.isdigit() or int(wanted) >= len(screen.tabs):
        raise bad_request("The position is not valid.")
    screen.tabs.remove(tab)
    screen.tabs.insert(int(wanted), tab)
    call.site.touch()
    return no_content()


def _tab_field(call: Call, key: str) -> Body:
    return {"id": key, "name": call.site.data.fields[key].name}


@routes.get("/screens/{screenId}/tabs/{tabId}/fields")
async def tab_fields(call: Call) -> Response:
    """The fields of a tab."""
    _, tab = _tab(call)
    return answer([_tab_field(call, key) for key in tab.fields])


@routes.post("/screens/{screenId}/tabs/{tabId}/fields")
async def add_tab_field(call: Call) -> Response:
    """Put a field on a tab."""
    screen, tab = _tab(call)
    key = (await call.members(allowed=("fieldId",), required=("fieldId",)))["fieldId"]
    if key not in call.site.data.fields or not call.site.data.fields[key].orderable:
        raise bad_request(f"The field '{key}' does not exist or cannot be on a screen.")
    if any(key in other.fields for other in screen.tabs):
        raise bad_request(f"The field '{key}' is already on the screen.")
    tab.fields.append(key)
    _place(call, screen, key, shown=True)
    return answer(_tab_field(call, key))


@routes.post("/screens/addToDefault/{fieldId}")
async def add_to_default(call: Call) -> Response:
    """Put a field on the default tab of the default screen."""
    access.require_admin(call)
    field, screen = _field(call), call.site.data.screens[DEFAULT_SCREEN]
    if any(field.id in tab.fields for tab in screen.tabs):
        raise bad_request(f"The field '{field.id}' is already on the screen.")
    screen.tabs[0].fields.append(field.id)
    _place(call, screen, field.id, shown=True)
    return answer({})


@routes.delete("/screens/{screenId}/tabs/{tabId}/fields/{id}")
async def remove_tab_field(call: Call) -> Response:
    """Take a field off a tab."""
    screen, tab = _tab(call)
    key = call.path["id"]
    if key not in tab.fields:
        raise not_found(f"The field '{key}' is not on the screen tab.")
    tab.fields.remove(key)
    _place(call, screen, key, shown=False)
    return no_content()


@routes.post("/screens/{screenId}/tabs/{tabId}/fields/{id}/move")
async def move_tab_field(call: Call) -> Response:
    """Move a field within a tab: after another, or First, Last, Earlier, Later."""
    _, tab = _tab(call)
    key, body = call.path["id"], await call.members(allowed=("after", "position"))
    if key not in tab.fields:
        raise not_found(f"The field '{key}' is not on the screen tab.")
    place = tab.fields.index(key)
    rest = [other for other in tab.fields if other != key]
    after = str(body.get("after") or "").rpartition("/")[2]
    positions = {"First": 0, "Last": len(rest), "Earlier": max(0, place - 1), "Later": min(len(rest), place + 1)}
    if after in rest:
        target = rest.index(after) + 1
    elif body.get("position") in positions:
        target = positions[str(body["position"])]
    else:
        raise bad_request("Specify either 'after' or a 'position' of Earlier, Later, First, Last.")
    rest.insert(target, key)
    tab.fields = rest
    call.site.touch()
    return no_content()
