"""The DuckDB that stays open between two questions: to open one takes longer than most answers."""

from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.prepared import Options


class Warm:
    """One DuckDB for all threads of a server, with one limit of memory; close it with the server."""

    def __init__(self, dataset: Dataset, options: Options, *, longest_s: float = 10.0) -> None:
        self.dataset, self.options, self.longest_s = dataset, options, longest_s

    def close(self) -> None:
        """Let go of it."""
        raise NotImplementedError
