"""Singer taps, unmodified: each in an environment of its own, started as a user would start it.

The Makefile builds `.venv-readers/<reader>` from `<reader>.lock`. Which host a tap calls is written in it; the
sandbox's proxy and certificate reach it by environment variables alone.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

ENVIRONMENTS = Path(__file__).resolve().parents[3] / ".venv-readers"
PATIENCE = 120  # seconds

Catalog = dict[str, Any]
Row = dict[str, Any]


class Tap:
    """A tap with its configuration. `environment` leads it to the sandboxes."""

    def __init__(self, name: str, config: dict[str, Any], folder: Path, environment: dict[str, str]) -> None:
        self._program = ENVIRONMENTS / name / "bin" / name
        self._folder = folder
        self._environment = {"PATH": os.environ["PATH"], **environment}
        self._config = self._write("config.json", config)

    def discover(self) -> Catalog:
        """What there is to read: the catalog of all streams."""
        return dict(json.loads(self._run("--discover")))

    def read(self, catalog: Catalog, streams: set[str]) -> dict[str, list[Row]]:
        """Every field of every record, by stream."""
        found = {stream["stream"] for stream in catalog["streams"]}
        assert streams <= found, f"not discovered: {sorted(streams - found)}"
        for stream in catalog["streams"]:
            if stream["stream"] in streams:
                _select(stream)
        told = self._run("--properties", str(self._write("catalog.json", catalog)))
        read: dict[str, list[Row]] = defaultdict(list)
        for message in map(json.loads, told.splitlines()):
            if message["type"] == "RECORD":
                read[message["stream"]].append(message["record"])
        return dict(read)

    def _write(self, name: str, content: Any) -> Path:
        path = self._folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def _run(self, *arguments: str) -> str:
        assert self._program.exists(), f"{self._program.name} is not installed: run `make readers` once"
        done = subprocess.run(
            [str(self._program), "--config", str(self._config), *arguments],
            env=self._environment, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4_000:]
        return done.stdout


def _select(stream: dict[str, Any]) -> None:
    """Choose a stream of a catalog with all its fields, by the record's last change if it knows one."""
    for entry in stream["metadata"]:
        about = entry["metadata"]
        if about.get("inclusion") != "unsupported":
            about["selected"] = True
        if keys := about.get("valid-replication-keys"):
            about |= {"replication-key": keys[0], "replication-method": "INCREMENTAL"}
