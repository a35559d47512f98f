"""Jira: HTTP client, pure mapping, and the class that joins them into a Tracker."""
