"""New secrets of our own, and what is kept of them: tokens, codes, sessions, ids."""

from __future__ import annotations

import secrets
from hashlib import sha256


def new_token() -> str:
    """A new API token: 256 random bits, with a prefix that secret scanners can find."""
    return "phl_" + secrets.token_urlsafe(32)


def new_feed_secret() -> str:
    """A new secret for the address of a calendar feed: 192 random bits. It stands in the store as it is, because people
    are shown the address again; it opens that one feed for reading, nothing else."""
    return "feed_" + secrets.token_urlsafe(24)


def new_code() -> str:
    """A new code of a link that signs somebody in once: 256 random bits."""
    return "pl_" + secrets.token_urlsafe(32)


def new_session() -> str:
    """A new session, as its cookie holds it: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. The token itself is random, so a plain digest cannot be guessed back."""
    return sha256(token.encode()).hexdigest()


def new_id(prefix: str) -> str:
    """A new identifier, like `prj_1f0c9a3b5d7e`."""
    return f"{prefix}_{secrets.token_hex(6)}"
