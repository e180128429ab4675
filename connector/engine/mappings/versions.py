"""Which mappings are compared? Those of the last run, of a revision of git, of this folder, or a draft elsewhere.

mappings diff           what the last run went by  ->  the files here
mappings diff REV       the files at that revision ->  the files here
mappings diff PATH      the files here             ->  the same with the draft at PATH, a file or a folder
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.errors import BadConfiguration, Finding
from connector.mapping.documents import Origin, Source
from connector.mapping.files import MappingRead, MappingSettings, read_mapping
from connector.settings import Settings, mapping_files
from connector.store.store import Store

_TOLD = ("PATH", "HOME", "SYSTEMROOT", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
"""What git may know of our environment: a repository's own settings can have it start other programs."""


@dataclass(frozen=True, slots=True)
class Version:
    """Mapping files, and what they are called."""

    title: str
    read: MappingRead


def find_versions(
    settings: Settings, folder: Path, store: Store | None, given: str | None
) -> tuple[Version, Version]:
    """The old version and the new one.

    Raises:
        BadConfiguration: there is nothing to compare with, or one of both cannot be read.
    """
    own = settings.mapping()
    here = Version("the files here", _read(mapping_files(folder), own))
    if given is None:
        return _last_run(store, own), here
    path = folder / given
    if path.exists():
        return here, Version(f"the draft {given}", _read(_with_draft(path, here.read, own), own))
    return Version(f"revision {given}", _read(_at_revision(folder, given), own)), here


def _read(origins: Sequence[Origin], settings: MappingSettings) -> MappingRead:
    read = read_mapping(origins, settings)
    if read.findings:
        raise BadConfiguration(list(read.findings))
    return read


def _last_run(store: Store | None, settings: MappingSettings) -> Version:
    found = store.runs.last_mapping() if store else None
    if found is None:
        text = "no run has noted yet which mapping it went by"
        raise BadConfiguration([Finding("mappings diff", 0, text, "name a revision of git, a file, or a folder")])
    run, texts = found
    sources = [Source(f"{name} of run {run}", text.encode()) for name, text in texts.items()]
    return Version(f"the mapping of run {run}", _read(sources, settings))


def _with_draft(path: Path, here: MappingRead, settings: MappingSettings) -> list[Origin]:
    if path.is_dir():
        inside = path / "mappings" if (path / "mappings").is_dir() else path
        files: list[Origin] = [*sorted(inside.glob("*.yaml"))]
        if not files:
            raise BadConfiguration([Finding(str(path), 0, "holds no mapping file", "name one with `*.yaml` files")])
        return files
    replaced = set(_read([path], settings).files)
    kept: list[Origin] = [Path(one.where) for pair, one in here.files.items() if pair not in replaced]
    return [*kept, path]


def _at_revision(folder: Path, given: str) -> list[Origin]:
    if not (commit := _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{given}^{{commit}}")):
        text = f"{given} is neither a file, nor a folder, nor a revision of git"
        raise BadConfiguration([Finding("mappings diff", 0, text, "see `git log -- mappings`, or name a file")])
    revision = commit.decode().strip()
    listed = _git(folder, "ls-tree", "--name-only", "-z", revision, "./mappings/") or b""
    names = [name for name in listed.decode().split("\0") if name.endswith(".yaml")]
    if not names:
        text = f"revision {given} has no mapping files"
        raise BadConfiguration([Finding("mappings diff", 0, text, "name one in which they were committed")])
    return [Source(f"{given}:{name}", _git(folder, "show", f"{revision}:./{name}") or b"") for name in names]


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git answers; None if it refuses, or is not there. It is told none of the secrets in our environment."""
    git = shutil.which("git")
    if git is None:
        return None
    told = {name: os.environ[name] for name in _TOLD if name in os.environ}
    done = subprocess.run(  # noqa: S603  # git itself, and what a person named is an argument after its options
        [git, "-c", "core.fsmonitor=false", "-C", str(folder), *arguments],
        capture_output=True,
        check=False,
        env=told,
    )
    return done.stdout if done.returncode == 0 else None
