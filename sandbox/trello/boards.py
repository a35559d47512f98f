"""Boards: making, reading, changing, and who is on them."""

from __future__ import annotations

from typing import Any

from sandbox.trello import access, actions, making, nested
from sandbox.trello.actions import Happening, record
from sandbox.trello.card_making import KEPT, copy_into, new_card
from sandbox.trello.errors import TrelloError, invalid, not_found, unauthorized
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.params import Params
from sandbox.trello.state import Board, Member, Organization, TrelloList, membership
from sandbox.trello.views import LABEL_COLORS, MEMBER_FIELDS

table = routes()

MADE_FIELDS = (
    "name,desc,descData,closed,idOrganization,pinned,url,shortUrl,prefs,labelNames,limits,dateLastActivity,shortLink"
)
KINDS = frozenset({"admin", "normal", "observer"})
_PREFS: dict[str, frozenset[str]] = {
    "permissionLevel": frozenset({"org", "private", "public"}),
    "voting": frozenset({"disabled", "members", "observers", "org", "public"}),
    "comments": frozenset({"disabled", "members", "observers", "org", "public"}),
    "invitations": frozenset({"admins", "members"}),
    "cardAging": frozenset({"regular", "pirate"}),
}
_PREF_FLAGS = ("selfJoin", "cardCovers", "hideVotes", "calendarFeedEnabled", "isTemplate")
_FIELDS = frozenset({"name", "desc", "closed", "subscribed", "idOrganization"})
_MY_PREF_WORDS = {"emailPosition", "idEmailList"}


def _prefs(params: Params) -> dict[str, Any]:
    """The settings that a request names, checked."""
    sent = params.below("prefs")
    found: dict[str, Any] = {}
    for name, value in sent.items():
        if name in _PREFS:
            if value not in _PREFS[name]:
                raise invalid(f"prefs/{name}")
            found[name] = value
        elif name in _PREF_FLAGS:
            found[name] = Params({name: value}).flag(name)
        elif name == "background":
            found[name] = str(value)
    return found


def _organization(call: Call, member: Member) -> Organization | None:
    """The workspace that a request names by id or name; the caller's first one if it names none."""
    if call.params.null("idOrganization"):
        mine = (o for o in call.trello.data.organizations.values() if access.in_organization(o, member))
        return None if "idOrganization" in call.params and call.params.raw("idOrganization") == "" else next(mine, None)
    found = call.trello.organization(str(call.params.raw("idOrganization")))
    if found is None:
        raise invalid("idOrganization")
    access.require_organization(found, member)
    return found


@table.post("/boards")
async def create_board(call: Call) -> Json:
    """Make a board, empty, with the default lists and labels, or as a copy."""
    member = call.writer()
    name = call.params.required("name")
    desc = call.params.text("desc")
    prefs = _prefs(call.params)
    lists, labels = call.params.flag("defaultLists", True), call.params.flag("defaultLabels", True)
    organization = _organization(call, member)
    source = _source(call, member)
    board = making.make_board(call.trello, member, name, organization=organization, source=source)
    board.desc = desc if desc is not None else source.desc if source else ""
    board.prefs = {"permissionLevel": "private", **(source.prefs if source else {}), **prefs}
    if source is not None:
        _copy(call, member, source, board)
    else:
        if labels:
            for color in making.DEFAULT_LABELS:
                making.make_label(call.trello, member, board, "", color, tell=False)
        if lists:
            for title in making.DEFAULT_LISTS:
                making.make_list(call.trello, member, board, title, "bottom")
    return nested.board(call, board, Params(), MADE_FIELDS)


def _source(call: Call, member: Member) -> Board | None:
    number = call.params.id("idBoardSource")
    if number is None:
        return None
    source = call.trello.data.boards.get(number)
    if source is None:
        raise not_found()
    access.require(call.trello, source, member, "board")
    return source


