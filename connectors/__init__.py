"""What a tracker is, and the trackers we speak to. Knows nothing of the service."""
