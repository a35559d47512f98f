"""A replica that lost its run in the middle of it writes nothing more. `make faults` tries it many more times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.fencing import SKEWED, rounds
from tests.faults.rig import TRACKERS, TrackerName
from tests.integration.conftest import SMALL


@pytest.mark.parametrize("tracker", TRACKERS)
def test_each_item_exists_once_whatever_becomes_of_the_replica_that_makes_it(
    tmp_path: Path, tracker: TrackerName
) -> None:
    """On machines whose clocks are two minutes apart."""
    for one in rounds(tmp_path, tracker, ["cut", "stop", "kill"], seed=7, launchers=SKEWED, template=SMALL):
        assert one.at
        assert one.good, one
