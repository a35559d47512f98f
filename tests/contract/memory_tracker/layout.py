"""What a project of this tracker can do."""

from __future__ import annotations

from connectors.values import Capabilities, Costs

CAPABILITIES = Capabilities(
    create_batch=40,
    move_batch=40,
    read_batch=100,
    iterations=True,
    points=True,
    links=True,
    links_in_create=True,
    checklists=True,
    marks_iterations_apart=False,
    places_in_create=True,
    title_limit=200,
    iteration_title_limit=60,
    text_limit=100_000,
    costs=Costs(),
)
