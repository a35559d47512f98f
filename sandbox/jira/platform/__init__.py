"""The platform API, ``/rest/api/2`` and ``/rest/api/3``: the same handlers, whose rich text differs by version."""

PREFIXES = ("/rest/api/2", "/rest/api/3", "/rest/api/latest")
