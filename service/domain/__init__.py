"""The pure part: templates, teams, calendars, blueprints and plans. No I/O, no clock, no database."""
