"""The REST API: which address means which resource, and how each is answered."""
