"""Who is at this machine."""

from __future__ import annotations

import getpass
import os


def login() -> str:
    """The login of the person at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody at this machine"
