"""The time machine: months of a project, played in minutes against a sandbox, by the product's own code."""
