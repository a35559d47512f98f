"""A small tracker in this process's memory: the third kind, which proves that a kind is one folder and one line."""
