"""Which mutants may go unnoticed, and why? `survivors.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from mutation.mutants import Mutant

LISTED = Path(__file__).with_name("survivors.toml")


def read_survivors(path: Path = LISTED) -> dict[tuple[str, str, str, str, int], str]:
    """The reason of each, by the `key` of the mutant."""
    reasons = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["survivor"]:
        key = entry["module"], entry["scope"], entry["was"], entry["now"], entry.get("nth", 1)
        assert key not in reasons, f"listed twice: {key}"
        reasons[key] = entry["reason"]
    return reasons


def write_entry(mutant: Mutant) -> str:
    """The entry of a mutant, to which a reason is to be added."""
    lines = ["[[survivor]]", f"module = {_quote(mutant.module)}", f"scope = {_quote(mutant.scope)}"]
    lines += [f"was = {_quote(mutant.was)}", f"now = {_quote(mutant.now)}"]
    lines += [f"nth = {mutant.nth}"] if mutant.nth > 1 else []
    return "\n".join([*lines, 'reason = ""', ""])


def _quote(text: str) -> str:
    """A TOML text that reads as the code does, if it can."""
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
