"""Options that several commands have, in one wording."""

from __future__ import annotations

from typing import Annotated

import typer

ANSWERS = "Answers"
"""The panel of the help in which the commands stand that answer questions."""
LIMIT = 20
"""How many rows a list shows unless told otherwise; `--json` has the same limit only where it is an option."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
