"""The same server without the worker that indexes: what is stored waits."""

from tocsin.cli import main
from tocsin.indexing import Indexer


def _start(self: Indexer) -> None:
    del self


if __name__ == "__main__":
    Indexer.start = _start  # type: ignore[method-assign]  # the one thing that differs from the real server
    main()
