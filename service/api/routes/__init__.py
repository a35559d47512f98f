"""The API's addresses, one module for each resource: parse, call a use case, translate."""
