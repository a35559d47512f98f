"""Telling people: what is to be told is kept with what it is about, in one unit of work, and sent from there."""
