"""Every way in which a peer can fail is either Rejected or Unavailable, and no error gives a secret away."""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer as PlainServer
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from neighbours.certificates import Authority
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit import http
from tocsin.kit.http import Certificate, Client, Untrusted, redacted, retry_after, sort

SECRETS = "/hooks/T0K3N?key=QU3RY"
NOW = datetime(2026, 11, 21, 20, 0, 0, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(timeout_s=5) as client:
        yield client


@contextmanager
def raw_peer(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a peer that does as it likes with one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(20)
                with contextlib.suppress(OSError):
                    act(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}{SECRETS}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def failure(client: Client, url: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        client.post_json(url, b'{"body": "B0DY"}', {"Authorization": "Bearer H34DER"})
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    for secret in ("T0K3N", "QU3RY", "H34DER", "B0DY", "USER", "PASSW0RD"):
        assert secret not in shown
    return caught.value


def test_a_post_carries_the_bytes_and_headers_and_brings_the_answer(httpserver: HTTPServer, client: Client) -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        request.get_data()
        seen.append(request)
        return Response("made", 201, {"Location": "/alerts/7"})

    httpserver.expect_request("/x").respond_with_handler(handle)

    answer = client.post_json(httpserver.url_for("/x"), b"[1]", {"X-Own": "v"})

    assert (answer.status, answer.body, answer.headers["location"]) == (201, b"made", "/alerts/7")
    (request,) = seen
    assert (request.method, request.get_data()) == ("POST", b"[1]")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "Tocsin"
    assert request.headers["X-Own"] == "v"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 599])
def test_what_passes_is_unavailable(httpserver: HTTPServer, client: Client, status: int) -> None:
    httpserver.expect_request("/hooks/T0K3N").respond_with_data("QU3RY echoed", status, {"Retry-After": "7"})

    error = failure(client, httpserver.url_for(SECRETS))

    assert isinstance(error, Unavailable)
    assert error.retry_after == timedelta(seconds=7)
    assert str(error).startswith(f"http://{httpserver.host}:{httpserver.port} answered {status}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 451, 501, 505])
def test_what_stays_is_rejected(httpserver: HTTPServer, client: Client, status: int) -> None:
    httpserver.expect_request("/hooks/T0K3N").respond_with_data("no", status, {"Retry-After": "7"})

    assert isinstance(failure(client, httpserver.url_for(SECRETS)), Rejected)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(httpserver: HTTPServer, client: Client, status: int) -> None:
    httpserver.expect_request("/hooks/T0K3N").respond_with_data("", status, {"Location": "/elsewhere"})
    httpserver.expect_request("/elsewhere").respond_with_data("never")

    error = failure(client, httpserver.url_for(SECRETS))

    assert isinstance(error, Rejected)
    assert "redirects are not followed" in str(error)
    assert [request.path for request, _ in httpserver.log] == ["/hooks/T0K3N"]


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta()),
        ("120", timedelta(minutes=2)),
        ("1.5", timedelta(seconds=1.5)),
        (" 3 ", timedelta(seconds=3)),
        ("999999999999999999", timedelta(days=1)),
        ("Sat, 21 Nov 2026 20:01:00 GMT", timedelta(minutes=1)),
        ("Saturday, 21-Nov-26 20:01:00 GMT", timedelta(minutes=1)),
        ("Sat, 21 Nov 2020 20:01:00 GMT", timedelta()),
        ("Sat, 21 Nov 2099 20:01:00 GMT", timedelta(days=1)),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("Sat, 99 Nov 2026 20:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, wait: timedelta | None) -> None:
    assert retry_after(value, NOW) == wait


def read_request(connection: socket.socket) -> None:
    got = b""
    while b"B0DY" not in got and (part := connection.recv(65_536)):
        got += part


def close_at_once(connection: socket.socket) -> None:
    """Without a word."""


def close_after_the_request(connection: socket.socket) -> None:
    read_request(connection)


def reset(connection: socket.socket) -> None:
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def speak_another_protocol(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"220 mail.example ESMTP T0K3N\r\n")


def send_half_a_head(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 O")


def send_an_endless_head(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-T0K3N: QU3RY\r\n" * 100_000)


@pytest.mark.parametrize(
    "act",
    [
        close_at_once,
        close_after_the_request,
        reset,
        speak_another_protocol,
        send_half_a_head,
        send_an_endless_head,
    ],
)
def test_a_peer_that_breaks_off_or_talks_nonsense_is_unavailable(
    client: Client, act: Callable[[socket.socket], None]
) -> None:
    with raw_peer(act) as url:
        assert isinstance(failure(client, url), Unavailable)


def test_a_silent_peer_is_unavailable_after_the_timeout() -> None:
    done = threading.Event()

    def hang(connection: socket.socket) -> None:
        done.wait(60)

    with Client(timeout_s=0.2) as client, raw_peer(hang) as url:
        error = failure(client, url)
        done.set()

    assert isinstance(error, Unavailable)
    assert "said nothing for 0.2 s" in str(error)


def test_an_endless_answer_is_read_up_to_its_limit(client: Client) -> None:
    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with raw_peer(flood) as url:
        answer = client.post_json(url, b'"B0DY"')

    assert answer.status == 200
    assert answer.body == b"x" * http.LONGEST_ANSWER


def test_a_compressed_answer_is_not_unpacked(httpserver: HTTPServer, client: Client) -> None:
    httpserver.expect_request("/x").respond_with_data(b"\x1f\x8b\x08bomb", headers={"Content-Encoding": "gzip"})

    assert client.post_json(httpserver.url_for("/x"), b"1").body == b"\x1f\x8b\x08bomb"
    assert httpserver.log[0][0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("trickle", [False, True])
def test_a_yes_counts_though_its_body_breaks_off_or_trickles(trickle: bool) -> None:
    done = threading.Event()

    def act(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nbegin")
        while trickle and not done.wait(0.02):
            connection.sendall(b".")

    with Client(timeout_s=0.3) as client, raw_peer(act) as url:
        answer = client.post_json(url, b'"B0DY"')
        done.set()

    assert answer.status == 202
    assert answer.body.startswith(b"begin")


def test_nobody_there_is_unavailable(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    error = failure(client, f"http://USER:PASSW0RD@127.0.0.1:{port}{SECRETS}")

    assert isinstance(error, Unavailable)
    assert str(error).startswith(f"http://127.0.0.1:{port} cannot be reached: ")


def test_a_host_without_an_address_is_unavailable(client: Client) -> None:
    error = failure(client, f"http://nowhere.invalid{SECRETS}")

    assert isinstance(error, Unavailable)
    assert "http://nowhere.invalid cannot be reached" in str(error)


@pytest.mark.parametrize("url", ["", "T0K3N", "ftp://h.example/T0K3N", "http://", "http://h:T0K3N", "http:///T0K3N"])
def test_what_is_no_url_is_rejected(client: Client, url: str) -> None:
    assert isinstance(failure(client, url), Rejected)


@pytest.mark.parametrize("value", ["T0K3N\r\nX: y", "T0K3N ü", "T0K3N\x00"])
def test_a_header_that_cannot_be_sent_is_rejected(httpserver: HTTPServer, client: Client, value: str) -> None:
    with pytest.raises(Rejected) as caught:
        client.post_json(httpserver.url_for("/x"), b"1", {"X-Key": value})
    assert "T0K3N" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@H.example/T?q#f", "https://h.example"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080"),
        ("not an url at all", "the configured address"),
        ("http://h:T0K3N/", "the configured address"),
    ],
)
def test_an_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_the_environment_does_not_choose_proxies(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    httpserver.expect_request("/x").respond_with_data("here")

    with Client(timeout_s=5) as client:
        assert client.post_json(httpserver.url_for("/x"), b"1").body == b"here"


def test_the_library_does_not_log_urls(
    httpserver: HTTPServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/hooks/T0K3N").respond_with_data("")

    with caplog.at_level(logging.DEBUG):
        client.post_json(httpserver.url_for(SECRETS), b"1")

    assert not [record for record in caplog.records if record.name.startswith("http")]


def test_certificates_that_cannot_be_read_are_unavailable(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")

    for path in (tmp_path / "none.pem", tmp_path / "no.pem"):
        with pytest.raises(Unavailable, match=f"cannot read certificates from {path}"):
            Client(ca_file=path)


def test_reaching_says_that_somebody_is_there_whatever_they_answer(httpserver: HTTPServer, client: Client) -> None:
    httpserver.expect_request("/hooks/T0K3N").respond_with_data("", 405)

    said = client.reach(httpserver.url_for(SECRETS))

    assert said == f"http://{httpserver.host}:{httpserver.port} can be reached (HEAD was answered 405)"


class Door(BaseHTTPRequestHandler):
    """Says who came."""

    def do_GET(self) -> None:
        line = self.connection
        subject = line.getpeercert() if isinstance(line, ssl.SSLSocket) else None
        body = str(subject).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def behind_tls(
    authority: Authority, name: str = "localhost", wants: ssl.VerifyMode = ssl.CERT_OPTIONAL
) -> Iterator[str]:
    """The URL of a server that shows a certificate for `name` and wants one of the same authority."""
    server = PlainServer(("127.0.0.1", 0), Door)
    context = authority.context(name)
    context.verify_mode = wants
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


@pytest.mark.parametrize("password", ["", "secret"])
def test_a_client_certificate_is_shown_to_who_asks_for_it(tmp_path: Path, password: str) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("tocsin.example", password)
    with behind_tls(authority) as url:
        with Client(60, authority.file, certificate=Certificate(certificate, key, password)) as client:
            shown = client.ask("GET", url)
        with Client(60, authority.file) as client:
            bare = client.ask("GET", url)

    assert b"tocsin.example" in shown.body
    assert bare.body in (b"{}", b"None")


@pytest.mark.parametrize("name", ["localhost", "other.example"])
def test_a_certificate_of_an_unknown_authority_or_another_name_is_not_trusted(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)
    trusted = None if name == "localhost" else authority.file
    with (
        behind_tls(authority, name) as url,
        Client(60, trusted) as client,
        pytest.raises(Untrusted, match=r"the certificate of https://localhost:\d+ is not trusted: "),
    ):
        client.ask("GET", url)


def test_a_client_certificate_that_cannot_be_read_is_unavailable_and_asks_nobody(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue("tocsin.example", "secret")

    for wrong in (
        Certificate(tmp_path / "none.pem"),
        Certificate(certificate),
        Certificate(certificate, key),
        Certificate(certificate, key, "wrong"),
    ):
        with pytest.raises(Unavailable, match=f"cannot read the client certificate from {wrong.file}"):
            Client(certificate=wrong)


def test_asking_gives_any_status_and_says_whether_the_body_is_whole(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x").respond_with_data("x" * 11, 404)

    with Client(60, longest_answer=10) as client:
        cut = client.ask("PUT", httpserver.url_for("/x"), b"1", {"X-Own": "v"})
    with Client(60, longest_answer=11) as client:
        whole = client.ask("GET", httpserver.url_for("/x"))

    assert (cut.status, cut.body, cut.whole) == (404, b"x" * 10, False)
    assert (whole.status, whole.body, whole.whole) == (404, b"x" * 11, True)
    with pytest.raises(Rejected, match=r'here answered 404 \(Not Found\), "no such thing"'):
        sort(whole, "here", "no such thing")


def test_a_peer_that_wants_a_certificate_says_so_by_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with (
        behind_tls(authority, wants=ssl.CERT_REQUIRED) as url,
        Client(60, authority.file) as client,
        pytest.raises(Unavailable, match=r"certificate required|broke the connection"),
    ):
        client.ask("GET", url)


def test_a_peer_without_tls_is_told_from_one_that_is_not_there(httpserver: HTTPServer, client: Client) -> None:
    with pytest.raises(Unavailable, match=r"https://localhost:\d+ does not speak TLS as expected: "):
        client.ask("GET", httpserver.url_for("/x").replace("http:", "https:"))
