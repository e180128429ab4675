"""In which small ways could the core be wrong? Every mutant: one place of one module, varied (`variations.py`).

Not tried, because no program that runs could tell: annotations, docstrings, imports, names of types, protocols,
and `strict=True`, which only asserts.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType

from mutation.variations import Enumerations, vary

CORE = Path(__file__).resolve().parents[2] / "connector" / "core"
TOLD_APART = 24
"""A change is told by the smallest expression around it of at least so many characters, or by its statement."""
UNTOLD = {"annotation", "returns", "type_params", "type_comment", "bases", "ctx"}

Trail = tuple[ast.AST, ...]


@dataclass(frozen=True)
class Edit:
    """Another node in the place of one, for as long as it is needed."""

    tree: ast.Module
    parent: ast.AST
    place: str
    index: int | None
    node: ast.AST

    def compile(self, path: Path) -> CodeType:
        was = self.put(self.node)
        try:
            return compile(ast.fix_missing_locations(self.tree), str(path), "exec", dont_inherit=True)
        finally:
            self.put(was)

    def put(self, node: ast.AST) -> ast.AST:
        """Set the place to `node`, and give back what was there."""
        held = getattr(self.parent, self.place)
        if self.index is None:
            setattr(self.parent, self.place, node)
            return held
        was, held[self.index] = held[self.index], node
        return was


@dataclass(frozen=True)
class Mutant:
    """One change of one place. `scope` is the function or class it is in; `nth` counts changes that read the same.

    `function` is the outermost function whose body it is in, by qualified name; None if importing the module
    already carries the change out.
    """

    module: str
    scope: str
    was: str
    now: str
    nth: int
    line: int = field(compare=False)
    function: str | None = field(compare=False)
    path: Path = field(compare=False, repr=False)
    edit: Edit = field(compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What it is known by, wherever its line goes."""
        return self.module, self.scope, self.was, self.now, self.nth

    def compile(self) -> CodeType:
        """The code of the whole module with this change."""
        return self.edit.compile(self.path)


def find_modules(root: Path = CORE) -> list[Path]:
    """The modules of the core that say anything."""
    return [path for path in sorted(root.glob("*.py")) if path.stem != "__init__"]


def find_mutants(paths: Sequence[Path]) -> list[Mutant]:
    """All mutants of some modules, in the order of their text."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in find_modules(paths[0].parent)}
    enumerations = {name: members for tree in trees.values() for name, members in _read_enumerations(tree)}
    return [mutant for path in paths for mutant in _find_in_module(path, trees[path], enumerations)]


def _find_in_module(path: Path, tree: ast.Module, enumerations: Enumerations) -> Iterator[Mutant]:
    seen: Counter[tuple[str, str, str]] = Counter()
    for trail, function, scope, edit in _walk((tree,), None, "", Counter(), enumerations):
        was, now = _tell(trail, edit)
        seen[scope, was, now] += 1
        line = next(node.lineno for node in reversed(trail) if hasattr(node, "lineno"))
        yield Mutant(path.stem, scope, was, now, seen[scope, was, now], line, function, path, edit)


def _read_enumerations(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
            yield node.name, tuple(one.targets[0].id for one in node.body if isinstance(one, ast.Assign))


def _walk(
    trail: Trail, function: str | None, scope: str, bound: Counter[str], enumerations: Enumerations
) -> Iterator[tuple[Trail, str | None, str, Edit]]:
    """Every edit, with the nodes that lead to it, the function whose body it is in, and the name of its scope."""
    parent = trail[-1]
    is_function = isinstance(parent, ast.FunctionDef)
    if is_function:
        bound = _count_names(parent)
    for place, held in ast.iter_fields(parent):
        if place in UNTOLD:
            continue
        inside, name = function, scope
        if place in {"body", "decorator_list"} and (is_function or isinstance(parent, ast.ClassDef)):
            name = f"{scope}.{parent.name}" if scope else parent.name
            inside = function or (name if is_function and place == "body" else None)
        for index, node in enumerate(held) if isinstance(held, list) else [(None, held)]:
            if not isinstance(node, ast.AST) or _is_untold(node, parent):
                continue
            here = (*trail, node)
            for other in vary(node, enumerations, bound):
                yield here, inside, name, Edit(trail[0], parent, place, index, ast.copy_location(other, node))
            if (
                place != "decorator_list"
            ):  # the constants of a decorator are its keywords: those are left out already
                yield from _walk(here, inside, name, bound, enumerations)


def _is_untold(node: ast.AST, parent: ast.AST) -> bool:
    """Whether a change of it would be none, or be no more than another one."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.expr_context():
            return True
        case ast.ClassDef():
            return any(ast.unparse(base) == "Protocol" for base in node.bases)
        case ast.Expr(ast.Constant(str())):
            return True
        case ast.keyword("strict"):
            return True
        case ast.Constant(None):
            return isinstance(parent, ast.Compare)  # `is None` has its opposite
        case ast.Assign([ast.Name(name)]):
            return isinstance(parent, ast.Module) and not name.isupper() and not name.startswith("_")
        case _:
            return False


def _count_names(function: ast.FunctionDef) -> Counter[str]:
    """How often a function binds each name: without its last binding a name keeps what it had before."""
    stored = (one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    return Counter([*stored, *(one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg))])


def _tell(trail: Trail, edit: Edit) -> tuple[str, str]:
    """The change in one line each, before and after: by the smallest text that tells it from others."""
    around = [node for node in trail if isinstance(node, ast.expr | ast.stmt | ast.match_case)]
    text = next((place for place, node in enumerate(around) if isinstance(node, ast.JoinedStr)), len(around))
    teller = around[0]
    for place, node in reversed(list(enumerate(around))):
        if isinstance(node, ast.stmt) or (place <= text and len(_write_once(node)) >= TOLD_APART):
            teller = node
            break
    was = _write_once(teller)
    if teller is trail[-1]:
        return was, _write(edit.node)
    before = edit.put(edit.node)
    now = _write(teller)
    edit.put(before)
    return was, now


@cache
def _write_once(node: ast.AST) -> str:
    """Of a node that is not varied at the moment."""
    return _write(node)


def _write(node: ast.AST) -> str:
    """One line: what is within a compound statement is not told with it."""
    match node:
        case ast.Match(subject, cases):
            heads = [
                ast.unparse(ast.match_case(one.pattern, one.guard, [ast.Pass()])).splitlines()[0] for one in cases
            ]
            return f"match {ast.unparse(subject)}: {' '.join(head.strip() for head in heads)}"
        case ast.FunctionDef(name) | ast.ClassDef(name):
            marks = "".join(f"@{ast.unparse(mark)} " for mark in node.decorator_list)
            return f"{marks}{name}({ast.unparse(node.args)})" if isinstance(node, ast.FunctionDef) else marks + name
        case ast.For(target, iterated):
            return f"for {ast.unparse(target)} in {ast.unparse(iterated)}"
        case _:
            return ast.unparse(node).strip().splitlines()[0]
