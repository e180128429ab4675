"""`SECURITY.md` claims nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def named():
    """The tests that the page names, each with its file: a name alone is in the file that was named last."""
    for row in PAGE.splitlines():
        file = ""
        for quoted in re.findall(r"`(tests/[^`]+\.py)?(?:::)?(test_\w+)?`", row):
            file = quoted[0] or file
            if quoted[1]:
                yield file, quoted[1]


def test_every_test_that_the_page_names_is_there():
    """In the file that it names."""
    found = list(named())
    assert len(found) > 30
    lacking = [
        (file, name) for file, name in found if not file or f"def {name}(" not in (ROOT / file).read_text("utf-8")
    ]
    assert lacking == []


def test_every_protection_has_its_test():
    """No row of the page's tables is left without one, but for what the recipe of `make` does."""
    rows = [row for row in PAGE.splitlines() if row.startswith("| ") and not row.startswith("| protection")]
    assert [row for row in rows if "`tests/" not in row] == [row for row in rows if "`make`, which installs" in row]
