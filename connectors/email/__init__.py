"""E-mail: messages to people's own addresses, handed to a mail server by SMTP."""
