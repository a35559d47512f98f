"""The Jira half of the sandbox: state, REST v2, v3, agile 1.0 and software 1.0, pages for people."""
