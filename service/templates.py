"""Template files: the built-in ones and those of the user. The only part of reading templates that touches the disk."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from service.domain.file_forms import form_of
from service.domain.problems import InvalidInput, Problem
from service.domain.template.marked_yaml import MAX_CHARACTERS
from service.domain.template.reader import read_template
from service.domain.template.shape import meant, one_of
from service.domain.template.template import Template

BUILTIN = Path(__file__).resolve().parent.parent / "templates"
"""The directory of the built-in templates: beside this package, in a checkout as in an installed wheel."""

MAX_BYTES = 4 * MAX_CHARACTERS
"""No character of UTF-8 has more than four bytes; a bigger file is refused without being read."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class TemplateText:
    """The text of a template, the name it is shown under in problems, and the SHA-256 digest of the text (hex)."""

    text: str
    source: str
    digest: str

    @classmethod
    def of(cls, text: str, source: str) -> TemplateText:
        return cls(text, source, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def builtin_names() -> tuple[str, ...]:
    """The names of the built-in templates, sorted."""
    return tuple(sorted(path.stem for path in BUILTIN.glob("*.yaml") if _NAME.fullmatch(path.stem)))


def builtin() -> tuple[TemplateText, ...]:
    """The built-in templates, by name."""
    return tuple(load_builtin(name) for name in builtin_names())


def load_builtin(name: str) -> TemplateText:
    """A built-in template; never a file elsewhere. Raises InvalidInput when there is none of that name."""
    names = builtin_names()
    if name not in names:
        fix = meant(name, names) or one_of(names)
        raise InvalidInput([Problem("template", None, "", f'no built-in template "{name[:80]}"', fix)])
    return _load_file(BUILTIN / f"{name}.yaml", f"{name}.yaml")


def load(name_or_path: str) -> TemplateText:
    """A built-in template by its name, else the file at a path. The text is not judged yet.

    Raises InvalidInput when there is neither, or when the file is too big, not text, or not to be read.
    """
    if name_or_path in builtin_names():
        return load_builtin(name_or_path)
    path = Path(name_or_path)
    if _NAME.fullmatch(name_or_path) and not path.exists():
        return load_builtin(name_or_path)  # says which names there are
    return _load_file(path, name_or_path)


def read_template_file(path: Path) -> Template:
    """The checked template of a file. Raises InvalidInput with everything that is wrong with it."""
    text = _load_file(path, str(path))
    return read_template(text.text, text.source)


def _load_file(path: Path, source: str) -> TemplateText:
    try:
        if not path.is_file():
            raise _refusal(source, "is a directory" if path.is_dir() else "does not exist", "give the path of a file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            fix = f"up to {MAX_CHARACTERS:,} characters are read; check that this is the right file"
            raise _refusal(source, f"the file has {size:,} bytes", fix)
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the path is not valid"
        raise _refusal(source, f"cannot be read: {reason}", "check the path and its permissions") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what, fix = "the file is not UTF-8 text", "save it as UTF-8"
        if (form := form_of(content)) is not None:
            what, fix = f"this is {form[0]}, not text", form[1]
        problem = Problem(source, None if form else line, "", what, fix)
        raise InvalidInput([problem]) from error
    # One digest for one text, whatever the line ends of a checkout are.
    return TemplateText.of(text.replace("\r\n", "\n"), source)


def _refusal(source: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput([Problem(source, None, "", message, fix)])
