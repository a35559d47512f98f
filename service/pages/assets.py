"""Files that look the same for everybody: style, script and icons, each at an address that holds the digest of all."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parent / "static"

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

FILES = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.suffix in TYPES}
"""Read once: they do not change while a process runs."""

DIGEST = sha256(b"\0".join(FILES.values())).hexdigest()[:12]


def address(name: str) -> str:
    """Where a file is; another version of any of them is elsewhere, so that it can be kept for ever."""
    return f"/assets/{DIGEST}/{name}"
