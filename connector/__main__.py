"""`python -m connector`, and the script `connector`."""

from __future__ import annotations

from connector.cli.app import app


def main() -> None:
    app(prog_name="connector")


if __name__ == "__main__":
    main()
