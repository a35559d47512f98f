"""``python -m sandbox``: the sandbox without the rest of the product."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox import server
from sandbox.state_file import StateFileError


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve; 1 when the state file or the port cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A Jira on your own machine.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, help="keep the state in this file")
    parser.add_argument("--limits", action="store_true", help="apply the vendor's rate limits")
    parser.add_argument("--quiet", action="store_true", help="print nothing at the start")
    chosen = parser.parse_args(arguments)
    try:
        server.run(chosen.host, chosen.port, chosen.state, chosen.limits, chosen.quiet)
    except (StateFileError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
