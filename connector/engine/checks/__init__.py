"""Everything that a sync needs, looked at one by one: a module for each side, and one for what is about both."""
