"""Expressions that users write (CEL): checked and evaluated in a process of their own, which may take only so much."""
