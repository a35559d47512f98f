"""The Slack half: a workspace with its channels, a bot, incoming webhooks, and pages that show what people see."""
