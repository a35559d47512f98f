"""The Trello connector: client (HTTP), mapping (pure), tracker (joins them)."""
