"""A scripted session over every operation of the vendor's document, each answer held against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.testing import SandboxServer
from tests.sandbox import trello_documents as vendor
from tests.sandbox.trello_listener import Listener

pytestmark = pytest.mark.skipif(vendor.ABSENT, reason="the vendor's OpenAPI document is not beside the repository")

LOGIN = 'OAuth oauth_consumer_key="sandbox-key", oauth_token="sandbox-token"'


class Session:
    """A client whose every exchange is checked; it also asserts the status."""

    def __init__(self, url: str) -> None:
        self.checker = vendor.Checker()
        self.client = httpx.Client(
            base_url=f"{url}/1",
            headers={"Authorization": LOGIN},
            event_hooks={"response": [self.checker]},
            timeout=10,
        )

    def do(self, method: str, path: str, status: int = 200, **params: Any) -> Any:
        """Send parameters in the query, assert the status, and give the body."""
        response = self.client.request(method, path, params=params)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text[:300]}"
        return response.json() if "json" in response.headers["content-type"] else response.text

    def send(self, method: str, path: str, body: Any, status: int = 200) -> Any:
        """Send a JSON body, assert the status, and give the answer."""
        response = self.client.request(method, path, json=body)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text[:300]}"
        return response.json()


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with SandboxServer() as sandbox:
        session = Session(sandbox.url)
        with session.client:
            yield session


@pytest.fixture(scope="module")
def board(session: Session) -> Any:
    return session.do("POST", "/boards/", name="Conformance", defaultLists="true")


@pytest.fixture(scope="module")
def lists(session: Session, board: Any) -> list[str]:
    return [str(one["id"]) for one in session.do("GET", f"/boards/{board['id']}/lists")]


@pytest.fixture(scope="module")
def me(session: Session) -> Any:
    return session.do("GET", "/members/me")


def test_boards(session: Session, board: Any) -> None:
    path = f"/boards/{board['id']}"
    for params in (
        {},
        {"fields": "all"},
        {"fields": "name,limits,memberships"},
        {
            "cards": "all",
            "lists": "all",
            "labels": "all",
            "members": "all",
            "memberships": "all",
            "checklists": "all",
            "customFields": "true",
            "organization": "true",
            "myPrefs": "true",
            "boardStars": "mine",
            "actions": "all",
            "pluginData": "true",
            "tags": "true",
        },
    ):
        session.do("GET", path, **params)
    session.do("PUT", path, desc="Every operation once", **{"prefs/voting": "members"})
    for field in ("name", "desc", "closed", "prefs", "idOrganization", "url", "limits", "dateLastActivity"):
        assert "_value" in session.do("GET", f"{path}/{field}")
    for part in ("actions", "boardStars", "checklists", "cards", "cards/open", "customFields", "labels", "lists"):
        session.do("GET", f"{path}/{part}")
    session.do("GET", f"{path}/lists/all")
    session.do("POST", f"{path}/idTags", value=vendor.ID)
    session.do("POST", f"{path}/markedAsViewed")
    session.do("POST", f"{path}/labels", name="role: ml", color="green")
    session.do("POST", f"{path}/lists", name="Later")
    gone = session.do("POST", "/boards/", name="Copy", idBoardSource=board["id"], keepFromSource="cards")
    session.do("DELETE", f"/boards/{gone['id']}")


def test_people_of_boards(session: Session, board: Any) -> None:
    path = f"/boards/{board['id']}"
    people = session.do("PUT", f"{path}/members", email="pm-1@example.com", type="normal")
    member = people["members"][-1]["id"]
    session.do("GET", f"{path}/members")
    session.do("PUT", f"{path}/members/{member}", type="admin")
    entries = session.do("GET", f"{path}/memberships", member="true", orgMemberType="true")
    entry = next(one for one in entries if one["idMember"] == member)
    session.do("PUT", f"{path}/memberships/{entry['id']}", type="normal", member_fields="all")
    session.do("DELETE", f"{path}/members/{member}")


def test_lists_and_labels(session: Session, board: Any, lists: list[str]) -> None:
    made = session.do("POST", "/lists", name="Extra", idBoard=board["id"], pos="bottom")
    path = f"/lists/{made['id']}"
    session.do("GET", path, fields="name,limits")
    session.do("PUT", path, name="Extra list", pos="top")
    session.do("PUT", f"{path}/name", value="More")
    session.do("PUT", f"{path}/closed", value="true")
    session.do("PUT", f"{path}/closed", value="false")
    session.do("PUT", f"{path}/idBoard", value=board["id"])
    session.do("POST", "/cards", idList=made["id"], name="Moves")
    for part in ("actions", "board", "cards"):
        session.do("GET", f"{path}/{part}")
    session.do("POST", f"{path}/moveAllCards", idBoard=board["id"], idList=lists[0])
    session.do("POST", f"{path}/archiveAllCards")
    label = session.do("POST", "/labels", name="", color="sky", idBoard=board["id"])
    session.do("GET", f"/labels/{label['id']}")
    session.do("PUT", f"/labels/{label['id']}", name="Risk", color="red")
    session.do("PUT", f"/labels/{label['id']}/color", value="null")
    session.do("DELETE", f"/labels/{label['id']}")


def test_cards(session: Session, board: Any, lists: list[str], me: Any) -> None:
    label = session.do("POST", f"/boards/{board['id']}/labels", name="Epic", color="purple")
    card = session.do(
        "POST",
        "/cards",
        idList=lists[0],
        name="Everything",
        desc="at once",
        pos="top",
        due="2026-12-01T17:00:00.000Z",
        start="2026-11-24T09:00:00.000Z",
        idMembers=me["id"],
        idLabels=label["id"],
        urlSource="https://example.com/spec",
    )
    path = f"/cards/{card['id']}"
    session.do("PUT", path, idList=lists[1], dueComplete="true", name="Everything else")
    session.do("PUT", f"{path}/dueReminder", value="60")
    for params in (
        {},
        {"fields": "name,badges,limits,email"},
        {
            "actions": "all",
            "attachments": "true",
            "members": "true",
            "membersVoted": "true",
            "checkItemStates": "true",
            "checklists": "all",
            "board": "true",
            "list": "true",
            "pluginData": "true",
            "stickers": "true",
            "customFieldItems": "true",
        },
    ):
        session.do("GET", path, **params)
    for field in ("name", "due", "badges", "labels", "pos", "idMembers", "cover"):
        assert "_value" in session.do("GET", f"{path}/{field}")
    for part in ("actions", "board", "checkItemStates", "list", "members", "membersVoted", "pluginData"):
        session.do("GET", f"{path}/{part}")
    session.do("DELETE", f"{path}/idMembers/{me['id']}")
    session.do("POST", f"{path}/idMembers", value=me["id"])
    session.do("DELETE", f"{path}/idLabels/{label['id']}")
    session.do("POST", f"{path}/idLabels", value=label["id"])
    session.do("POST", f"{path}/labels", color="red", name="Blocked")
    session.do("POST", f"{path}/membersVoted", value=me["id"])
    session.do("DELETE", f"{path}/membersVoted/{me['id']}")
    session.do("POST", f"{path}/markAssociatedNotificationsRead")
    session.do("POST", "/cards", idList=lists[0], idCardSource=card["id"], keepFromSource="all")
    session.do("DELETE", path)


def test_attachments_and_comments(session: Session, lists: list[str]) -> None:
    path = f"/cards/{session.do('POST', '/cards', idList=lists[0], name='Talk')['id']}"
    link = session.do("POST", f"{path}/attachments", url="https://example.com/", name="Example")
    files = {"file": ("notes.txt", b"hello", "text/plain")}
    assert session.client.post(f"{path}/attachments", files=files).status_code == 200
    session.do("GET", f"{path}/attachments")
    session.do("GET", f"{path}/attachments/{link['id']}")
    session.do("DELETE", f"{path}/attachments/{link['id']}")
    said = session.do("POST", f"{path}/actions/comments", text="First")
    session.do("PUT", f"{path}/actions/{said['id']}/comments", text="Second")
    action = f"/actions/{said['id']}"
    session.do("GET", action, display="true", entities="true")
    session.do("PUT", action, text="Third")
    session.do("PUT", f"{action}/text", value="Fourth")
    assert session.do("GET", f"{action}/type") == {"_value": "commentCard"}
    for part in ("board", "card", "list", "memberCreator"):
        session.do("GET", f"{action}/{part}")
    session.do("GET", f"{action}/member", 404)
    session.do("GET", f"{action}/organization", 404)
    session.do("DELETE", f"{path}/actions/{said['id']}/comments")
    other = session.do("POST", f"{path}/actions/comments", text="Gone")
    session.do("DELETE", f"/actions/{other['id']}")


def test_checklists(session: Session, lists: list[str]) -> None:
    card = session.do("POST", "/cards", idList=lists[0], name="Steps")["id"]
    made = session.do("POST", "/checklists", idCard=card, name="Done means", pos="top")
    path = f"/checklists/{made['id']}"
    item = session.do("POST", f"{path}/checkItems", name="tested", pos="bottom", checked="false")
    through = f"/cards/{card}/checkItem/{item['id']}"
    session.do("GET", through)
    session.do("PUT", through, state="complete", due="2026-12-01")
    session.do("PUT", f"/cards/{card}/checklist/{made['id']}/checkItem/{item['id']}", pos="top")
    session.do("GET", path, cards="all")
    session.do("PUT", path, name="Definition of done")
    session.do("PUT", f"{path}/name", value="Done")
    assert session.do("GET", f"{path}/name") == {"_value": "Done"}
    for part in ("board", "cards", "checkItems", f"checkItems/{item['id']}"):
        session.do("GET", f"{path}/{part}")
    copy = session.do("POST", f"/cards/{card}/checklists", idChecklistSource=made["id"])
    session.do("GET", f"/cards/{card}/checklists")
    session.do("DELETE", f"/cards/{card}/checkItem/{copy['checkItems'][0]['id']}")
    session.do("DELETE", f"/cards/{card}/checklists/{copy['id']}")
    session.do("DELETE", f"{path}/checkItems/{item['id']}")
    session.do("DELETE", path)


def test_custom_fields(session: Session, board: Any, lists: list[str]) -> None:
    body = {"idModel": board["id"], "modelType": "board", "name": "Size", "type": "list", "pos": "bottom"}
    made = session.send("POST", "/customFields", {**body, "display_cardFront": True})
    path = f"/customFields/{made['id']}"
    option = session.send("POST", f"{path}/options", {"value": {"text": "L"}, "color": "green", "pos": "bottom"})
    session.do("GET", path)
    session.do("GET", f"{path}/options")
    session.do("GET", f"{path}/options/{option['_id']}")
    session.send("PUT", path, {"name": "How big", "display/cardFront": False})
    done = session.send("POST", "/customFields", {**body, "name": "Done", "type": "checkbox"})
    card = session.do("POST", "/cards", idList=lists[0], name="Measured")["id"]
    session.send("PUT", f"/cards/{card}/customField/{made['id']}/item", {"idValue": option["_id"]})
    items = [{"idCustomField": done["id"], "value": {"checked": "true"}}]
    session.send("PUT", f"/cards/{card}/customFields", {"customFieldItems": items})
    assert len(session.do("GET", f"/cards/{card}/customFieldItems")) == 2
    session.do("DELETE", f"{path}/options/{option['_id']}")
    session.do("DELETE", path)


def test_members(session: Session) -> None:
    everything = {
        "boards": "all",
        "cards": "all",
        "organizations": "all",
        "boardStars": "true",
        "tokens": "all",
        "savedSearches": "true",
        "notifications": "all",
    }
    for params in ({}, {"fields": "username,email"}, everything):
        session.do("GET", "/members/me", **params)
    session.do("PUT", "/members/me", bio="Runs the sandbox", **{"prefs/locale": "en-GB"})
    assert session.do("GET", "/members/me/username") == {"_value": "demo"}
    for part in (
        "actions",
        "boards",
        "boardsInvited",
        "cards",
        "notifications",
        "organizations",
        "organizationsInvited",
        "tokens",
        "notificationsChannelSettings",
        "notificationsChannelSettings/email",
    ):
        session.do("GET", f"/members/me/{part}")
    settings = "/members/me/notificationsChannelSettings"
    session.send("PUT", settings, {"channel": "email", "blockedKeys": ["notification_moved_card"]})
    session.send("PUT", f"{settings}/email", {"blockedKeys": "notification_created_card"})
    session.do("PUT", f"{settings}/email/notification_card_due_soon")


def test_workspaces(session: Session) -> None:
    made = session.do("POST", "/organizations", displayName="Second workspace", desc="For trying out")
    path = f"/organizations/{made['id']}"
    session.do("GET", path)
    session.do("PUT", path, displayName="Another workspace")
    assert session.do("GET", f"{path}/name")["_value"] == "secondworkspace"
    people = session.do("PUT", f"{path}/members", email="ml-1@example.com", fullName="ML 1", type="normal")
    member = people["members"][-1]["id"]
    session.do("PUT", f"{path}/members/{member}", type="admin")
    session.do("PUT", f"{path}/members/{member}/deactivated", value="true")
    entry = session.do("GET", f"{path}/memberships", member="true")[0]["id"]
    session.do("GET", f"{path}/memberships/{entry}", member="true")
    for part in ("actions", "boards", "members", "pluginData"):
        session.do("GET", f"{path}/{part}")
    session.do("DELETE", f"{path}/members/{member}")
    session.do("PUT", f"{path}/members/{member}", type="normal")
    session.do("DELETE", f"{path}/members/{member}/all")
    session.do("DELETE", path)


def test_search_and_batch(session: Session, board: Any) -> None:
    found = session.do("GET", "/search", query="Everything", modelTypes="all", partial="true", card_board="true")
    assert {"cards", "boards", "members", "organizations", "options"} <= set(found)
    assert session.do("GET", "/search/members/", query="ml")
    urls = f"/boards/{board['id']},/members/me?fields=username%2Cemail,/boards/{vendor.ID}"
    ok, me, missing = session.do("GET", "/batch", urls=urls)
    assert ok["200"]["id"] == board["id"]
    assert me["200"].keys() == {"id", "username", "email"}
    assert missing["statusCode"] == 404


def test_tokens_and_webhooks(session: Session, board: Any, lists: list[str]) -> None:
    token = "/tokens/sandbox-token"
    session.do("GET", token, webhooks="true")
    session.do("GET", f"{token}/member")
    with Listener() as listener:
        made = session.do("POST", "/webhooks/", callbackURL=listener.url, idModel=board["id"], description="Board")
        path = f"/webhooks/{made['id']}"
        session.do("GET", path)
        assert session.do("GET", f"{path}/active") == {"_value": True}
        session.do("PUT", path, description="The board")
        session.do("DELETE", path)
        made = session.do("POST", f"{token}/webhooks", callbackURL=listener.url, idModel=lists[0])
        path = f"{token}/webhooks/{made['id']}"
        session.do("GET", f"{token}/webhooks")
        session.do("GET", path)
        session.do("PUT", path, description="A list")
        session.do("DELETE", path)
    other = {"Authorization": LOGIN.replace("sandbox-token", "member-token")}
    assert session.client.delete("/tokens/member-token/", headers=other).status_code == 200


def test_every_operation_was_walked_and_none_departed_from_the_document(session: Session) -> None:
    assert not session.checker.faults, "\n".join(sorted(set(session.checker.faults)))
    missing = {operation.name for operation in vendor.operations()} - session.checker.seen
    assert missing == set()
    unused = [fault for number, fault in enumerate(vendor.DOCUMENT_FAULTS) if number not in session.checker.excused]
    assert unused == []
