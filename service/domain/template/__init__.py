"""The format of templates: reading them, checking them, and filling in their texts. Pure."""
