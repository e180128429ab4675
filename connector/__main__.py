"""`python -m connector`, and the script `connector`."""

from __future__ import annotations

from connector.cli.app import app

FAULT = 70  # EX_SOFTWARE, as sysexits.h has it


def main() -> None:
    """Run a command. An error that nobody foresaw is told without secrets, which its traceback might show."""
    try:
        app(prog_name="connector")
    except Exception as error:  # noqa: BLE001  # whatever it is
        from connector.cli.printing.terminal import print_fault  # noqa: PLC0415  # rarely

        print_fault(error)
        raise SystemExit(FAULT) from None


if __name__ == "__main__":
    main()
