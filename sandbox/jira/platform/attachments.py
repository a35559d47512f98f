"""Files on issues: upload, details, content."""

from __future__ import annotations

import base64
import mimetypes
import re
import uuid
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError, bad_request, forbidden, not_found
from sandbox.jira.issue_view import attachment_body
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Attachment, Issue
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

FILES_LIMIT = 60
SIZE_LIMIT = 10 * 1024 * 1024  # the sandbox's own bound; sites set theirs
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@routes.post("/issue/{issueIdOrKey}/attachments")
async def add_attachments(call: Call) -> Response:
    """Add the parts named ``file`` of a multipart body; refused without ``X-Atlassian-Token: no-check``."""
    issue = access.issue_for(call)
    token = call.request.headers.get("x-atlassian-token", "").lower()
    if token not in {"no-check", "nocheck"}:
        raise ApiError(403, body={"message": "XSRF check failed", "status-code": 403})
    user = access.require(call, "CREATE_ATTACHMENTS", access.issue_project(call, issue))
    if not call.request.headers.get("content-type", "").startswith("multipart/"):
        raise ApiError(415, "Unsupported Media Type", bare=True)
    try:
        async with call.request.form(max_files=1000) as form:
            files = [part for key, part in form.multi_items() if key == "file" and isinstance(part, UploadFile)]
            _check_count(files)
            added = [await _attachment(call, upload, user.account_id) for upload in files]
    except HTTPException:
        raise bad_request("The multipart body cannot be read.") from None
    edit = Edit(call.site, issue, user.account_id)
    for attachment in added:
        issue.attachments.append(attachment)
        edit.note("Attachment", "attachment", (None, None), (attachment.id, attachment.filename))
    edit.save()
    return answer([attachment_body(call.view, attachment) for attachment in added])


def _check_count(files: list[UploadFile]) -> None:
    if not files:
        raise bad_request("No file was uploaded: send parts named 'file'.")  # wording unsure
    if len(files) > FILES_LIMIT:
        raise ApiError(413, f"The number of files exceeds the limit of {FILES_LIMIT}.")


async def _attachment(call: Call, upload: UploadFile, author: str) -> Attachment:
    content = await upload.read()
    if len(content) > SIZE_LIMIT:
        raise ApiError(413, f"The file is larger than the limit of {SIZE_LIMIT} bytes.")
    name = upload.filename or "file"
    return Attachment(
        id=str(call.site.next_id("attachment")),
        uuid=str(uuid.uuid4()),
        filename=name,
        author=author,
        created=call.site.clock.now(),
        mime_type=upload.content_type or mimetypes.guess_type(name)[0] or "application/octet-stream",
        size=len(content),
        content=base64.b64encode(content).decode(),
    )


def _found(call: Call) -> tuple[Issue, Attachment]:
    wanted = call.path["id"]
    for issue in call.site.data.issues.values():
        for attachment in issue.attachments:
            if attachment.id == wanted and access.find_issue_for(call, issue.id) is not None:
                return issue, attachment
    raise not_found(f"The attachment with id '{wanted}' does not exist")


@routes.get("/attachment/meta")
async def attachment_settings(_call: Call) -> Response:
    """Whether files may be attached, and how large they may be."""
    return answer({"enabled": True, "uploadLimit": SIZE_LIMIT})


@routes.get("/attachment/{id}")
async def get_attachment(call: Call) -> Response:
    """An attachment's details; here its id is a number."""
    _, attachment = _found(call)
    body: Body = attachment_body(call.view, attachment)
    return answer(body | {"id": int(attachment.id)})


@routes.delete("/attachment/{id}")
async def delete_attachment(call: Call) -> Response:
    """Delete an attachment; one's own, or any with the permission."""
    issue, attachment = _found(call)
    user = call.caller()
    which = "OWN" if attachment.author == user.account_id else "ALL"
    project = access.issue_project(call, issue)
    if not access.allowed(call.site, user, f"DELETE_{which}_ATTACHMENTS", project):
        raise forbidden(f"You do not have permission to delete attachment with id: {attachment.id}")
    issue.attachments.remove(attachment)
    edit = Edit(call.site, issue, user.account_id)
    edit.note("Attachment", "attachment", (attachment.id, attachment.filename), (None, None))
    edit.save()
    return no_content()


@routes.get("/attachment/content/{id}", "/attachment/thumbnail/{id}")
async def attachment_content(call: Call) -> Response:
    """The bytes, whole or a range. The vendor redirects to its media service unless ``redirect=false``; here the
    sandbox is that service, so the redirect leads to the same host."""
    _, attachment = _found(call)
    if call.query_bool("redirect", default=True):
        target = call.url(f"/secure/attachment/{attachment.id}/{attachment.uuid}")
        return Response(status_code=303, headers={"location": target})
    return _bytes(call, attachment)


media_routes = Routes("")


@media_routes.get("/secure/attachment/{id}/{name}")
async def media(call: Call) -> Response:
    """Where the content redirect leads; the unguessable name stands for the vendor's signed address."""
    wanted = call.path["name"]
    for issue in call.site.data.issues.values():
        for attachment in issue.attachments:
            if attachment.id == call.path["id"] and (wanted == attachment.uuid or call.user is not None):
                return _bytes(call, attachment)
    raise not_found("The attachment does not exist.")


def _bytes(call: Call, attachment: Attachment) -> Response:
    content = base64.b64decode(attachment.content)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(attachment.filename, safe='')}"}
    headers["accept-ranges"] = "bytes"
    wanted = _RANGE.match(call.request.headers.get("range", ""))
    if wanted is None or wanted.groups() == ("", ""):
        return Response(content, media_type=attachment.mime_type, headers=headers)
    first, last = wanted.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{len(content)}"})
    headers["content-range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], status_code=206, media_type=attachment.mime_type, headers=headers)
