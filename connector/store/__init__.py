"""What the connector remembers: observations, links with their bases, the journal, problems and runs."""
