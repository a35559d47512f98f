"""Signed webhooks: what happened, sent to a program at an address, in the form of the Standard Webhooks."""
