"""Run rounds by hand: `PYTHONPATH=tests python -m loss --engine sqlite --seed 7 --rounds 3`."""

import argparse
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from loss.rounds import Round, cluster_on_own_disk, first_seed


def main() -> int:
    """Exit 0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="loss", description="Look for lost alerts.")
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", default=None, help="of the first round; a report prints it")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the server's log and folders of failed rounds")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended early, it still takes its disks and servers along
    seed = chosen.seed or first_seed()
    failed = 0
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tocsin-loss-"))
        cluster, volume = None, None
        if chosen.engine == "postgres":
            cluster, volume = stack.enter_context(cluster_on_own_disk())
        for number in range(chosen.rounds):
            here = folder / str(number)
            one = Round(
                chosen.engine, seed if not number else f"{seed}.{number}", cluster=cluster, cluster_volume=volume
            )
            outcome = one.run(here)
            sys.stdout.write(outcome.text + "\n")
            if outcome.findings:
                failed += 1
                sys.stdout.write(f"--- end of the server's log\n{outcome.log}\n")
    if not chosen.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
