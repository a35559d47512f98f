"""A Jira on your own machine, speaking the vendor's REST. Never imported by service or connectors."""
