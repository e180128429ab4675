"""Is a weakness known of anything that the lock names? Asked of the advisory service, by pip-audit.

A known weakness ends it with 1. What could not be asked is said to be `not audited`, and ends it with 0: a service
that is out of reach says nothing about a change. A package that the service does not know is not audited either,
though pip-audit finds no fault with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PIP_AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
LOCK = "requirements.lock"
PATIENCE = 120


def main() -> int:
    command = [PIP_AUDIT, "--requirement", LOCK, "--require-hashes", "--disable-pip", "--format", "json"]
    try:
        done = subprocess.run(  # noqa: S603  # our own tool, and no word of anybody's
            [*command, "--progress-spinner", "off", "--timeout", "15"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"not audited: the advisory service did not answer within {PATIENCE} seconds")
        return 0
    text, code = judge(done.stdout, done.stderr)
    print(text)
    return code


def judge(told: str, complaint: str) -> tuple[str, int]:
    """What pip-audit's answer means: what to say, and the exit code."""
    try:
        found: list[dict[str, Any]] = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = complaint.strip().splitlines() or ["it said nothing"]
        return f"not audited: the advisory service cannot be asked ({lines[-1][:200]})", 0
    weak = [f"{one['name']} {one['version']}: {_describe(each)}" for one in found for each in one.get("vulns", ())]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    audited = len(found) - len(skipped)
    lines = [f"known weaknesses: {len(weak)}", *weak] if weak else []
    if audited and not weak:
        lines.append(f"audited: {audited} packages, no known weakness")
    if skipped:
        some = ", ".join(skipped[:5]) + (" …" if len(skipped) > 5 else "")
        lines.append(
            f"not audited: {len(skipped)} of {len(found)} packages, which the service does not know: {some}"
        )
    if not found:
        lines.append("not audited: the lock names no package")
    return "\n".join(lines), 1 if weak else 0


def _describe(weakness: dict[str, Any]) -> str:
    fixed = ", ".join(weakness.get("fix_versions") or ())
    return f"{weakness['id']}, mended in {fixed}" if fixed else f"{weakness['id']}, not mended yet"


if __name__ == "__main__":
    sys.exit(main())
