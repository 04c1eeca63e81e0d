"""Letters of strangers, with all that stands in them, and how a source hands them over."""

from email.message import EmailMessage

from tocsin.kit.letter import MAIL
from tocsin.model import Message
from tocsin.web.notes import now_micros

HOSTILE_HTML = """<html><head><style>body{background:url(https://evil.example/s.css)}</style></head><body onload="x()">
<script>alert(1)</script><img src="https://evil.example/pixel.gif"><iframe src="https://evil.example/"></iframe>
<form action="https://evil.example/"><input name="password"></form><svg onload="alert(2)"></svg></div></main>
<p id="main" class="problem" style="position:fixed">Please <a href="https://evil.example/go">sign in</a></p>
<table><tr><td colspan="2" onclick="x()">10.0.0.1</td></tr></table></body></html>"""


def a_letter(
    subject: str = "Alert", text: str = "", html: str = "", attachments: dict[str, bytes] | None = None
) -> bytes:
    """A mail as bytes; attachments by their names."""
    mail = EmailMessage()
    mail["From"] = "Detector <detector@example.org>"
    mail["To"] = "soc@example.org"
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{abs(hash((subject, text, html)))}@example.org>"
    mail.set_content(text or "\n")
    if html:
        mail.add_alternative(html, subtype="html")
    for name, body in (attachments or {}).items():
        mail.add_attachment(body, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def received(body: bytes, source: str = "mailbox") -> Message:
    """A mail as a source hands it over."""
    return Message(source=source, body=body, media_type=MAIL, received=now_micros(), sender="detector@example.org")
