"""One connection to NATS. Its library speaks to an event loop: one of its own, in a thread of its own."""

import logging
import ssl
import threading
from asyncio import new_event_loop, run_coroutine_threadsafe
from collections.abc import Coroutine, Sequence
from concurrent.futures import TimeoutError as TooLate
from typing import Any, NamedTuple

from tocsin.errors import Rejected, Unavailable

MARGIN_S = 5.0
"""The library keeps its own time; a little later we do not wait for it any more."""


class Signing(NamedTuple):
    """How one signs in; what is empty is not said."""

    user: str
    password: str
    token: str
    context: ssl.SSLContext | None


class Line:
    """Connects when it is made. Raises Unavailable, saying why it cannot."""

    def __init__(self, servers: Sequence[str], signing: Signing, timeout_s: float) -> None:
        try:
            import nats  # noqa: PLC0415 - only who uses it needs it
        except ImportError:
            raise Unavailable("nats-py is not installed: pip install 'tocsin[nats]'") from None
        logging.getLogger("nats").setLevel(logging.CRITICAL)  # what goes wrong is told by us
        self._where, self._timeout_s = ", ".join(server.partition("://")[2] for server in servers), timeout_s
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tocsin-nats", daemon=True)
        self._thread.start()
        self._client: Any = None
        said = {"user": signing.user, "password": signing.password, "token": signing.token, "tls": signing.context}
        options = {name: value for name, value in said.items() if value}
        connect = nats.connect(
            list(servers), allow_reconnect=False, connect_timeout=max(1, int(timeout_s)), name="tocsin", **options
        )
        try:
            self._client = self._wait(connect)
        except BaseException:
            self.close()
            raise

    def publish(self, subject: str, body: bytes, id: str, stream: str) -> tuple[str, int, bool]:
        """The stream that has it, its number there, and whether it had it before. Raises Rejected, Unavailable."""
        jetstream = self._client.jetstream(timeout=self._timeout_s)
        headers = {"Nats-Msg-Id": id}
        ack = self._wait(jetstream.publish(subject, body, self._timeout_s, stream or None, headers))
        return str(ack.stream), int(ack.seq), bool(ack.duplicate)

    def taker(self, subject: str) -> str:
        """Say which stream takes a subject. Raises Unavailable, Rejected."""
        stream = self._wait(self._client.jetstream(timeout=self._timeout_s).find_stream_name_by_subject(subject))
        return f"{self._where}: stream {stream} takes {subject}"

    def close(self) -> None:
        """Hang up and end the thread."""
        if self._client is not None and not self._client.is_closed:
            try:
                self._wait(self._client.close())
            except (Rejected, Unavailable):
                self._client = None  # it is gone as it is
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(MARGIN_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        from nats import errors  # noqa: PLC0415 - only who uses it needs it
        from nats.js import errors as streams  # noqa: PLC0415 - as above

        future = run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(self._timeout_s + MARGIN_S)
        except errors.MaxPayloadError:
            raise Rejected(f"{self._where} takes no message of this size: see max_payload there") from None
        except (streams.NoStreamResponseError, streams.NotFoundError):
            raise Unavailable(f"no stream of {self._where} takes the subject: make one") from None
        except streams.APIError as error:
            kind = Rejected if error.code == 400 else Unavailable
            raise kind(f"{self._where} refused: {error.description} ({error.err_code})") from None
        except (errors.TimeoutError, TooLate, TimeoutError):
            future.cancel()
            raise Unavailable(f"{self._where} did not answer within {self._timeout_s:g} s") from None
        except (errors.Error, OSError) as error:
            raise Unavailable(f"{self._where} cannot be spoken to: {str(error) or type(error).__name__}") from None
