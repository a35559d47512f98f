"""Whether every iteration is documented: matrix, portfolio, waivers, evidence; having the records looked at; and the
debt of projects that never used phaseloop."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response, status

from service import templates as template_files
from service.api import audit_models, openapi, project_models
from service.api.given import AUTHENTICATED, IDEMPOTENT, Caller, Given, Id, Named, Once, StartRun, unchanged
from service.api.pages import Asked, invalid_cursor, page
from service.api.problems import placed
from service.api.routing import CreatingRoute, EscapedJson, JsonRoute
from service.context import Context
from service.domain.problems import Problem
from service.templates import TemplateText
from service.usecases.audit import audit_reports, debt_survey, evidence, record_upkeep, waiver_log
from service.usecases.audit.audit_reports import Standing
from service.usecases.audit.evidence import Outline
from service.usecases.errors import NotFound
from service.usecases.run import run_views
from service.usecases.setup import projects

router = APIRouter(
    tags=["audit"], dependencies=[AUTHENTICATED], route_class=JsonRoute, default_response_class=EscapedJson
)
creating = APIRouter(
    tags=["audit"], dependencies=[AUTHENTICATED], route_class=CreatingRoute, default_response_class=EscapedJson
)

Number = Annotated[int, Path(ge=1, le=2_000_000_000, description="The iteration.")]
Seq = Annotated[int, Path(ge=1, le=2_000_000_000, description="The entry's number.")]

_NAMED = ("not-found", "ambiguous", "invalid-input")
_TAGGED: openapi.Responses = {200: {"headers": openapi.etag_header("audit")}, **openapi.NOT_MODIFIED}


@router.get(
    "/audit",
    operation_id="getPortfolio",
    summary="Show how all projects are documented",
    response_model=audit_models.Portfolio,
    responses={200: {"headers": openapi.LINK}, **openapi.problems(*openapi.ALWAYS, "invalid-input")},
)
def get_portfolio(request: Request, response: Response, context: Given, asked: Asked) -> dict[str, Any]:
    """Those that have not ended, the worst first: by late records, then by verdict, then by name. From our own records:
    no tracker is read."""

    def read(limit: int) -> list[Standing]:
        try:
            return audit_reports.portfolio_page(context, limit, asked.after)
        except ValueError as error:
            raise invalid_cursor() from error

    def show(one: Standing) -> dict[str, Any]:
        return audit_reports.portfolio_json([one])[0]

    return page(request, response, asked, read, audit_reports.place_of, show)


@router.get(
    "/projects/{name}/audit",
    operation_id="getAudit",
    summary="Show how a project is documented",
    response_model=audit_models.Matrix,
    responses={**_TAGGED, **openapi.problems(*openapi.ALWAYS, *_NAMED)},
)
def get_audit(name: Named, request: Request, response: Response, context: Given) -> Any:
    """Its iterations by checks, as they were audited last, with reason, evidence and how to fix what failed; also of a
    project that has ended (then by its id). No tracker is read: have the records looked at for what is so now."""
    shown = _matrix(context, name)
    return unchanged(request, response, _etag(shown)) or shown


@router.get(
    "/projects/{name}/audit/{number}",
    operation_id="getAuditedIteration",
    summary="Show how an iteration is documented",
    response_model=audit_models.AuditedIteration,
    responses={**_TAGGED, **openapi.problems(*openapi.ALWAYS, *_NAMED)},
)
def get_audited_iteration(name: Named, number: Number, request: Request, response: Response, context: Given) -> Any:
    """As it was audited last: each check with reason, evidence and how to fix it."""
    lines = _matrix(context, name)["iterations"]
    shown = next((line for line in lines if line["number"] == number), None)
    if shown is None:
        raise NotFound("iteration", str(number), "List the project's audit to see those that have begun.")
    return unchanged(request, response, _etag(shown)) or shown


@creating.post(
    "/projects/{name}/audit/runs",
    operation_id="beginAudit",
    summary="Have the records looked at now",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=project_models.Run,
    dependencies=[IDEMPOTENT],
    responses={
        202: {"headers": openapi.location_header("run") | openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, *_NAMED, "project-ended", "loop-not-begun"),
    },
)
def begin_audit(
    name: Named, context: Given, caller: Caller, start: StartRun, once: Once, response: Response
) -> dict[str, Any]:
    """Starts the run that the clock would start and answers at once; follow it at `Location`. It reads the records,
    keeps what it read as evidence, fills in what is known and reminds people of what is lacking. While it is running,
    asking again is the same run (one that is held looks again)."""
    run_id = once(lambda: record_upkeep.begin(context, name, caller, start).id)
    response.headers["Location"] = f"/api/v1/runs/{run_id}"
    return run_views.run_json(run_views.progress(context, run_id))


# --- waivers ----------------------------------------------------------------------------------------------------------


@router.get(
    "/projects/{name}/waivers",
    operation_id="listWaivers",
    summary="List the waivers",
    response_model=audit_models.WaiverList,
    responses=openapi.problems(*openapi.ALWAYS, *_NAMED),
)
def list_waivers(name: Named, context: Given) -> dict[str, Any]:
    """Oldest first, those that are over or were taken back included."""
    today = waiver_log.today_of(context, projects.get(context, name))
    rows = waiver_log.listed(context, name)
    return {"items": [row.to_json(today) for row in rows], "next": None}


@creating.post(
    "/projects/{name}/waivers",
    operation_id="addWaiver",
    summary="Let a check pass",
    status_code=status.HTTP_201_CREATED,
    response_model=audit_models.WaiverShown,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, *_NAMED),
    },
)
def add_waiver(name: Named, body: audit_models.NewWaiver, context: Given, caller: Caller, once: Once) -> dict[str, Any]:
    """For one iteration or for all, for a reason, until a day. It is in the evidence at once, shows in every report,
    and what was read last is judged anew with it. Asking for the same again gives the same waiver."""

    def add() -> str:
        by = f"{body.by.strip()} (token {caller})" if body.by is not None else caller
        number, why, until = body.iteration, body.reason, body.until
        return waiver_log.waive(context, name, body.check, number=number, by=by, reason=why, until=until).id

    with placed(_pointer):
        return _waiver(context, once(add))


@creating.delete(
    "/projects/{name}/waivers/{waiver_id}",
    operation_id="revokeWaiver",
    summary="Take a waiver back",
    response_model=audit_models.WaiverShown,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, *_NAMED),
    },
)
def revoke_waiver(
    name: Named,
    waiver_id: Id,
    context: Given,
    caller: Caller,
    once: Once,
    reason: Annotated[
        str,
        Query(
            max_length=waiver_log.LONGEST_REASON,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="Why; it is part of the evidence.",
        ),
    ] = "",
) -> dict[str, Any]:
    """The check counts again from now on. The waiver stays on record, with who took it back; doing so again changes
    nothing."""

    def revoke() -> str:
        if all(row.id != waiver_id for row in waiver_log.listed(context, name)):
            raise NotFound("waiver", waiver_id, "List the project's waivers to see those there are.")
        return waiver_log.revoke(context, waiver_id, by=caller, reason=reason).id

    return _waiver(context, once(revoke))


# --- evidence ---------------------------------------------------------------------------------------------------------


@router.get(
    "/projects/{name}/evidence",
    operation_id="listEvidence",
    summary="List the evidence",
    response_model=audit_models.EvidencePage,
    responses={200: {"headers": openapi.LINK}, **openapi.problems(*openapi.ALWAYS, *_NAMED)},
)
def list_evidence(name: Named, request: Request, response: Response, context: Given, asked: Asked) -> dict[str, Any]:
    """The entries of the project's chain, oldest first, without their bodies, which may be long. It only grows."""

    def read(limit: int) -> list[Outline]:
        return evidence.page(context, name, limit, _seq(asked.after))

    return page(request, response, asked, read, lambda one: str(one.seq), evidence.outline_json)


