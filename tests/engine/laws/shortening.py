"""Which steps does a story need that ends badly? Hypothesis would find out too, in minutes instead of seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.laws.story import Step, tell

Teller = Callable[[str, Sequence[Step]], None]


def find_end(style: str, steps: Sequence[Step], teller: Teller = tell) -> Exception | None:
    """How a story ends badly; None if it ends well."""
    try:
        teller(style, steps)
    except Exception as error:  # noqa: BLE001  # a crash of the connector is an end like any other
        return error
    return None


def shorten(style: str, steps: Sequence[Step], teller: Teller = tell) -> list[Step]:
    """The story without what it can do without to end in the same way. It has to end badly."""
    wanted = _kind(find_end(style, steps, teller))
    left, size = list(steps), max(1, len(steps) // 2)
    while True:
        start, before = 0, len(left)
        while start < len(left):
            tried = left[:start] + left[start + size :]
            if _kind(find_end(style, tried, teller)) == wanted:
                left = tried
            else:
                start += size
        if size == 1 and len(left) == before:
            return left
        size = max(1, size // 2)


def describe(style: str, steps: Sequence[Step], teller: Teller = tell) -> str:
    """The story as it may be told again, and how it ends."""
    lines = [f"    {_show(step)}," for step in steps]
    return "\n".join([f"tell({style!r}, [", *lines, "])", f"{find_end(style, steps, teller)!r}"])


def _kind(end: Exception | None) -> tuple[str, str]:
    """Ends are alike if the same check, or the same crash, ends the story."""
    said = end.args[0] if end is not None and end.args else ""
    return type(end).__name__, str(said[0] if isinstance(said, tuple) else said)[:40]


def _show(step: Step) -> str:
    name, *arguments = step
    shown = [_show_act(one) if isinstance(one, tuple) else repr(one) for one in arguments]
    return f"({', '.join([repr(name), *shown])}{'' if shown else ','})"


def _show_act(act: tuple[object, ...]) -> str:
    do, *arguments = act
    where = getattr(do, "__module__", "").rpartition(".")[2]
    name = getattr(do, "__name__", str(do))
    return f"({', '.join([f'{where}.{name}', *map(repr, arguments)])})"
