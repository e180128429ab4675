"""What all tests share: how hard Hypothesis searches, and how it reports.

On a developer's machine every run tries new examples; what failed once is kept and tried first. Where `CI` is
set the examples follow from the test alone, so that no change is refused for a failure that it did not cause.
"""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: the processors are shared with the other test processes, so a slow example proves nothing.
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