def _copy(call: Call, member: Member, source: Board, board: Board) -> None:
    """Copy lists, labels and custom fields, and the open cards if they are to be kept."""
    trello = call.trello
    fields = making.copy_fields(trello, source, board)
    for label in trello.labels_of(source.id):
        making.make_label(trello, member, board, label.name, label.color, tell=False)
    with_cards = "cards" in call.params.items("keepFromSource")
    for found in trello.lists_of(source.id):
        if found.closed:
            continue
        made = making.make_list(trello, member, board, found.name, found.pos)
        if with_cards:
            _copy_cards(call, member, found, made, fields)


def _copy_cards(call: Call, member: Member, found: TrelloList, made: TrelloList, fields: dict[str, str]) -> None:
    trello = call.trello
    for card in trello.cards_in(found.id):
        if card.closed:
            continue
        copy = new_card(trello, member, made, card.name, card.pos)
        copy.desc, copy.role = card.desc, card.role
        copy_into(trello, member, card, copy, set(KEPT) - {"comments", "members"})
        for key, value in card.field_values.items():
            kept = {**value, "id": trello.new_id()}
            if "idValue" in kept:
                kept["idValue"] = fields.get(kept["idValue"], kept["idValue"])
            copy.field_values[fields[key]] = kept


@table.get("/boards/{board}")
async def get_board(call: Call) -> Json:
    """One board, with whatever else is asked for."""
    return nested.board(call, call.board(), call.params)


@table.put("/boards/{board}")
async def update_board(call: Call) -> Json:
    """Change fields and settings of a board."""
    board = call.board(write=True)
    _edit(call, board, call.params)
    return nested.board(call, board, Params(), MADE_FIELDS)


def _edit(call: Call, board: Board, sent: Params) -> None:
    actor = call.writer()
    admin = access.role(board, actor) == "admin"
    prefs = _prefs(sent)
    closed = sent.flag("closed")
    if (prefs or closed is not None or "idOrganization" in sent) and not admin:
        raise unauthorized("board")
    if board.closed and closed is not False:
        making.require_open(board)
    name = sent.required("name") if "name" in sent else None
    desc = sent.text("desc")
    organization = _organization(call, actor) if "idOrganization" in sent else None
    if name is not None:
        _set(call, board, "name", "name", name)
    if desc is not None:
        _set(call, board, "desc", "desc", desc)
    if closed is not None and closed != board.closed:
        if not closed:
            wanted = call.trello.data.organizations.get(board.organization_id or "")
            making.require_room_for_board(call.trello, wanted)
        _set(call, board, "closed", "closed", closed)
        board.closed_at = call.trello.clock.now() if closed else None
    for key, value in prefs.items():
        old = board.prefs.get(key)
        if old != value:
            board.prefs[key] = value
            data = {"old": {"prefs": {key: old}}, "boardKeys": {"prefs": {key: value}}}
            record(call.trello, actor, Happening("updateBoard", board=board, data=data))
    if "idOrganization" in sent:
        _into(call, board, organization)
    if (subscribed := sent.flag("subscribed")) is not None:
        _subscribe(board, actor, subscribed)
    call.trello.touch()


def _set(call: Call, board: Board, name: str, attribute: str, value: Any) -> None:
    old = getattr(board, attribute)
    if old == value:
        return
    setattr(board, attribute, value)
    data = {"old": {name: old}, "boardKeys": {name: value}}
    record(call.trello, call.writer(), Happening("updateBoard", board=board, data=data))


def _into(call: Call, board: Board, organization: Organization | None) -> None:
    number = organization.id if organization else None
    if number == board.organization_id:
        return
    if not board.closed:
        making.require_room_for_board(call.trello, organization)
    board.organization_id = number
    if organization is not None:
        record(call.trello, call.writer(), Happening("addToOrganizationBoard", board=board, organization=organization))


def _subscribe(board: Board, member: Member, on: bool) -> None:
    kept = [key for key in board.subscribers if key != member.id]
    board.subscribers = [*kept, member.id] if on else kept


