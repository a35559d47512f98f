"""Who hears of what, over REST: receivers, a test, messages and their replay, previews."""

from __future__ import annotations

import httpx

from service.notify.port import Notice, Outbox
from service.usecases.notice import unsubscribing
from tests.api.conftest import Api
from tests.api.test_problems import assert_problem
from tests.waiting import eventually

ML_TEAM, OLD, TOKEN = "C0000000002", "C0000000005", "xoxb-sandbox-token"


def new_receiver(api: Api, channel: str = ML_TEAM, **more: object) -> dict[str, object]:
    body = {
        "name": api.new_name("slack"),
        "kind": "slack",
        "settings": {"url": f"{api.sandbox.url}/slack/api"},
        "secret": TOKEN,
        "subscriptions": [{"channel": channel, **more}],
    }
    found: dict[str, object] = api.post("/receivers", body)
    return found


def test_a_receiver_is_added_shown_tested_and_removed_without_its_credential(api: Api) -> None:
    project = api.new_project()
    made = new_receiver(api, projects=[project], kinds=["run-failed"])

    shown = api.get(f"/receivers/{made['name']}")
    assert shown == made
    assert TOKEN not in str(api.get("/receivers"))
    [wanted] = shown["subscriptions"]
    assert (wanted["project"], wanted["kinds"], wanted["channel"]) == (project, ["run-failed"], ML_TEAM)

    tried = api.post(f"/receivers/{made['id']}/test", status=200)
    assert (tried["ok"], tried["posted"]) == (True, [ML_TEAM])
    assert "test" in api.sandbox.slack.data.channels[ML_TEAM].messages[-1].text

    assert api("DELETE", f"/receivers/{made['id']}").status_code == 200
    assert_problem(api("GET", f"/receivers/{made['id']}"), "not-found", 404)


def test_a_test_says_what_is_wrong_and_which_request_helps(api: Api) -> None:
    made = new_receiver(api, OLD)

    tried = api.post(f"/receivers/{made['id']}/test", status=200)

    assert tried["ok"] is False
    assert "is_archived" in tried["problems"][0]
    assert "PATCH /api/v1/receivers/" in tried["problems"][0]


def test_every_mistake_is_named_with_its_place(api: Api) -> None:
    body = {
        "name": "x",
        "kind": "slack",
        "settings": {"room": "x"},
        "secret": TOKEN,
        "subscriptions": [{"channel": "#general", "kinds": ["run-fialed"]}],
    }
    assert_problem(api("POST", "/receivers", json=body), "invalid-input", 422)
    body["settings"] = {}
    answer = api("POST", "/receivers", json=body)
    assert_problem(answer, "invalid-input", 422)
    places = {one["pointer"] for one in answer.json()["errors"]}
    assert places == {"/subscriptions/0/channel", "/subscriptions/0/kinds"}
    assert_problem(api("POST", "/receivers", json={**body, "kind": "pigeon"}), "invalid-input", 422)


