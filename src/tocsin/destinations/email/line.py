"""A line to a mail server for one mail (RFC 5321); every way to fail is sorted into Rejected or Unavailable."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from tocsin.errors import DeliveryError, Rejected, Unavailable


class Line:
    """Opened by `with`, logged in, closed at the end."""

    def __init__(
        self, host: str, port: int, security: str, login: tuple[str, str], timeout_s: float, ca_file: Path | None
    ) -> None:
        self._where = f"{host}:{port}"
        self._host, self._port, self._security, self._login = host, port, security, login
        self._timeout_s, self._ca_file = timeout_s, ca_file
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        """Connect, encrypt and log in. Raises Rejected, Unavailable."""
        with self._sorting():
            trust = ssl.create_default_context(cafile=self._ca_file)
            if self._security == "tls":
                self._smtp = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_s, context=trust)
            else:
                self._smtp = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
            try:
                if self._security == "starttls":
                    self._smtp.starttls(context=trust)
                if self._login[0]:
                    self._smtp.login(*self._login)
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._smtp.close()
            self._smtp = None

    def greeting(self) -> str:
        """That the server lets us in, in a sentence."""
        assert self._smtp is not None
        with self._sorting():
            self._smtp.noop()
        return f"{self._where} lets us in"

    def hand_over(self, mail: EmailMessage) -> list[str]:
        """Send the mail; the addresses that were refused though others were taken. Raises Rejected, Unavailable."""
        assert self._smtp is not None
        with self._sorting():
            return sorted(self._smtp.send_message(mail))

    @contextmanager
    def _sorting(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPRecipientsRefused as error:
            # One that may be taken later is reason enough to come again.
            raise self._sorted(*min(error.recipients.values())) from None
        except smtplib.SMTPAuthenticationError as error:
            told = f"{self._where} does not let us in ({error.smtp_code}): check username and password"
            raise (Rejected(told) if error.smtp_code >= 500 else Unavailable(told)) from None
        except smtplib.SMTPResponseException as error:
            raise self._sorted(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise Rejected(f"{self._where} cannot do that: {error}") from None
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"{self._where} shows a certificate not trusted: {error.verify_message}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"{self._where} cannot be talked to: {type(error).__name__}: {error}"[:300]) from None

    def _sorted(self, code: int, said: bytes | str) -> DeliveryError:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        told = f"{self._where} answered {code} {' '.join(text.split())}"[:300]
        return Rejected(told) if code >= 500 else Unavailable(told)
