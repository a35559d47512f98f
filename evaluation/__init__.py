"""Measures how well records are judged, and trains the heads of the second opinion. `make eval`, `make heads`."""
