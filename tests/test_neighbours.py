"""The neighbours themselves: a test that leans on a broken one proves nothing."""

from contextlib import closing

import httpx2
import psycopg
import pytest

from neighbours.missing import missing
from neighbours.postgres import Postgres, running_postgres
from neighbours.receiver import Drop, Hang, Receiver, Request, Slow, Status


def test_databases_of_one_cluster_are_strangers(postgres: Postgres) -> None:
    first, second = postgres.new_database(), postgres.new_database()
    with closing(psycopg.connect(postgres.url(first), autocommit=True)) as connection:
        connection.execute("CREATE TABLE only_here ()")
    with closing(psycopg.connect(postgres.url(second), autocommit=True)) as connection:
        here = connection.execute("SELECT to_regclass('only_here')").fetchone()
    postgres.drop(first)
    postgres.drop(second)

    assert first != second
    assert here == (None,)


def test_a_crashed_cluster_keeps_what_was_committed(postgres: Postgres) -> None:
    with running_postgres() as own:
        assert own.folder != postgres.folder
        with closing(psycopg.connect(own.url(), autocommit=True)) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        own.stop("immediate")
        own.start()
        with closing(psycopg.connect(own.url())) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    assert not own.folder.exists()


def test_the_receiver_does_what_it_was_told_in_order(receiver: Receiver) -> None:
    receiver.will(Status(503, {"Retry-After": "1"}, b"busy"), Drop(), Drop(reset=True), Slow(0.01, Status(429)))
    receiver.otherwise = Status(204)
    with httpx2.Client(trust_env=False, timeout=60) as client:
        busy = client.post(receiver.url, content=b"1")
        for number in (b"2", b"3"):
            with pytest.raises(httpx2.TransportError):
                client.post(receiver.url, content=number)
        slow = client.post(receiver.url, content=b"4")
        last = client.post(receiver.url, content=b"5")

    assert (busy.status_code, busy.headers["retry-after"], busy.content) == (503, "1", b"busy")
    assert (slow.status_code, last.status_code) == (429, 204)
    assert [request.body for request in receiver.requests] == [b"1", b"2", b"3", b"4", b"5"]
    assert [request.taken for request in receiver.requests] == [False, False, False, False, True]


def test_a_hanging_request_ends_when_it_is_let_go(receiver: Receiver) -> None:
    receiver.will(Hang())
    with httpx2.Client(trust_env=False, timeout=0.2) as client, pytest.raises(httpx2.TimeoutException):
        client.post(receiver.url, content=b"{}")
    receiver.let_go()

    assert receiver.wait_for(1)[0].json == {}


def test_the_receiver_may_decide_each_time(receiver: Receiver) -> None:
    def odd_ones_fail(request: Request) -> Status:
        return Status(500 if request.json % 2 else 200)

    receiver.choose = odd_ones_fail
    with httpx2.Client(trust_env=False, timeout=60) as client:
        answers = [client.post(receiver.url, content=str(number).encode()).status_code for number in range(4)]

    assert answers == [200, 500, 200, 500]


def test_a_missing_neighbour_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Chromium is not installed: apt-get"):
        missing("Chromium", "apt-get install chromium")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing is skipped in CI"):
        missing("Chromium", "apt-get install chromium")