@table.delete("/boards/{board}")
async def delete_board(call: Call) -> Json:
    """Delete a board with all that is on it; for its admins."""
    board = call.board(admin=True)
    data = call.trello.data
    for kept in (data.lists, data.labels, data.checklists, data.custom_fields, data.cards):
        for key in [key for key, model in kept.items() if model.board_id == board.id]:
            del kept[key]
    for member in data.members.values():
        member.stars = [star for star in member.stars if star["idBoard"] != board.id]
    del data.boards[board.id]
    data.actions = [action for action in data.actions if board.id not in action.models]
    call.trello.touch()
    return {"_value": None}


@table.get("/boards/{board}/{field}")
async def get_board_field(call: Call) -> Json:
    """One field of a board."""
    board = call.board()
    name = call.path["field"]
    body = nested.view(call).board(board, f"{name},all")
    if name not in body:
        body = nested.view(call).board(board, name)
    return field_value(body, name)


def field_value(body: dict[str, Any], name: str) -> Json:
    """The answer to a question for one field; 404 for a field that the model does not have."""
    if name in body:
        return {"_value": body[name]}
    if name in {"idOrganization", "descData"}:
        return {"_value": None}
    raise TrelloError(404, f"Cannot GET field {name}")  # wording unsure


@table.put("/boards/{board}/{field}")
async def put_board_field(call: Call) -> Json:
    """Change one field of a board by ``value``."""
    board = call.board(write=True)
    name = call.path["field"]
    if name not in _FIELDS:
        raise not_found()
    call.params.values[name] = call.params.raw("value")
    _edit(call, board, Params({name: call.params.raw("value")}))
    return nested.board(call, board, Params(), MADE_FIELDS)


@table.put("/boards/{board}/prefs/{field}")
async def put_board_pref(call: Call) -> Json:
    """Change one setting of a board by ``value``."""
    board = call.board(admin=True)
    _edit(call, board, Params({f"prefs/{call.path['field']}": call.params.raw("value")}))
    return nested.board(call, board, Params(), MADE_FIELDS)


@table.put("/boards/{board}/myPrefs/{field}")
async def put_my_pref(call: Call) -> Json:
    """Change one of the caller's own settings of a board."""
    board, name = call.board(), call.path["field"]
    if name not in nested.my_prefs(call, board):
        raise not_found()
    value = call.params.text("value") if name in _MY_PREF_WORDS else call.params.flag("value")
    board.my_prefs.setdefault(call.writer().id, {})[name] = value
    call.trello.touch()
    return nested.my_prefs(call, board)


@table.get("/boards/{board}/myPrefs")
async def get_my_prefs(call: Call) -> Json:
    """The caller's own settings of a board."""
    return nested.my_prefs(call, call.board())


@table.get("/boards/{board}/actions")
async def get_actions(call: Call) -> Json:
    """What happened on a board, newest first."""
    return shown_actions(call, call.board().id)


def shown_actions(call: Call, model_id: str, default: str = "all") -> Json:
    """The actions of a model as its route shows them; ``format=count`` gives their number."""
    found = actions.select(call.trello, model_id, call.params, default)
    if call.params.word("format") == "count":
        return {"_value": len(found)}
    return [actions.show(nested.view(call), action, call.params) for action in found]


@table.get("/boards/{board}/cards")
async def get_cards(call: Call) -> Json:
    """The cards of a board."""
    return nested.cards(call, call.trello.cards_of(call.board().id), call.params)


@table.get("/boards/{board}/cards/{filter}")
async def get_cards_by_filter(call: Call) -> Json:
    """The cards of a board that fit a word, or one of them by id, short link or number."""
    board, word = call.board(), call.path["filter"]
    if word in nested.CARD_FILTERS:
        call.params.values["filter"] = word
        return nested.cards(call, call.trello.cards_of(board.id), call.params)
    card = call.trello.card(word)
    if card is None or card.board_id != board.id:
        card = next((c for c in call.trello.cards_of(board.id) if word == str(c.number)), None)
    if card is None:
        raise not_found()
    return nested.card(call, card, call.params)


