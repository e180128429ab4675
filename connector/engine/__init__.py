"""One run, top to bottom: look, plan, guard, write, settle, report. `run.py` reads like that list."""
