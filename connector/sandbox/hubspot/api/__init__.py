"""The API: which address means which call, and how each is answered."""
