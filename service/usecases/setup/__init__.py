"""What a project is set up from: connections, teams, projects, and what they are known by."""
