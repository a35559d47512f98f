"""Runs: applying a plan, progress, cancel and retry, repeated requests, cleaning up."""
