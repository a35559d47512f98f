"""Plans: what is wanted, recorded and observed, the changes between them, conflicts and undo. Pure."""
