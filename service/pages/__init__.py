"""The pages: a door for people with a browser. Each page is a view function, the value that it returns, a template."""
