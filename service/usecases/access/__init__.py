"""Identities and their rights as people and programs ask for them: tokens, people, sessions, the change log."""
