"""A binder as a file: the page that people read, and the JSON in it."""
