"""What people are told outside of the tracker: the kinds of notices, who asked for which, and the messages."""
