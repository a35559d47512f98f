"""Who may do what: identities, roles, the policy, and how a change to what we hold is told."""
