"""Records and their audit: looking at them, keeping evidence, reports, binders, waivers, history."""
