"""Sends alertgroups as plain mail over SMTP, many at once as one digest, and recalls as answers to them."""

import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate
from typing import ClassVar, Literal

from pydantic import Field

from tocsin.destinations.email.line import Line
from tocsin.entities import defanged
from tocsin.errors import DeliveryError, Unavailable
from tocsin.formats.letter import LetterForm
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination

FORM = LetterForm(defanged)
MESSAGE_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")


class Email(Destination):
    """Sends each alertgroup as a plain mail, many that wait as one.

    Each mail has the same Message-ID at every attempt, so a mail server or reader can tell a second copy. A recall is
    an answer to the mails that it takes back.
    """

    batch: ClassVar[int] = 50
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    host: str = Field(min_length=1, description="The mail server.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port: 587 with starttls, 465 with tls, 25 without.")
    security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="How the line is encrypted.")
    username: str = Field(default="", description="Name to log in with; empty for none.")
    password: Secret | None = Field(default=None, description="Password to log in with.")
    sender: str = Field(pattern=r"^[^\s@<>]+@[^\s@<>]+$", description="The address that mails come from.")
    to: list[str] = Field(min_length=1, description="Addresses that mails go to.")
    prefix: str = Field(default="[tocsin] ", description="Begins each subject.")
    link: str = Field(default="", description="Address of the pages, such as https://tocsin.example; for links back.")
    digest_from: int = Field(default=6, ge=2, description="So many that wait become one mail.")
    timeout_s: float = Field(default=30, gt=0, le=600, description="Longest wait for the server, in seconds.")
    ca_file: DataPath | None = Field(default=None, description="Certificates to trust instead of the system's (PEM).")

    def send(self, delivery: Delivery) -> Receipt:
        """Send one alertgroup, or its recall; the receipt holds the Message-ID."""
        group = delivery.alertgroup
        if delivery.kind == "recall":
            known = [each.remote_id for each in delivery.earlier if MESSAGE_ID.fullmatch(each.remote_id)]
            return self._mail(delivery.uid, *FORM.recalled(delivery, self._link(group.id)), list(dict.fromkeys(known)))
        return self._mail(delivery.uid, FORM.title(group), FORM.text(group, self._link(group.id)))

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Few of them each for itself, many as one mail; recalls always each for itself."""
        alerts = [each for each in deliveries if each.kind == "alert"]
        if len(alerts) < self.digest_from:
            return Sent.one_by_one(self.send, deliveries, cursor)
        groups = [each.alertgroup for each in alerts]
        outcome: Receipt | DeliveryError
        try:
            title, text = FORM.digest(groups, [self._link(group.id) for group in groups])
            outcome = self._mail(alerts[0].uid, title, text)
        except Unavailable as error:  # a refusal is raised: who is to blame for it shows in smaller parts
            outcome = error
        others = [each for each in deliveries if each.kind != "alert"]
        rest = iter(Sent.one_by_one(self.send, others, cursor).outcomes)
        return Sent([outcome if each.kind == "alert" else next(rest) for each in deliveries], cursor)

    def check(self) -> str:
        """Log in at the mail server. Raises DeliveryError."""
        with self._line() as line:
            return line.greeting()

    def _link(self, group: int) -> str:
        return f"{self.link.rstrip('/')}/alerts/{group}" if self.link else ""

    def _mail(self, uid: str, title: str, text: str, answers: Sequence[str] = ()) -> Receipt:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = self.prefix + title, self.sender, ", ".join(self.to)
        mail["Date"], mail["Message-ID"] = formatdate(), f"<{uid}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes, please
        if answers:
            mail["In-Reply-To"], mail["References"] = answers[-1], " ".join(answers)
        mail.set_content(text, cte="quoted-printable")
        with self._line() as line:
            refused = line.hand_over(mail)
        status = f"refused for {', '.join(refused)}" if refused else "taken"
        return Receipt(remote_id=str(mail["Message-ID"]), status=status)

    def _line(self) -> Line:
        password = self.password.get_secret_value() if self.password is not None else ""
        return Line(self.host, self.port, self.security, (self.username, password), self.timeout_s, self.ca_file)