def test_a_change_needs_the_version_that_was_read(api: Api) -> None:
    made = new_receiver(api)
    path = f"/receivers/{made['id']}"
    change = {"subscriptions": [{"channel": "C0000000003"}]}

    assert_problem(api("PATCH", path, json=change), "precondition-required", 428)
    changed = api("PATCH", path, json=change, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert_problem(api("PATCH", path, json=change, headers={"If-Match": '"1"'}), "version-mismatch", 412)
    moved = {"settings": {"url": "https://elsewhere.example"}}
    assert_problem(api("PATCH", path, json=moved, headers={"If-Match": '"2"'}), "invalid-input", 422)


def test_a_name_is_taken_once(api: Api) -> None:
    made = new_receiver(api)
    body = {
        "name": made["name"],
        "kind": "slack",
        "settings": {},
        "secret": TOKEN,
        "subscriptions": [{"channel": ML_TEAM}],
    }

    assert_problem(api("POST", "/receivers", json=body), "name-taken", 409)


def test_messages_are_listed_and_one_that_failed_is_sent_again(api: Api) -> None:
    for one in api.get("/receivers")["items"]:
        api("DELETE", f"/receivers/{one['id']}").raise_for_status()
    project = api.new_project()
    made = new_receiver(api, projects=[project])
    fault = {"action": "status", "path": "chat.postMessage", "status": 200, "body": {"ok": False, "error": "no_text"}}
    api.client.post(f"{api.sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    with api.context.database.session() as session:
        Outbox().notify(session, Notice(project, "trigger:x", "trigger", "Look.", api.context.now(), "clock"))

    def listed(state: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = api.get(f"/deliveries?state={state}&receiver={made['id']}")["items"]
        return found

    eventually(lambda: listed("failed"), 30)
    [failed] = listed("failed")
    assert "no_text" in str(failed["error"])
    again = api.post(f"/deliveries/{failed['id']}/replay", status=200)
    assert again["state"] in ("waiting", "sending", "sent")
    assert eventually(lambda: listed("sent"), 30)
    assert_problem(api("POST", f"/deliveries/{failed['id']}/replay"), "conflict", 409)
    assert api.post("/deliveries/replay", {"state": "failed"}, status=200) == {"count": 0}
    assert api.get(f"/deliveries/{failed['id']}")["state"] == "sent"


def test_a_preview_shows_the_message_and_sends_nothing(api: Api) -> None:
    project = api.new_project()
    before = api.sandbox.world.controls.log.total

    found = api.get(f"/projects/{project}/notices/iteration-started")

    assert (found["real"], found["receiver_kind"]) == (False, "slack")
    assert found["body"]["blocks"][0]["type"] == "section"
    assert api.sandbox.world.controls.log.total == before
    assert_problem(api("GET", f"/projects/{project}/notices/nothing"), "invalid-input", 422)


def test_a_receiver_is_paused_and_told_again(api: Api) -> None:
    made = new_receiver(api)
    path = f"/receivers/{made['id']}"

    paused = api("PATCH", path, json={"paused": True}, headers={"If-Match": '"1"'})
    assert paused.json()["paused"] != ""
    resumed = api("PATCH", path, json={"paused": False}, headers={"If-Match": '"2"'})
    assert resumed.json()["paused"] == ""


def test_a_preview_is_shown_as_a_program_would_be_sent_it(api: Api) -> None:
    project = api.new_project()

    found = api.get(f"/projects/{project}/notices/iteration-started?as=webhook")

    assert (found["receiver_kind"], found["body"]["type"]) == ("webhook", "notice.iteration_started")
    assert_problem(api("GET", f"/projects/{project}/notices/message?as=pigeon"), "invalid-input", 422)


def test_the_document_describes_what_is_sent_to_programs(api: Api) -> None:
    document = api.client.get("/api/v1/openapi.json").json()

    assert {"notice.run_failed", "notice.iteration_started", "notice.test"} <= set(document["webhooks"])
    event = document["webhooks"]["notice.run_failed"]["post"]
    assert {one["name"] for one in event["parameters"]} == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert set(event["responses"]) == {"204", "410", "429"}


def test_a_link_in_a_mail_ends_its_kind_without_signing_in(api: Api) -> None:
    link = unsubscribing.link(api.context, f"{api.new_name('ana')}@example.com", "run-held")
    assert link is not None
    path = link.removeprefix(str(api.context.settings.public_url).rstrip("/"))
    with httpx.Client(base_url=api.client.base_url) as anybody:
        looked = anybody.get(path)
        assert "Get no more of these mails" in looked.text
        assert "Get no more of these mails" in anybody.get(path).text  # to look at it ends nothing

        one_click = {"List-Unsubscribe": "One-Click"}
        ended = anybody.post(
            path, data=one_click, headers={"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
        )
        assert (ended.status_code, "You get no more of these mails" in ended.text) == (200, True)
        assert unsubscribing.link(api.context, looked.text.split("<b>")[1].split("</b>")[0], "run-held") is None

        assert "They come again" in anybody.post(path, data={"again": "yes"}).text
        assert anybody.get("/unsubscribe/unknown").status_code == 404
        assert anybody.post("/unsubscribe/unknown").status_code == 404
