"""What do the mapping files come to on today's fields and records? Checked, shown, compared, and what they lack."""
