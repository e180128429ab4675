"""What does a new folder get? The shipped files, fitted to a person's answers and to what both CRMs have.

    config/connector.yaml         the answers; record types and pipelines in a comment
    mappings/*.yaml               as `mapping/drafts.py` fits them
    .schemas/*.schema.json        for editors, which complete and check the files by them
    environment.example           the variables to set, and no secret

    .schemas/init.json            the answers, for the next time, and the fingerprint of each file as it was written

A file that somebody has changed since is kept unless told otherwise; one that nobody has, and the schemas, are
written anew: so `init` may be run again once there are credentials, or when a CRM has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from connector.engine.live import Live
from connector.errors import BadConfiguration, Finding
from connector.mapping.drafts import fit_mapping, fit_roles
from connector.mapping.schemas import contact_role_schema, mapping_schema
from connector.settings import Settings, defaults_folder, settings_schema

CONFIG, EXAMPLE = Path("config/connector.yaml"), Path("environment.example")
SCHEMAS = Path(".schemas")
RECORD = SCHEMAS / "init.json"
_ROLES = "contact-role"


class SignIn(StrEnum):
    """How the connector signs in to Salesforce."""

    CLIENT_CREDENTIALS = "client-credentials"
    PASSWORD = "password"  # noqa: S105  # the name of a way, not a password
    SESSION = "session"


VARIABLES: Mapping[SignIn, tuple[str, ...]] = {
    SignIn.CLIENT_CREDENTIALS: ("CONSUMER_KEY", "CONSUMER_SECRET"),
    SignIn.PASSWORD: ("USERNAME", "PASSWORD", "SECURITY_TOKEN"),
    SignIn.SESSION: ("SESSION_ID",),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person decided. None: as shipped, or as the portal has it."""

    instance_url: str = "https://yourcompany.my.salesforce.com"
    sign_in: str = SignIn.CLIENT_CREDENTIALS
    salesforce_prefix: str = "SALESFORCE"
    hubspot_prefix: str = "HUBSPOT"
    time_zone: str | None = None
    companies: bool = True
    contacts: bool = True
    deals: bool = True
    first_sync: str = "import"
    pipeline_names: bool = False
    """Whether pipelines are called by the record type's name, not its id."""

    def variables(self) -> tuple[str, ...]:
        """The environment variables that have to be set."""
        here = ("INSTANCE_URL", *VARIABLES[SignIn(self.sign_in)])
        return (*(f"{self.salesforce_prefix}_{one}" for one in here), f"{self.hubspot_prefix}_ACCESS_TOKEN")


class FileState(StrEnum):
    """What became of a file. KEPT: somebody had changed it. UPDATED: nobody had, and it says something else now."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    KEPT = "kept"
    OVERWRITTEN = "overwritten"


def draft_files(answers: Answers, live: Live) -> dict[Path, str]:
    """All files of a new folder, by their path in it.

    Raises:
        BadConfiguration: an answer is none that the settings take.
    """
    source = defaults_folder()
    files = {CONFIG: _draft_settings((source / CONFIG).read_text(encoding="utf-8"), answers, live)}
    for path in sorted((source / "mappings").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if path.stem == _ROLES:
            text, schema = fit_roles(text, live.roles, live.labels), _ROLES
        else:
            text, schema = fit_mapping(text, live.known.get(path.stem, {})), "mapping"
        files[Path("mappings") / path.name] = _head(schema) + text
    schemas = {"connector": settings_schema(), "mapping": mapping_schema(), _ROLES: contact_role_schema()}
    for name, body in schemas.items():
        files[SCHEMAS / f"{name}.schema.json"] = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    files[EXAMPLE] = _draft_environment(answers)
    return files


def read_answers(folder: Path) -> dict[str, Any]:
    """What was answered the last time, by the names of `Answers`; nothing if `init` has not been there."""
    found = _read_record(folder).get("answers", {})
    kinds = {one.name: bool if one.type == "bool" else str for one in fields(Answers)}
    sound = {name: value for name, value in found.items() if isinstance(value, kinds.get(name, type(None)))}
    if sound.get("sign_in") not in set(SignIn):
        sound.pop("sign_in", None)
    return sound


def write_files(
    folder: Path, files: Mapping[Path, str], answers: Mapping[str, Any], *, force: bool
) -> dict[Path, FileState]:
    """Write files into a folder, and tell what became of each. A changed one is kept, unless forced.

    `answers` are remembered, by the names of `Answers`: what a person decided, and no more.

    Raises:
        BadConfiguration: a file or folder cannot be written. What was written before that is whole.
    """
    before = _read_record(folder).get("files", {})
    told: dict[Path, FileState] = {}
    try:
        for path in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            ours = path.parent == SCHEMAS or _is_as_written(folder / path, before.get(path.as_posix()))
            told[path] = _write(folder / path, text, ours=ours, force=force)
        prints = {
            path.as_posix(): before.get(path.as_posix(), "") if told[path] is FileState.KEPT else _print_of(text)
            for path, text in files.items()
            if path.parent != SCHEMAS
        }
        record = {"answers": dict(answers), "files": prints}
        _replace(folder / RECORD, json.dumps(record, indent=2) + "\n")
    except OSError as error:
        remedy = "choose a folder that you may write to"
        raise BadConfiguration([Finding(str(error.filename), 0, str(error.strerror), remedy)]) from None
    return told


def _read_record(folder: Path) -> dict[str, Any]:
    """What the last `init` noted; nothing where there is no such note, or one that cannot be read."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    sound = isinstance(found, dict) and all(isinstance(found.get(one), dict) for one in ("answers", "files"))
    return found if sound else {}


