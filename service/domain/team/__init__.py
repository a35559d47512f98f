"""Who works and when: people, roles, calendars, holidays, time zones. Pure."""
