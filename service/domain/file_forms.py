"""Files that people give in place of text: what they are, by their first bytes, and what to do with them. Pure."""

from __future__ import annotations

_ARCHIVE = b"PK\x03\x04"
_INSIDE = (
    # What is in an archive of this form, what people call it, and what to do.
    (b"xl/", "an Excel workbook", "save it as CSV UTF-8 (in Excel: Save As)"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", "save it as CSV UTF-8"),
    (b"word/", "a Word document", "save it as plain text, UTF-8"),
    (b"", "a ZIP archive", "unpack it, and give the file that is in it"),
)
_FORMS = (
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "save it as CSV UTF-8 (a table) or as plain text"),
    (b"%PDF", "a PDF", "give the file that it was made from"),
    (b"\x1f\x8b", "packed by gzip", "unpack it first"),
    (b"\x89PNG", "a picture", "give the text that it shows"),
    (b"SQLite format 3", "a database", "export it as text"),
)


def form_of(raw: bytes) -> tuple[str, str] | None:
    """What a file is that is no text, and what to do; None where its first bytes say nothing."""
    if raw.startswith(_ARCHIVE):
        return next((name, fix) for inside, name, fix in _INSIDE if inside in raw)
    return next(((name, fix) for begins, name, fix in _FORMS if raw.startswith(begins)), None)
