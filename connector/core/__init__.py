"""All thinking, and nothing else: no clock, network, database or randomness."""
