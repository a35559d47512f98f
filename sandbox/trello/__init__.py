"""A stand-in for Trello: its state, its REST API under ``/1``, its webhooks and its pages for people."""
