"""Taking a run back: what it wrote, what is there of it now, and how that is restored. `engine/undo.py` begins."""
