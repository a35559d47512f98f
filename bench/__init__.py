"""Benchmarks against what a user would do instead; counted at the wire, because machines are noisy."""
