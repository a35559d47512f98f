"""What people and programs can ask of phaseloop; CLI and REST parse, call one of these, and translate."""
