"""MLflow: what its tracking server and its model registry know of an iteration, read and never written."""
