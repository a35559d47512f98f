"""Events that others send: who may send them, which one it is, what it starts. Values and pure functions."""
