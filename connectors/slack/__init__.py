"""Slack: messages to its channels, by a bot's token or an incoming webhook."""
