"""`tocsin mail` as people and mail servers use it, with the server running and without."""

import io
import subprocess
from pathlib import Path

import pytest

from neighbours.dovecot import a_mail
from neighbours.server import TOCSIN, Server, running_server
from tocsin.cli.mail import mails


def piped(data: Path, raw: bytes, *more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [TOCSIN, "mail", "--data", str(data), *more, "-"], input=raw, capture_output=True, timeout=60, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def received(server: Server) -> dict[str, int]:
    with server.client("viewer") as client:
        total: dict[str, int] = client.get("/api/v2/flow-of-alerts").json()["all"]
    return total


def test_mail_is_taken_from_a_pipe_whether_the_server_runs_or_not(data: Path) -> None:
    before = piped(data, b"From root Sat Nov 21 10:00:00 2026\n" + a_mail(1))
    with running_server(data) as server:
        again = piped(data, a_mail(1))
        other = piped(data, b"\xff no mail at all")
        counted = received(server)

    assert [done.returncode for done in (before, again, other)] == [0, 0, 0], before.stderr + other.stderr
    assert again.stdout.startswith("-:1: was there already: ")
    assert (counted["received"], counted["repeated"]) == (2, 1)


def test_files_and_mbox_files_are_taken_whole(data: Path, tmp_path: Path) -> None:
    one, many = tmp_path / "one.eml", tmp_path / "many.mbox"
    one.write_bytes(a_mail(1))
    many.write_bytes(b"".join(b"From x@example.com Sat Nov 21 10:00:00 2026\n" + a_mail(n) + b"\r\n" for n in (2, 3)))
    done = Server(data).tocsin("mail", str(one), str(many), "--source", "archive")

    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == [f"{one}:1", f"{many}:1", f"{many}:2"]


def test_a_dry_run_stores_nothing(data: Path) -> None:
    dry = piped(data, a_mail(1), "--dry-run")
    real = piped(data, a_mail(1))

    assert dry.returncode == 0
    assert "would stand in quarantine" in dry.stdout or "claims it" in dry.stdout
    assert "was there already" not in real.stdout


def test_a_mail_that_cannot_be_stored_now_is_to_be_brought_again(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = piped(tmp_path / "file" / "below", a_mail(1))
    data.mkdir()
    (data / "tocsin.toml").write_text("nonsense = 1\n")
    broken = piped(data, a_mail(1))

    assert (nowhere.returncode, broken.returncode) == (75, 75), nowhere.stderr
    assert len(broken.stderr.splitlines()) == 1
    assert "nonsense" in broken.stderr


def test_a_command_line_that_is_not_understood_is_no_reason_to_come_again(data: Path) -> None:
    done = subprocess.run([TOCSIN, "mail", "--data", str(data)], capture_output=True, timeout=60, check=False)

    assert done.returncode == 2


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (b"", [b""]),
        (b"Subject: x\n\nFrom here on\n", [b"Subject: x\n\nFrom here on\n"]),
        (b"From a@b Sat Nov 21 10:00:00 2026\nS: 1\n\nx\n\n", [b"S: 1\n\nx\n"]),
        (
            b"From a@b Sat Nov 21 10:00:00 2026\nS: 1\n\nFrom now\n\nFrom c@d Sat Nov 21 10:00:01 2026 +0100\nS: 2\n",
            [b"S: 1\n\nFrom now\n", b"S: 2\n"],
        ),
    ],
)
def test_an_mbox_file_is_cut_at_its_separators_alone(raw: bytes, parts: list[bytes]) -> None:
    opened = io.BytesIO(raw)
    opened.name = "x.mbox"

    assert list(mails(opened)) == parts
