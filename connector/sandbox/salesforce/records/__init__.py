"""What a record is, what may be done with it, and what follows from that."""
