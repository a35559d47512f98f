"""The addresses of the pages: read a request, call a use case, show a page or lead to one."""
