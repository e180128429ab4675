"""Many records at a time, by file: imports and exports."""
