"""What Slack takes as a message: texts, blocks and metadata, with its limits (docs.slack.dev, Block Kit reference)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

BLOCKS, SECTION, HEADER, FIELD, FIELDS, CONTEXT, ACTIONS = 50, 3000, 150, 2000, 10, 10, 25
LONGEST_TEXT = 40_000
LONGEST_BLOCKS = 13_200  # of all together; unsure, the vendor names no figure
LARGEST_METADATA = 8_000  # unsure

Found = Iterator[str]


class Refused(Exception):
    """What Slack does not take: its word for it, and what it says beside that."""

    def __init__(self, word: str, *said: str) -> None:
        super().__init__(word)
        self.word, self.said = word, list(said)


def length(text: str) -> int:
    """Characters as a text in JavaScript has them."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def checked(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a message. Raises Refused."""
    text = sent.get("text") or ""
    blocks = _given(sent.get("blocks"), "invalid_blocks_format") or []
    if not isinstance(text, str):
        raise Refused("invalid_arguments", "[ERROR] text: must be a string")
    if not text.strip() and not blocks:
        raise Refused("no_text")
    if length(text) > LONGEST_TEXT:
        raise Refused("msg_too_long")
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if problems := list(_blocks(blocks)):
        raise Refused("invalid_blocks", *(f"[ERROR] {one}" for one in problems))
    if sum(length(one) for one in _texts(blocks)) > LONGEST_BLOCKS:
        raise Refused("msg_blocks_too_long")
    metadata = _given(sent.get("metadata"), "invalid_metadata_format")
    if metadata is not None:
        _metadata(metadata)
    return {"text": text, "blocks": blocks, "metadata": metadata}


def _given(value: Any, word: str) -> Any:
    """A value that forms send as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Refused(word) from None


def _metadata(value: Any) -> None:
    if not isinstance(value, dict) or set(value) - {"event_type", "event_payload", "entities"}:
        raise Refused("invalid_metadata_format")
    if not isinstance(value.get("event_type"), str) or not isinstance(value.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(value)) > LARGEST_METADATA:
        raise Refused("metadata_too_large")


def _blocks(blocks: list[Any]) -> Found:
    if len(blocks) > BLOCKS:
        yield f"no more than {BLOCKS} items allowed [json-pointer:/blocks]"
    ids = [one.get("block_id") for one in blocks if isinstance(one, dict) and one.get("block_id")]
    if len(ids) != len(set(ids)):
        yield "block_id already exists [json-pointer:/blocks]"
    for number, block in enumerate(blocks):
        at = f"/blocks/{number}"
        if not isinstance(block, dict) or block.get("type") not in _KINDS:
            kind = block.get("type") if isinstance(block, dict) else block
            yield f"unsupported type: {kind} [json-pointer:{at}/type]"
            continue
        fields, look = _KINDS[block["type"]]
        yield from _unknown(block, {"type", "block_id", *fields}, at)
        yield from look(block, at)


def _unknown(value: Mapping[str, Any], known: set[str], at: str) -> Found:
    for name in sorted(set(value) - known):
        yield f"additional property `{name}` is not allowed [json-pointer:{at}]"


def _text(value: Any, at: str, most: int, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")) -> Found:
    if not isinstance(value, dict):
        yield f"must provide an object [json-pointer:{at}]"
        return
    kind = value.get("type")
    if kind not in kinds:
        yield f"must be one of {', '.join(kinds)} [json-pointer:{at}/type]"
        return
    yield from _unknown(value, {"type", "text", "verbatim" if kind == "mrkdwn" else "emoji"}, at)
    text = value.get("text")
    if not isinstance(text, str) or not text:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    elif length(text) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}/text]"


def _section(block: Mapping[str, Any], at: str) -> Found:
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        yield f"must provide text or fields [json-pointer:{at}]"
    if block.get("text") is not None:
        yield from _text(block["text"], f"{at}/text", SECTION)
    if fields is not None:
        if not isinstance(fields, list) or not 1 <= len(fields) <= FIELDS:
            yield f"must have 1 to {FIELDS} items [json-pointer:{at}/fields]"
            return
        for number, one in enumerate(fields):
            yield from _text(one, f"{at}/fields/{number}", FIELD)


def _header(block: Mapping[str, Any], at: str) -> Found:
    yield from _text(block.get("text"), f"{at}/text", HEADER, ("plain_text",))


def _context(block: Mapping[str, Any], at: str) -> Found:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= CONTEXT:
        yield f"must have 1 to {CONTEXT} items [json-pointer:{at}/elements]"
        return
    for number, one in enumerate(elements):
        if not (isinstance(one, dict) and one.get("type") == "image"):
            yield from _text(one, f"{at}/elements/{number}", SECTION)


def _actions(block: Mapping[str, Any], at: str) -> Found:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= ACTIONS:
        yield f"must have 1 to {ACTIONS} items [json-pointer:{at}/elements]"


def _nothing(_block: Mapping[str, Any], _at: str) -> Found:
    yield from ()


_KINDS: Mapping[str, tuple[set[str], Callable[[Mapping[str, Any], str], Found]]] = {
    "section": ({"text", "fields", "accessory", "expand"}, _section),
    "header": ({"text"}, _header),
    "context": ({"elements"}, _context),
    "actions": ({"elements"}, _actions),
    "divider": (set(), _nothing),
    "image": ({"image_url", "alt_text", "title", "slack_file"}, _nothing),
}


def _texts(value: Any) -> Iterator[str]:
    """Every text in blocks."""
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for one in value.values():
            yield from _texts(one)
