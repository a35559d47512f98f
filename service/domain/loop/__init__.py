"""The loop: its course over the calendar, which work falls where, closing and carrying over, figures. Pure."""
