"""What there can be in an org: objects and their fields."""