@table.get("/boards/{board}/lists")
async def get_lists(call: Call) -> Json:
    """The lists of a board, open ones unless ``filter`` says otherwise."""
    return nested.lists(call, call.board(), call.params.word("filter", "open"), call.params)


@table.get("/boards/{board}/lists/{filter}")
async def get_lists_by_filter(call: Call) -> Json:
    """The lists of a board that fit a word."""
    return nested.lists(call, call.board(), call.path["filter"], call.params)


@table.post("/boards/{board}/lists")
async def create_list(call: Call) -> Json:
    """Add a list to a board."""
    board = call.board(write=True)
    name = call.params.required("name")
    made = making.make_list(call.trello, call.writer(), board, name, call.params.raw("pos"))
    return nested.view(call).a_list(made)


@table.get("/boards/{board}/labels")
async def get_labels(call: Call) -> Json:
    """The labels of a board: 50 unless ``limit`` says otherwise."""
    found = call.trello.labels_of(call.board().id)
    limit = call.params.number("limit", 50)
    return [nested.view(call).label(label, call.params.fields()) for label in found[:limit]]


@table.get("/boards/{board}/labels/{label}")
async def get_label(call: Call) -> Json:
    """One label of a board."""
    board, label = call.board(), call.label()
    if label.board_id != board.id:
        raise not_found()
    return nested.view(call).label(label, call.params.fields())


@table.post("/boards/{board}/labels")
async def create_label(call: Call) -> Json:
    """Add a label to a board."""
    return made_label(call, call.board(write=True))


def made_label(call: Call, board: Board) -> Json:
    """Make the label that a request describes. A colour of null makes one that cards do not show."""
    making.require_open(board)
    name = call.params.text("name") or ""
    color = color_of(call.params)
    return nested.view(call).label(making.make_label(call.trello, call.writer(), board, name, color))


def color_of(params: Params, name: str = "color") -> str | None:
    """A colour of the vendor's, or none."""
    if params.null(name):
        return None
    if params.raw(name) not in LABEL_COLORS:
        raise invalid(name)
    return str(params.raw(name))


@table.get("/boards/{board}/checklists")
async def get_checklists(call: Call) -> Json:
    """All checklists of a board."""
    board, view = call.board(), nested.view(call)
    found = [one for one in call.trello.data.checklists.values() if one.board_id == board.id]
    return [view.checklist(one, call.params.fields(), call.params.word("checkItems", "all")) for one in found]


@table.get("/boards/{board}/customFields")
async def get_custom_fields(call: Call) -> Json:
    """The custom fields of a board."""
    view = nested.view(call)
    return [view.custom_field(found) for found in call.trello.fields_of(call.board().id)]


@table.get("/boards/{board}/boardStars")
async def get_stars(call: Call) -> Json:
    """The caller's star of a board, if it has one."""
    board = call.board()
    return [star for star in (call.member.stars if call.member else []) if star["idBoard"] == board.id]


@table.get("/boards/{board}/plugins", "/boards/{board}/boardPlugins", "/boards/{board}/pluginData")
async def get_plugins(call: Call) -> Json:
    """Power-Ups are not part of the sandbox: there are none."""
    call.board()
    return []


@table.post("/boards/{board}/markedAsViewed")
async def mark_as_viewed(call: Call) -> Json:
    """Note that the caller has looked at a board."""
    board = call.board()
    board.views[call.writer().id] = call.trello.clock.now()
    call.trello.touch()
    return nested.view(call).board(board, MADE_FIELDS)


@table.post("/boards/{board}/idTags")
async def add_tag(call: Call) -> Json:
    """Put a board into a collection."""
    board = call.board(write=True)
    tag = call.params.id("value")
    if tag is None:
        raise invalid("value")
    if tag not in board.tags:
        board.tags.append(tag)
    call.trello.touch()
    return list(board.tags)


