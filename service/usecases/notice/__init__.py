"""People hear of things outside of the tracker: where, of what, and what became of each message."""
