"""`make faults`: every call of a bootstrap made to fail in every way, and what that leaves in the tracker."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.faults.campaign import Asked, cases_of, results_of
from tests.faults.kinds import BY_NAME, KINDS
from tests.faults.report import failures, table
from tests.faults.rig import TRACKERS


def main() -> None:
    """Run the matrix, or the part that is asked for, and print the table. Leaves with 1 if anything is off."""
    arguments = _arguments()
    progress = Console(stderr=True, highlight=False, markup=False)
    kinds = [BY_NAME[name] for name in arguments.kinds or [kind.name for kind in KINDS]]
    asked = Asked(arguments.tracker, kinds, arguments.calls or (), arguments.every, arguments.first)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        cases = list(cases_of(Path(folder), asked))
        results = list(results_of(Path(folder), cases, arguments.jobs, progress.print))
    if arguments.json:
        json.dump([result.to_json() for result in results], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        Console(width=None if sys.stdout.isatty() else 150).print(table(results))
        for line in failures(results):
            sys.stdout.write(line + "\n")
    sys.exit(0 if all(result.good for result in results) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--tracker", choices=TRACKERS, nargs="+", default=list(TRACKERS), help="which ones")
    parser.add_argument("--kinds", choices=sorted(BY_NAME), nargs="+", help="which kinds of fault; all if left out")
    parser.add_argument("--calls", type=int, nargs="+", help="which calls, counted from 1; all if left out")
    parser.add_argument("--every", type=int, default=1, help="only every so many-th call")
    parser.add_argument("--first", type=int, default=1, help="begin to count at this call")
    parser.add_argument("--jobs", type=int, default=4, help="how many cases at once; most of a case is waiting")
    parser.add_argument("--json", action="store_true", help="print every result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
