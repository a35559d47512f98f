"""`make faults`: every call of a bootstrap made to fail in every way, and what that leaves in the tracker."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.faults.campaign import Asked, cases_of, results_of
from tests.faults.fencing import SKEWED, WAYS, Round, rounds
from tests.faults.kinds import BY_NAME, KINDS
from tests.faults.replicas import Outcome, killing, postgresql
from tests.faults.report import failures, table
from tests.faults.rig import TRACKERS

KILLS = 20
PROJECTS = 3
"""In each tracker, while replicas are killed."""

ROUNDS = 5
"""How often a replica loses its run in each way, in each tracker."""


def main() -> None:
    """Run the matrix, or the part that is asked for, and print the table. Leaves with 1 if anything is off."""
    arguments = _arguments()
    progress = Console(stderr=True, highlight=False, markup=False)
    kinds = [BY_NAME[name] for name in arguments.kinds or [kind.name for kind in KINDS]]
    asked = Asked(arguments.tracker, kinds, arguments.calls or (), arguments.every, arguments.first)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        cases = [] if arguments.only_rounds else list(cases_of(Path(folder), asked))
        results = list(results_of(Path(folder), cases, arguments.jobs, progress.print))
        killed = None if arguments.only_rounds else _killed(Path(folder), arguments, progress)
        fenced = _fenced(Path(folder), arguments, progress)
    if arguments.json:
        document = {
            "cases": [result.to_json() for result in results],
            "replicas": killed and killed.to_json(),
            "rounds": [one.to_json() for one in fenced],
        }
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        if results:
            Console(width=None if sys.stdout.isatty() else 150).print(table(results))
        for line in failures(results):
            sys.stdout.write(line + "\n")
        if killed is not None:
            sys.stdout.write(killed.line() + "\n")
        for one in fenced:
            sys.stdout.write(one.line() + "\n")
    good = all(result.good for result in results) and (killed is None or killed.good)
    good = good and all(one.good for one in fenced)
    sys.exit(0 if good else 1)


def _killed(folder: Path, arguments: argparse.Namespace, progress: Console) -> Outcome | None:
    """Replicas on PostgreSQL, killed at random; none where a part of the matrix was asked for."""
    partly = arguments.kinds or arguments.calls
    kills = arguments.kills if arguments.kills is not None else 0 if partly else KILLS
    if kills == 0:
        return None
    if not postgresql():
        progress.print(
            "No PostgreSQL answers (PHASELOOP_TEST_DATABASE_URL says where to look): no replicas are killed."
        )
        return None
    seed = arguments.seed if arguments.seed is not None else random.randrange(10_000)
    return killing(folder, kills=kills, projects=PROJECTS, seed=seed, say=progress.print)


def _fenced(folder: Path, arguments: argparse.Namespace, progress: Console) -> list[Round]:
    """Replicas that lose their runs, in each way; none where a part of the matrix was asked for."""
    partly = arguments.kinds or arguments.calls
    count = arguments.rounds if arguments.rounds is not None else 0 if partly else ROUNDS
    if count == 0 or not postgresql():
        return []
    seed = arguments.seed if arguments.seed is not None else random.randrange(10_000)
    done = []
    for tracker in arguments.tracker:
        home = folder / f"rounds-{tracker}"
        home.mkdir()
        ways = list(WAYS) * count
        done += rounds(home, tracker, ways, seed=seed, launchers=SKEWED, say=progress.print)
    return done


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--tracker", choices=TRACKERS, nargs="+", default=list(TRACKERS), help="which ones")
    parser.add_argument("--kinds", choices=sorted(BY_NAME), nargs="+", help="which kinds of fault; all if left out")
    parser.add_argument("--calls", type=int, nargs="+", help="which calls, counted from 1; all if left out")
    parser.add_argument("--every", type=int, default=1, help="only every so many-th call")
    parser.add_argument("--first", type=int, default=1, help="begin to count at this call")
    parser.add_argument("--jobs", type=int, default=4, help="how many cases at once; most of a case is waiting")
    parser.add_argument("--kills", type=int, help=f"how many replicas are killed on PostgreSQL; {KILLS} if left out")
    parser.add_argument(
        "--rounds",
        type=int,
        help=f"how often a replica is cut off, stopped, frozen and killed in each tracker; {ROUNDS} if left out",
    )
    parser.add_argument("--only-rounds", action="store_true", help="leave out the matrix and the kills")
    parser.add_argument("--seed", type=int, help="which replicas are killed, and when; another every time if left out")
    parser.add_argument("--json", action="store_true", help="print every result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