def _print_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_as_written(path: Path, before: str | None) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == before


def _write(path: Path, text: str, *, ours: bool, force: bool) -> FileState:
    state = FileState.WRITTEN
    if path.exists():
        if path.read_bytes() == text.encode():
            return FileState.UNCHANGED
        if not (ours or force):
            return FileState.KEPT
        state = FileState.UPDATED if ours else FileState.OVERWRITTEN
    _replace(path, text)
    return state


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(text.encode())
    beside.replace(path)


def _head(schema: str) -> str:
    return f"# yaml-language-server: $schema=../{SCHEMAS}/{schema}.schema.json\n"


# --- settings ---------------------------------------------------------------------------------------------


def _draft_settings(text: str, answers: Answers, live: Live) -> str:
    chosen = answers.time_zone or live.time_zone or "UTC"
    label = "Salesforce - {record_type.name}" if answers.pipeline_names else "Salesforce - {record_type.id}"
    given = {
        "time_zone": chosen,
        "salesforce": {"environment": answers.salesforce_prefix},
        "hubspot": {"environment": answers.hubspot_prefix},
        "sync": {"first_sync": answers.first_sync},
        "pipelines": {"label": label},
    }
    try:
        Settings.model_validate(given)
    except ValueError as error:
        raise BadConfiguration(_find_wrong(error)) from None
    for prefix, own in (("SALESFORCE", answers.salesforce_prefix), ("HUBSPOT", answers.hubspot_prefix)):
        text = _set(text.replace(f"{prefix}_", f"{own}_"), "environment", own, prefix)
    text = _set(text, "time_zone", chosen)
    for name in ("companies", "contacts", "deals"):
        text = _set(text, name, str(getattr(answers, name)).lower())
    text = _set(text, "first_sync", answers.first_sync)
    text = _set(text, "label", f'"{label}"')
    return _head("connector") + _insert_before(text, "  assigned:", [*_tell_pipelines(live)])


def _find_wrong(error: ValueError) -> list[Finding]:
    errors = error.errors(include_url=False) if hasattr(error, "errors") else []
    return [
        Finding(f"--{str(one['loc'][-1]).replace('_', '-')}", 0, one["msg"].removeprefix("Value error, "))
        for one in errors
    ]


def _set(text: str, key: str, value: str, old: str = "") -> str:
    """The text with another value of the first such key (whose value begins with `old`); comments stay in place."""

    def put(match: re.Match[str]) -> str:
        comment = match["comment"] or ""
        width = len(match["value"])
        if not comment:
            return match["key"] + value
        return match["key"] + value.ljust(width) + ("  " if len(value) >= width else "") + comment

    pattern = rf"^(?P<key> *{key}: )(?P<value>{old}[^#\n]*)(?P<comment>#.*)?$"
    return re.sub(pattern, put, text, count=1, flags=re.MULTILINE)


def _insert_before(text: str, start: str, lines: Sequence[str]) -> str:
    place = text.index(f"\n{start}") + 1
    return text[:place] + "".join(f"{line}\n" for line in lines) + text[place:]


def _tell_pipelines(live: Live) -> Iterator[str]:
    for title, some in (("record types of opportunities", live.record_types), ("pipelines", live.pipelines)):
        if some:
            yield f"  # The {title} that there are:"
            yield from (f"  #   {id_}  {name}" for id_, name in some)


# --- environment ------------------------------------------------------------------------------------------


def _draft_environment(answers: Answers) -> str:
    lines = [
        "# What the connector has to be told beside its files. Copy this to `environment`, fill it in, let only",
        "# you read it (chmod 600), keep it out of version control, and load it: . ./environment",
        "# Instead of NAME, NAME_FILE may say in which file the value lies, or NAME_KEYRING in which service of",
        "# the system's keyring.",
        "",
        "# Salesforce",
        f"export {answers.salesforce_prefix}_INSTANCE_URL={answers.instance_url}",
        *(f"export {answers.salesforce_prefix}_{one}=" for one in VARIABLES[SignIn(answers.sign_in)]),
        "",
        "# HubSpot: the token of a private app or a service key",
        f"export {answers.hubspot_prefix}_ACCESS_TOKEN=",
        "",
        "# The database, if it is not the file connector.db beside the settings; its URL may hold a password",
        "# export CONNECTOR_STORE_URL=sqlite:////srv/crm/connector.db",
    ]
    return "\n".join(lines) + "\n"
