"""How each source fares, for whoever watches Tocsin."""

import pytest

from tocsin.store import tally
from web.conftest import Caller

NOW = 1_795_000_000_000_000


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_source_that_cannot_be_read_is_failing_until_it_can(admin: Caller) -> None:
    store = admin.application.state.hub.store
    store.write(lambda tx: tally.source_failed(tx, "soc", NOW, "check user and password"))
    ill = admin.get("/metrics").text
    store.write(lambda tx: tally.source_succeeded(tx, "soc", NOW + 1_000_000))
    well = admin.get("/metrics").text

    assert 'tocsin_source_failing{source="soc"} 1.0' in ill
    assert 'tocsin_source_failing{source="soc"} 0.0' in well
    assert 'tocsin_source_last_success_timestamp_seconds{source="soc"} 1.795000001e+09' in well
