"""What may be found wrong with the store, its keys, or the right to write to it. Raised by the store, and told by the
doors, which know nothing else of it."""

from __future__ import annotations


class SchemaMismatch(Exception):
    """The database's tables are not of this version of phaseloop."""


class KeyProblem(Exception):
    """The key that encrypts credentials is missing, malformed or another one than was used; or a credential stands
    elsewhere and cannot be read there."""


class ClaimLost(Exception):
    """Somebody else has the claim by now: what this unit of work was about to do may not be done."""
