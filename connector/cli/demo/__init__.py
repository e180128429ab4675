"""`connector demo`: a story in scenes, played between two sandboxes on this machine."""
