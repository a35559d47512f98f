"""One file each, named by number."""
