"""What the advisory service knows of the packages that are pinned: `make lint` asks it. Where it cannot be asked, that
is said, and nothing fails: whoever builds behind a mirror that has no advisories could not lint otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"


def main() -> None:
    """Ask with this pip-audit; what follows are ids of advisories that do not concern us."""
    command, *not_ours = sys.argv[1:]
    ignored = [word for one in not_ours for word in ("--ignore-vuln", one)]
    asked = [command, "-r", str(LOCK), "--disable-pip", "--require-hashes", "--format", "json", *ignored]
    answer = subprocess.run([*asked, "--progress-spinner", "off"], capture_output=True, text=True, check=False)
    try:
        packages = json.loads(answer.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = answer.stderr.strip().splitlines()[-1:] or ["it gave no answer"]
        print(f"advisories: the service could not be asked: {last[0]}")
        return
    print(said(packages))
    if any(one.get("vulns") for one in packages):
        sys.exit(1)


def said(packages: list[dict[str, Any]]) -> str:
    """What came of it, a line for each advisory."""
    lines = [
        f"{one['name']} {one['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'no version yet'}"
        for one in packages
        for each in one.get("vulns", ())
    ]
    unasked = sum("skip_reason" in one for one in packages)
    known = len(packages) - unasked
    sums = f"advisories: {known} of {len(packages)} pinned packages asked about, {len(lines)} concern us"
    if unasked:
        sums += f"; {unasked} not known to the service that answers here"
    return "\n".join([*lines, sums])


if __name__ == "__main__":
    main()
