"""MLflow's answers as values. What does not have the shape that MLflow documents is passed over, never guessed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from connectors.mlflow.settings import experiment_page, run_page, version_page
from connectors.tracking import Dataset, Experiment, ModelVersion, TrackedRun

_CONTEXT = "mlflow.data.context"
_REPOSITORY = "mlflow.source.git.repoURL"
_COMMIT = "mlflow.source.git.commit"
_NAME = "mlflow.runName"
_NO_STAGE = "None"
_GONE = "deleted"


def experiment_of(answer: Mapping[str, Any], url: str) -> Experiment | None:
    """The experiment that was asked for by name; None for one that was deleted."""
    value = _mapping(answer.get("experiment"))
    found = _text(value.get("experiment_id"))
    if not found or value.get("lifecycle_stage") == _GONE:
        return None
    return Experiment(found, _text(value.get("name")), experiment_page(url, found))


def runs_of(answer: Mapping[str, Any], url: str) -> list[TrackedRun]:
    """The runs of one page, in its order."""
    return [run for value in _list(answer.get("runs")) if (run := _run(_mapping(value), url)) is not None]


def versions_of(values: object, url: str) -> list[ModelVersion]:
    """Versions of registered models, without their aliases: those stand with the model."""
    found = []
    for value in map(_mapping, _list(values)):
        model, version = _text(value.get("name")), _text(value.get("version"))
        created = _instant(value.get("creation_timestamp"))
        if model and version and created is not None:
            stage = _text(value.get("current_stage"))
            page = version_page(url, model, version)
            run = _text(value.get("run_id"))
            found.append(ModelVersion(model, version, page, created, "" if stage == _NO_STAGE else stage, (), run))
    return found


def aliases_of(answer: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The aliases of each version of a registered model, by version, in the order of the alphabet."""
    found: dict[str, set[str]] = {}
    for value in map(_mapping, _list(_mapping(answer.get("registered_model")).get("aliases"))):
        alias, version = _text(value.get("alias")), _text(value.get("version"))
        if alias and version:
            found.setdefault(version, set()).add(alias)
    return {version: tuple(sorted(names)) for version, names in found.items()}


def _run(value: Mapping[str, Any], url: str) -> TrackedRun | None:
    info, data = _mapping(value.get("info")), _mapping(value.get("data"))
    found, experiment = _text(info.get("run_id") or info.get("run_uuid")), _text(info.get("experiment_id"))
    started = _instant(info.get("start_time"))
    if not found or not experiment or started is None:
        return None
    tags = _tags(data.get("tags"))
    return TrackedRun(
        id=found,
        name=_text(info.get("run_name")) or tags.get(_NAME, ""),
        experiment=experiment,
        url=run_page(url, experiment, found),
        status=_text(info.get("status")).lower(),
        started=started,
        ended=_instant(info.get("end_time")),
        metrics=_metrics(data.get("metrics")),
        datasets=tuple(_datasets(_list(_mapping(value.get("inputs")).get("dataset_inputs")))),
        repository=_repository(tags.get(_REPOSITORY, "")),
        commit=tags.get(_COMMIT, ""),
    )


def _metrics(values: object) -> dict[str, float]:
    found = {}
    for value in map(_mapping, _list(values)):
        # Numbers that JSON does not have come as text ("NaN"); they compare with nothing and are left out.
        name, number = _text(value.get("key")), value.get("value")
        if name and isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            found[name] = float(number)
    return found


def _datasets(values: Iterable[object]) -> Iterable[Dataset]:
    for value in map(_mapping, values):
        data = _mapping(value.get("dataset"))
        if name := _text(data.get("name")):
            context = _tags(value.get("tags")).get(_CONTEXT, "")
            yield Dataset(name, _text(data.get("digest")), context, _source(data.get("source")))


def _source(value: object) -> str:
    """Where a dataset came from, of the JSON that MLflow keeps for it: an address or path without credentials."""
    try:
        said = _mapping(json.loads(_text(value)))
    except (ValueError, RecursionError):
        return ""
    found = next((_text(said.get(key)) for key in ("url", "uri", "path") if _text(said.get(key))), "")
    return _without_credentials(found)


def _repository(address: str) -> str:
    """The page of a repository, as people open it: `git@host:team/code.git` and addresses with credentials made so."""
    if "://" not in address and address.startswith("git@") and ":" in address:
        host, _, path = address.removeprefix("git@").partition(":")
        address = f"https://{host}/{path}"
    return _without_credentials(address).removesuffix(".git")


def _without_credentials(address: str) -> str:
    try:
        parts = urlsplit(address)
        if not parts.netloc:
            return address if "@" not in address else ""
        netloc = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    # The query of an address is where tokens are that let somebody in.
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def _tags(values: object) -> dict[str, str]:
    pairs = map(_mapping, _list(values))
    return {_text(pair.get("key")): _text(pair.get("value")) for pair in pairs}


def _instant(value: object) -> datetime | None:
    """Milliseconds since 1970, which JSON may hold as text; None for none (0 is MLflow's word for that, too)."""
    try:
        milliseconds = int(value) if isinstance(value, int | str) else 0
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
