"""Schema migrations, applied by `phaseloop db upgrade`."""
