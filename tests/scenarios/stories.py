"""What does a file of stories say? YAML -> `Story`, with the file and line of whatever is not understood.

The format and every step are described in README.md; what the steps do is in acts.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

FOLDER = Path(__file__).resolve().parent
PARTS = ("given", "when", "then", "when again", "then again")
"""The parts of a story in their order; the first three are never left out, the last two may be."""


class NotUnderstood(Exception):
    """A file, or a step of it, that says something unknown; the message begins with file and line."""


@dataclass(frozen=True)
class Step:
    """One line of a story: a verb of acts.py and what it is told, and where it stands."""

    verb: str
    told: Any
    place: str

    def refuse(self, why: str) -> NotUnderstood:
        return NotUnderstood(f"{self.place}: {self.verb}: {why}")


@dataclass(frozen=True)
class Story:
    """A story, the rules that it shows, and its steps in order."""

    title: str
    rules: tuple[str, ...]
    steps: tuple[Step, ...]
    place: str


def read_folder(folder: Path = FOLDER) -> list[Story]:
    """All stories of all files.

    Raises:
        NotUnderstood: at the first thing that is not as README.md says.
    """
    return [story for path in sorted(folder.glob("*.yaml")) for story in read_file(path)]


def read_file(path: Path) -> Iterator[Story]:
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise NotUnderstood(f"{path.name}:{line}: is not YAML: {error.problem}") from None
    if not isinstance(document, dict) or set(document) != {"about", "stories"}:
        raise NotUnderstood(f"{path.name}:1: a file holds `about` and `stories`")
    for number, told in enumerate(document["stories"]):
        yield _read_story(told, f"{path.name}:{document['stories'].lc.item(number)[0] + 1}", path.name)


def _read_story(told: Any, place: str, file: str) -> Story:
    known = {"story", "rules", *PARTS}
    lacking = {"story", "rules", *PARTS[:3]} - set(told)
    odd = set(told) - known
    if lacking or odd:
        says = f"lacks {sorted(lacking)}" if lacking else f"has {sorted(odd)}; known are {sorted(known)}"
        raise NotUnderstood(f"{place}: the story {says}")
    steps = tuple(step for part in PARTS if part in told for step in _read_steps(told[part], file))
    return Story(told["story"], tuple(told["rules"]), steps, place)


def _read_steps(told: Any, file: str) -> Iterator[Step]:
    for number, step in enumerate(told):
        place = f"{file}:{told.lc.item(number)[0] + 1}"
        if isinstance(step, str):
            yield Step(step, None, place)
        elif isinstance(step, dict) and len(step) == 1:
            [(verb, words)] = step.items()
            yield Step(verb, words, place)
        else:
            raise NotUnderstood(f"{place}: a step is one verb and what it is told")
