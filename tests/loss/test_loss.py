"""Nothing that was acknowledged is lost, doubled or torn, whatever is done to the server meanwhile.

`TOCSIN_LOSS_ROUNDS` rounds on each engine (6 at a desk, 50 in CI), all drawn from `TOCSIN_LOSS_SEED`.
See `tests/loss/__init__.py`.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from loss.rounds import Round, cluster_on_own_disk, first_seed, rounds_wanted
from neighbours.missing import missing
from neighbours.postgres import programs

ROUNDS = rounds_wanted()
ITEMS = min(ROUNDS, 8)
"""Rounds are dealt to this many tests an engine, so that several processors can share them."""


@pytest.mark.loss
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("item", range(ITEMS))
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_nothing_acknowledged_is_lost(engine: str, item: int, tmp_path: Path) -> None:
    seed = first_seed()
    told: list[str] = []
    with ExitStack() as stack:
        cluster, volume = None, None
        if engine == "postgres":
            if programs() is None:
                missing("PostgreSQL", "apt-get install postgresql")
            cluster, volume = stack.enter_context(cluster_on_own_disk())
        for number in range(item, ROUNDS, ITEMS):
            one = Round(engine, f"{seed}.{number}", cluster=cluster, cluster_volume=volume)
            outcome = one.run(tmp_path / str(number))
            sys.stdout.write(outcome.text.partition("\n")[0] + "\n")
            if outcome.findings:
                told.append(f"{outcome.text}\n--- end of the server's log\n{outcome.log}")
    if told:
        pytest.fail("\n".join(told), pytrace=False)
