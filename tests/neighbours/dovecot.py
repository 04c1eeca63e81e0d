"""A real Dovecot of our own: a folder, a process that is nobody, ports of the loopback.

It offers IMAP (STARTTLS and plain) and IMAPS with a certificate of an authority made for it, passwords and XOAUTH2.
Access tokens are looked up at an endpoint of this process: `dovecot.good_tokens`.
"""

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from neighbours.missing import missing
from neighbours.ports import free_port

USER, PASSWORD = "alice", "correct horse"
CONF = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = {strict}
default_internal_user = {account}
default_internal_group = {group}
default_login_user = {account}
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 50
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {folder}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={account} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
OAUTH = """
introspection_mode = get
introspection_url = http://127.0.0.1:{port}/introspect?token=
username_attribute = email
active_attribute = active
active_value = true
"""


class Dovecot:
    """One server with the mailbox of `alice`; may be stopped and started on the same ports."""

    def __init__(self, folder: Path, strict: bool = False) -> None:
        self.folder = folder
        self.strict = strict
        self.port, self.tls_port = free_port(), free_port()
        self.good_tokens: set[str] = set()
        self._tokens = _introspection(self)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that vouches for the server as `localhost`."""
        return self.folder / "ca.pem"

    @property
    def mail(self) -> Path:
        """The Maildir."""
        return self.folder / "mail" / USER

    def make(self) -> None:
        """Write the configuration and the certificates."""
        account, group = ("nobody", "nogroup") if os.geteuid() == 0 else _ourselves()
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir()
        _certificates(self.folder)
        words = {
            "folder": self.folder,
            "account": account,
            "group": group,
            "port": self.port,
            "tls_port": self.tls_port,
            "strict": "yes" if self.strict else "no",
        }
        (self.folder / "dovecot.conf").write_text(CONF.format(**words))
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n")
        (self.folder / "oauth2.conf").write_text(OAUTH.format(port=self._tokens.server_address[1]))
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{account}:{group}", str(self.folder)], check=True)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        command = ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
        path = f"/usr/sbin:{os.environ.get('PATH', '')}"
        self._process = subprocess.Popen(command, cwd="/", env={"PATH": path}, start_new_session=True)
        until = time.monotonic() + 60
        while True:
            try:
                with self.client():
                    return
            except (OSError, imaplib.IMAP4.error):
                assert self._process.poll() is None, self.last_words()
                assert time.monotonic() < until, self.last_words()
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, cutting whoever is connected."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            for left in (self.folder / "run").iterdir():
                if left.is_socket() or left.name == "master.pid":
                    left.unlink()

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.stop()
        self._tokens.shutdown()
        self._tokens.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def client(self) -> Iterator[imaplib.IMAP4]:
        """Another client of the mailbox, signed in."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=60)
        try:
            client.login(USER, PASSWORD)
            yield client
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def deliver(self, *mails: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """Put mails into a folder, in this order."""
        with self.client() as client:
            for mail in mails:
                said, words = client.append(folder, flags, imaplib.Time2Internaldate(time.time()), mail)
                assert said == "OK", words

    def flags(self, folder: str = "INBOX") -> list[bytes]:
        """The flags of each mail, as the server writes them."""
        with self.client() as client:
            client.select(folder, readonly=True)
            _, told = client.fetch("1:*", "(FLAGS)")
            return [one for one in told if isinstance(one, bytes)]

    def count(self, folder: str = "INBOX") -> int:
        """How many mails are in a folder."""
        with self.client() as client:
            said, told = client.select(folder, readonly=True)
            return int(told[0] or b"0") if said == "OK" else -1

    def last_words(self) -> str:
        """The end of its log."""
        log = self.folder / "dovecot.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else "(no log)"


@contextlib.contextmanager
def running_dovecot(*, strict: bool = False) -> Iterator[Dovecot]:
    """A Dovecot of one's own, removed afterwards. `strict` takes no password in the open."""
    if shutil.which("dovecot", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin") is None:
        missing("Dovecot", "apt-get install dovecot-imapd")
    folder = Path(tempfile.mkdtemp(prefix="tocsin-dovecot-"))
    folder.chmod(0o755)
    dovecot = Dovecot(folder, strict)
    try:
        dovecot.make()
        dovecot.start()
        yield dovecot
    finally:
        dovecot.remove()


def a_mail(number: object, *, sender: str = "ids@example.com", message_id: str | None = "", more: str = "") -> bytes:
    """A mail; `message_id` None leaves it out."""
    head = "" if message_id is None else f"Message-ID: {message_id or f'<{number}@example.com>'}\r\n"
    return (
        f"From: IDS <{sender}>\r\nTo: soc@example.com\r\nSubject: mail {number}\r\n{head}{more}"
        f"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nbody of {number}\r\n"
    ).encode()


def _ourselves() -> tuple[str, str]:
    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name


def _certificates(folder: Path) -> None:
    """An authority, and a certificate of it for `localhost`."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost\n")
    issue = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *issue)


def _introspection(dovecot: Dovecot) -> ThreadingHTTPServer:
    """Says of a token whether it is good (RFC 7662)."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
            good = token in dovecot.good_tokens
            body = msgspec.json.encode({"active": good, "email": USER} if good else {"active": False})
            self.send_response(200 if good else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
