"""What a record is, what becomes of it, and what follows from that."""
