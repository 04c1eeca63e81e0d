"""An authority of our own, and certificates of it for servers on this machine and for clients."""

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Pair(NamedTuple):
    """A certificate and its private key, both PEM."""

    certificate: Path
    key: Path


class Authority:
    """Vouches for whom it is asked to, for two days."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "ca.pem"
        make = ("req", "-x509", *_KEY, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
        self._openssl(*make, "-subj", "/CN=Test authority")

    def issue(self, name: str, password: str = "") -> Pair:
        """A certificate for `name`, as a name and, if it looks like one, as an address; its key under a password."""
        kind = "IP" if name.replace(".", "").isdigit() else "DNS"
        (self.folder / "extensions").write_text(f"subjectAltName={kind}:{name}\n")
        hidden = ("-passout", f"pass:{password}") if password else ("-nodes",)
        files = (f"{name}.pem", f"{name}.key")
        self._openssl("req", *_KEY, *hidden, "-keyout", files[1], "-out", "asked.csr", "-subj", f"/CN={name}")
        sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions")
        self._openssl("x509", "-req", "-in", "asked.csr", "-out", files[0], *sign)
        return Pair(self.folder / files[0], self.folder / files[1])

    def context(self, name: str) -> ssl.SSLContext:
        """What a server of that name needs; whoever comes may show a certificate of this authority."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.file)
        context.load_cert_chain(*self.issue(name))
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
