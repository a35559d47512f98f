"""What an MLflow server knows of some time: which runs there were, and which versions of models."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Self

from connectors.errors import NotVisible
from connectors.mlflow.answers import aliases_of, experiment_of, runs_of, versions_of
from connectors.mlflow.client import MlflowClient
from connectors.mlflow.settings import MlflowSettings
from connectors.network import Network
from connectors.tracking import Experiment, ModelVersion, Tracked, TrackedRun

RUNS_READ = 500
"""The most runs that are read for one record."""

MODELS_READ = 20
"""The most registered models that are read for one record."""

_PAGE = 100
"""Runs in one answer; a run may have a thousand parameters."""

_VERSIONS = 50
"""The newest so many versions of a model are read, and those with an alias."""

_OLDER = 10
"""The most older versions of a model that are read because they have an alias."""

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class MlflowServer:
    """One server, for the time of reading what one record needs. Requests: one for each experiment, one for every
    hundred runs, two for each model (and one for each older version with an alias), one to find models by their
    runs where none are named."""

    def __init__(
        self, settings: MlflowSettings, client: MlflowClient | None = None, network: Network | None = None
    ) -> None:
        self._url = settings.url
        self._host = settings.host
        self._client = client or MlflowClient(settings, network=network)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def read(self, experiments: Collection[str], models: Collection[str], since: datetime, until: datetime) -> Tracked:
        """The runs of these experiments (by name) that started in this time (`until` excluded), the newest `RUNS_READ`;
        and the versions of these registered models or, where none are named, of those that these runs made versions
        of. Raises TrackerError in words for people, with no credential in them."""
        found = {name: self._experiment(name) for name in dict.fromkeys(experiments)}
        there = list({one.id: one for one in found.values() if one is not None}.values())
        runs = list(islice(self._runs(there, since, until), RUNS_READ + 1))
        names = list(dict.fromkeys(models or self._made_by(runs)))[:MODELS_READ]
        versions = {name: self._versions(name) for name in names}
        return Tracked(
            server=self._host,
            experiments=tuple(there),
            runs=tuple(sorted(runs[:RUNS_READ], key=lambda run: (run.started, run.id))),
            versions=tuple(version for each in versions.values() for version in each or ()),
            missing=tuple(name for name, one in {**found, **versions}.items() if one is None),
            cut=len(runs) > RUNS_READ,
        )

    def _experiment(self, name: str) -> Experiment | None:
        try:
            answer = self._client.get("experiments/get-by-name", {"experiment_name": name})
        except NotVisible:
            return None
        return experiment_of(answer, self._url)

    def _runs(self, experiments: Collection[Experiment], since: datetime, until: datetime) -> Iterator[TrackedRun]:
        """The runs, newest first."""
        question = {
            "experiment_ids": [one.id for one in experiments],
            "filter": f"attributes.start_time >= {_stamp(since)} and attributes.start_time < {_stamp(until)}",
            "order_by": ["attributes.start_time DESC"],
            "max_results": _PAGE,
        }
        token = ""
        seen: set[str] = set()
        while experiments:
            answer = self._client.search("runs/search", {**question, "page_token": token} if token else question)
            page = [run for run in runs_of(answer, self._url) if run.id not in seen]
            yield from page
            seen |= {run.id for run in page}
            following = str(answer.get("next_page_token") or "")
            # A server that gives the same page again and again has an end, too.
            if not following or following == token or not page:
                return
            token = following

    def _made_by(self, runs: Collection[TrackedRun]) -> list[str]:
        """The registered models that these runs made versions of, in the order of the alphabet."""
        # Ids come from the server itself; what is none cannot stand in a question.
        ids = [run.id for run in runs if run.id.isalnum()][:_PAGE]
        if not ids:
            return []
        listed = ", ".join(f"'{one}'" for one in ids)
        answer = self._client.get("model-versions/search", {"filter": f"run_id IN ({listed})", "max_results": _PAGE})
        return sorted({version.model for version in versions_of(answer.get("model_versions"), self._url)})

    def _versions(self, model: str) -> list[ModelVersion] | None:
        """The newest versions of a model and those with an alias, oldest first; None if there is no such model."""
        try:
            aliases = aliases_of(self._client.get("registered-models/get", {"name": model}))
        except NotVisible:
            return None
        versions = {one.version: one for one in self._newest(model)}
        for version in sorted(aliases.keys() - versions.keys())[:_OLDER]:
            versions |= {one.version: one for one in self._version(model, version)}
        found = (replace(one, aliases=aliases.get(one.version, ())) for one in versions.values())
        return sorted(found, key=lambda one: (one.created, one.version))

    def _newest(self, model: str) -> list[ModelVersion]:
        quote = '"' if "'" in model else "'"
        if quote in model:  # MLflow's questions have no way to write both
            return []
        question = {"filter": f"name = {quote}{model}{quote}", "order_by": "creation_timestamp DESC"}
        answer = self._client.get("model-versions/search", {**question, "max_results": _VERSIONS})
        return versions_of(answer.get("model_versions"), self._url)

    def _version(self, model: str, version: str) -> list[ModelVersion]:
        try:
            answer = self._client.get("model-versions/get", {"name": model, "version": version})
        except NotVisible:
            return []
        return versions_of([answer.get("model_version")], self._url)


def _stamp(at: datetime) -> int:
    """An instant as MLflow writes it: whole milliseconds since 1970."""
    return (at - _EPOCH) // _MILLISECOND
