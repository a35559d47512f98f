"""The REST door, /api/v1: parse, call, translate."""
