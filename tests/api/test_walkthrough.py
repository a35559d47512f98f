"""The walk through the API with which its reference begins, as it stands there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from tests.api.conftest import ML_TEAM, Api

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "rest-api.md"

TABLE = "person,email,roles\n" + "".join(
    f"{one['person']},{one['email']},{';'.join(one['roles'])}\n" for one in ML_TEAM["members"]
)


def written() -> list[list[str]]:
    """The requests of the walk, as a shell would split them, without the command that begins each."""
    text = REFERENCE.read_text(encoding="utf-8")
    [block] = re.findall(r"## From nothing to tickets\n+```sh\n(.*?)```", text, re.DOTALL)
    whole = re.sub(r",\n +", ", ", block)  # a body goes on in the next line
    lines = [shlex.split(line, comments=True) for line in whole.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["auth"]]


class Walk:
    """Sends what stands in the reference, with what its reader would put in: an address, a token, ids."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._plan = ""

    def send(self, words: list[str]) -> Any:
        """One request; what it answers."""
        method, path, headers, content = "GET", "", {}, ""
        rest = iter(words)
        for word in rest:
            match word:
                case "-N":
                    continue
                case "-X":
                    method = next(rest)
                case "-H":
                    name, value = next(rest).split(": ")
                    headers[name] = value
                case "--json" | "--data-binary":
                    method, content = "POST", next(rest)
                    headers.setdefault("Content-Type", "application/json")
                case address:
                    path = address.removeprefix("$API")
        content = TABLE if content == "@team.csv" else self._put_in(content)
        answer = self._api(method, path.replace("pln_...", self._plan), headers=headers, content=content or None)
        assert answer.status_code < 300, (words, answer.text)
        if path.endswith("/plans"):
            self._plan = answer.json()["id"]
        return answer

    def _put_in(self, content: str) -> str:
        if '"secret"' not in content:
            return content
        body = json.loads(content)
        body["settings"] |= {"url": self._api.sandbox.url, "email": DEMO_EMAIL}
        return json.dumps({**body, "secret": DEMO_TOKEN})


def test_the_walk_of_the_reference_leads_from_nothing_to_tickets(api: Api) -> None:
    walk, before = Walk(api), len(api.sandbox.site.data.issues)

    answers = [walk.send(words) for words in written()]

    assert len(answers) >= 9
    assert len(api.sandbox.site.data.issues) > before
    assert "completed" in next(
        one.text for one in answers if one.headers["content-type"].startswith("text/event-stream")
    )
