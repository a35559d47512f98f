"""A language model that is asked about what is unclear: a stand-in server, reached over HTTP as any other."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.chat import ChatSettings
from connectors.network import Network
from service.domain.audit.audit import audit
from service.domain.audit.outcome import Check, CheckFinding, Result
from service.domain.audit.subject import Subject, subject_from_json, subject_to_json
from service.domain.audit.text_checks import unsettled
from service.opinion import advising as advising_module
from service.opinion.advising import advising
from service.settings import Settings
from tests.unit.domain.audit.subjects import GOOD
from tests.unit.domain.audit.test_weighing import PROSE, with_decision

UNCLEAR = with_decision(PROSE, None)
QUOTES = {
    "decision": "Sticking with ResNet-50",
    "reason": "the same mAP at three times the inference cost",
    "alternative": "ViT-B",
}
KEY = "sk-of-the-team"


@dataclass
class StandIn:
    """A server that answers every question alike, and remembers what it was sent."""

    status: int = 200
    answer: str = ""
    asked: list[tuple[dict[str, Any], dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def says(self, parts: object, status: int = 200) -> None:
        content = parts if isinstance(parts, str) else json.dumps({"parts": parts})
        self.status, self.answer = status, json.dumps({"choices": [{"message": {"content": content}}]})


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    one = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            one.asked.append((body, {name.lower(): value for name, value in self.headers.items()}))
            content = one.answer.encode()
            self.send_response(one.status if self.path == "/v1/chat/completions" else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        one.url = f"http://127.0.0.1:{http.server_port}/v1"
        yield one
        http.shutdown()


@pytest.fixture
def model(server: StandIn) -> StandIn:
    server.asked.clear()
    server.says(QUOTES)
    return server


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What is logged of it."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    ear = Ear()
    advising_module.log.addHandler(ear)
    yield said
    advising_module.log.removeHandler(ear)


def settings(model: StandIn, **said: Any) -> Settings:
    given = {"judge_url": model.url, "judge_model": "small-1", "judge_key": SecretStr(KEY), **said}
    return Settings(_env_file=None, **given)


def asked(model: StandIn, subject: Subject, former: Subject | None = None, **said: Any) -> Subject:
    """The subject with what the model says of it."""
    with advising(settings(model, **said), Network({})) as ask:
        return ask(subject, former.advice if former is not None else {})


def decision(subject: Subject) -> CheckFinding:
    return next(one for one in audit(subject).findings if one.check is Check.DECISIONS)


def test_what_is_unclear_passes_where_every_part_is_quoted_from_the_text_and_says_by_whom(model: StandIn) -> None:
    found = decision(asked(model, UNCLEAR))

    assert (found.result, found.was) == (Result.PASS, Result.UNCLEAR)
    assert "small-1, a language model (advisory)" in found.reason
    pieces = [one for one in found.evidence if one.source == "language model, advisory"]
    assert [one.quote for one in pieces] == list(QUOTES.values())
    assert {(one.by, len(one.digest)) for one in pieces} == {("small-1", 64)}


@pytest.mark.parametrize(
    ("parts", "lacking"),
    [
        ({**QUOTES, "alternative": "ResNet-101"}, "alternative"),
        ({**QUOTES, "reason": ""}, "reason"),
        ({**QUOTES, "reason": None}, "reason"),
        ({"decision": "..."}, "decision and no reason and no alternative"),
    ],
    ids=["not in the text", "empty", "null", "no word"],
)
def test_what_it_cannot_quote_leaves_it_to_the_signer(model: StandIn, parts: object, lacking: str) -> None:
    model.says(parts)

    found = decision(asked(model, UNCLEAR))

    assert found.result is Result.UNCLEAR
    assert f"finds no {lacking} in it" in found.reason
    assert "/approve D05" in found.fix


@pytest.mark.parametrize("content", ["It is fine.", "[]", '{"parts": 3}', "{" * 5000, ""])
def test_an_answer_that_is_none_changes_nothing(model: StandIn, content: str) -> None:
    model.says(content)

    assert decision(asked(model, UNCLEAR)) == decision(UNCLEAR)


@pytest.mark.parametrize(
    ("status", "body"), [(401, "{}"), (404, ""), (500, ""), (302, ""), (200, "<html>"), (200, '{"choices": []}')]
)
def test_a_server_that_does_not_answer_is_asked_once_and_nothing_changes(
    model: StandIn, status: int, body: str, heard: list[str]
) -> None:
    model.status, model.answer = status, body

    with advising(settings(model), Network({})) as ask:
        found = [ask(UNCLEAR, {}), ask(UNCLEAR, {})]

    assert [one.advice for one in found] == [{}, {}]
    assert len(model.asked) == 1
    assert KEY not in str(heard)


@pytest.mark.parametrize(
    ("text", "score"),
    [(PROSE, 0.9), (PROSE, 0.1), ("- Velocity was 44 points instead of 39, so we keep the sprints.", 0.95)],
    ids=["passes", "fails", "is unclear with a rule against it"],
)
def test_what_passes_fails_or_has_a_rule_against_it_is_not_asked_about(model: StandIn, text: str, score: float) -> None:
    subject = with_decision(text, score)

    assert asked(model, subject) == subject
    assert model.asked == []


def test_advice_on_what_has_a_rule_against_it_or_failed_is_passed_over(model: StandIn) -> None:
    advised = asked(model, UNCLEAR)
    (advice,) = advised.advice.values()
    failed = with_decision(PROSE, 0.1)
    forced = replace(failed, advice=dict.fromkeys(advised.advice, advice))

    assert decision(forced) == decision(failed)
    assert decision(forced).result is Result.FAIL


def test_the_question_and_the_answer_are_evidence_from_which_it_comes_out_again(model: StandIn) -> None:
    advised = asked(model, UNCLEAR)
    again = subject_from_json(json.loads(json.dumps(subject_to_json(advised))))
    (advice,) = again.advice.values()

    assert audit(again) == audit(advised)
    assert json.loads(advice.request) == model.asked[0][0]
    assert (advice.model, advice.host) == ("small-1", model.url.split("/")[2])
    assert KEY not in json.dumps(subject_to_json(advised))


def test_the_same_question_is_asked_once_and_another_model_is_asked_anew(model: StandIn) -> None:
    first = asked(model, UNCLEAR)

    assert asked(model, UNCLEAR, first) == first
    assert len(model.asked) == 1
    asked(model, UNCLEAR, first, judge_model="small-2")
    assert len(model.asked) == 2


def test_only_the_section_is_sent_in_the_way_that_the_server_likes(model: StandIn) -> None:
    asked(
        model,
        UNCLEAR,
        judge_header="api-key",
        judge_json="off",
        judge_tokens_field="max_completion_tokens",
        judge_extra='{"seed": 7}',
    )
    asked(model, UNCLEAR)

    (body, headers), (plain, bearer) = model.asked
    assert (headers["api-key"], headers.get("authorization")) == (KEY, None)
    assert (body["max_completion_tokens"], body["seed"]) == (1000, 7)
    assert not {"response_format", "temperature", "max_tokens"} & body.keys()
    assert bearer["authorization"] == f"Bearer {KEY}"
    assert (plain["response_format"], plain["temperature"]) == ({"type": "json_object"}, 0)
    told = json.loads(plain["messages"][1]["content"])
    assert told["section"] == PROSE
    assert GOOD.splitlines()[2] not in json.dumps(plain)


def test_without_an_address_nothing_is_asked(model: StandIn) -> None:
    assert asked(model, UNCLEAR, judge_url="") == UNCLEAR
    assert Settings(_env_file=None).judge_url is None
    assert [one.check for one in unsettled(UNCLEAR)] == [Check.DECISIONS]


@pytest.mark.parametrize(
    "said",
    [
        {"judge_url": "http://models.example.com/v1"},
        {"judge_model": ""},
        {"judge_extra": "temperature=0"},
        {"judge_url": "models"},
    ],
    ids=str,
)
def test_settings_that_cannot_be_used_are_named_and_ask_nothing(
    model: StandIn, said: dict[str, str], heard: list[str]
) -> None:
    assert asked(model, UNCLEAR, **said) == UNCLEAR
    assert next(iter(said)).upper() in str(heard)
    assert KEY not in str(heard)


def test_a_key_goes_over_plain_http_only_where_that_is_allowed_by_name() -> None:
    with pytest.raises(ValidationError, match="https"):
        ChatSettings(url="http://models.example.com/v1", model="m")

    assert ChatSettings(url="http://models.example.com/v1", model="m", allow_http=True).endpoint.endswith(
        "/v1/chat/completions"
    )