@router.get(
    "/projects/{name}/evidence/proof",
    operation_id="proveEvidence",
    summary="Prove the evidence",
    response_model=audit_models.Proof,
    responses=openapi.problems(*openapi.ALWAYS, *_NAMED),
)
def prove_evidence(name: Named, context: Given) -> dict[str, Any]:
    """Walks the chain from the first entry and computes every audit again from evidence alone. Whatever is wrong is in
    `breaks` and `differences`."""
    return audit_reports.proof_json(audit_reports.verify(context, name))


@router.get(
    "/projects/{name}/evidence/{seq}",
    operation_id="getEvidence",
    summary="Show an entry of the evidence",
    response_model=audit_models.EvidenceEntry,
    responses=openapi.problems(*openapi.ALWAYS, *_NAMED),
)
def get_evidence(name: Named, seq: Seq, context: Given) -> dict[str, Any]:
    """As it was sealed. Texts in it are people's: treat them as such."""
    return evidence.entry(context, name, seq).to_json()


# --- projects that never used phaseloop -------------------------------------------------------------------------------


@router.post(
    "/connections/{name}/survey",
    operation_id="surveyProject",
    summary="Audit a project that never used phaseloop",
    response_model=audit_models.Surveyed,
    responses=openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.TRACKER, "not-found"),
)
def survey_project(name: Named, body: audit_models.NewSurvey, context: Given) -> dict[str, Any]:
    """Reads an existing project or board and answers with the report that one of ours gets. Nothing is
    written and nothing kept. It takes as long as reading its tickets does, 100 at a time."""
    with placed(_pointer):
        found = debt_survey.survey(
            context,
            name,
            body.key,
            template=_template(body),
            team=body.team,
            time_zone=body.time_zone,
        )
    return debt_survey.surveyed_json(found)


def _template(body: audit_models.NewSurvey) -> TemplateText | None:
    """A built-in template by name, or the text that was sent; never a file of the server."""
    if body.template is None:
        return None
    if isinstance(body.template, str):
        return template_files.load_builtin(body.template)
    return TemplateText.of(body.template.text, body.template.source)


def _matrix(context: Context, name: str) -> dict[str, Any]:
    with placed(lambda _problem: None):  # of the calendar, if at all: nothing of it was sent
        return audit_reports.matrix_json(audit_reports.matrix(context, name))


def _waiver(context: Context, waiver_id: str) -> dict[str, Any]:
    row = waiver_log.get(context, waiver_id)
    return row.to_json(waiver_log.today_of(context, projects.get(context, row.project_id)))


def _seq(after: str | None) -> int:
    """The number of the last entry that was seen. Raises the problem that the cursor is none of ours."""
    if after is None:
        return 0
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise invalid_cursor()
    return int(after)


def _pointer(problem: Problem) -> str | None:
    """Where in the body a problem lies."""
    match problem.source:
        case "waiver" | "survey":
            return problem.pointer
        case "template":
            return "/template"
        case _:
            return None


def _etag(shown: object) -> str:
    return f'"{sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:24]}"'