@table.post("/boards/{board}/emailKey/generate", "/boards/{board}/calendarKey/generate")
async def generate_key(call: Call) -> Json:
    """There is no e-mail and no calendar feed here; the answer is the board, as the vendor's is."""
    return nested.view(call).board(call.board(write=True), MADE_FIELDS)


# -- members -----------------------------------------------------------------------------------------------------------


@table.get("/boards/{board}/members")
async def get_members(call: Call) -> Json:
    """The members of a board."""
    board, word = call.board(), call.params.word("filter", "all")
    return nested.members(call, board, word, call.params.fields("fields", MEMBER_FIELDS))


@table.get("/boards/{board}/members/{filter}")
async def get_members_by_filter(call: Call) -> Json:
    """The members of a board that fit a word."""
    return nested.members(call, call.board(), call.path["filter"], call.params.fields("fields", MEMBER_FIELDS))


@table.get("/boards/{board}/memberships")
async def get_memberships(call: Call) -> Json:
    """Who is on a board, as what."""
    board, view = call.board(), nested.view(call)
    found = nested.memberships(board.memberships, call.params.word("filter", "all"))
    fields = call.params.fields("member_fields", "fullName,username") if call.params.on("member") else None
    bodies = [view.membership(entry, fields) for entry in found]
    if call.params.on("orgMemberType"):
        organization = call.trello.data.organizations.get(board.organization_id or "")
        for body in bodies:
            entry = membership(organization, body["idMember"]) if organization else None
            body["orgMemberType"] = entry.type if entry else "none"
    return bodies


def _people(call: Call, board: Board) -> Json:
    view = nested.view(call)
    return {
        "id": board.id,
        "members": view.members([entry.member_id for entry in board.memberships]),
        "memberships": [view.membership(entry) for entry in board.memberships],
    }


def _inviting(call: Call) -> Board:
    board = call.board(write=True)
    making.require_open(board)
    if board.prefs.get("invitations") == "admins":
        call.board(admin=True)
    return board


@table.put("/boards/{board}/members")
async def invite_member(call: Call) -> Json:
    """Put the person with an e-mail address on a board; a stranger becomes an unconfirmed member."""
    board = _inviting(call)
    email = call.params.required("email")
    if "@" not in email.strip("@") or " " in email:
        raise invalid("email")
    kind = call.params.one_of("type", KINDS) or "normal"
    name = call.params.text("fullName")
    if name is not None and (not name or name != name.strip()):
        raise invalid("fullName")
    making.add_member(call.trello, call.writer(), board, making.invite(call.trello, email, name), kind)
    return _people(call, board)


@table.put("/boards/{board}/members/{member}")
async def put_member(call: Call) -> Json:
    """Put a member on a board, or change what they are on it."""
    board, member = _inviting(call), call.any_member()
    kind = call.params.one_of("type", KINDS)
    if kind is None:
        raise invalid("type")
    if membership(board, member.id) is not None and membership(board, member.id) is not None:
        call.board(admin=True)
    making.add_member(call.trello, call.writer(), board, member, kind)
    return _people(call, board)


@table.delete("/boards/{board}/members/{member}")
async def delete_member(call: Call) -> Json:
    """Take a member off a board; everybody may leave, others only by an admin's hand."""
    board, member = call.board(), call.any_member()
    if member.id != call.writer().id:
        call.board(admin=True)
    making.remove_member(call.trello, call.writer(), board, member)
    return _people(call, board)


@table.put("/boards/{board}/memberships/{membership}")
async def put_membership(call: Call) -> Json:
    """Change what a member is on a board."""
    board = call.board(admin=True)
    entry = next((one for one in board.memberships if one.id == call.path["membership"].lower()), None)
    kind = call.params.one_of("type", KINDS)
    if entry is None:
        raise not_found()
    if kind is None:
        raise invalid("type")
    making.add_member(call.trello, call.writer(), board, call.trello.data.members[entry.member_id], kind)
    fields = call.params.fields("member_fields", "") or None
    return nested.view(call).membership(entry, fields)
