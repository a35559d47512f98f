"""Whether every iteration was documented: rules, checks, verdicts, evidence and what is made of them. Pure."""
