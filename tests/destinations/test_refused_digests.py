"""A digest that is refused for good because of one alertgroup in it parks that one, and no other.

The destination says that the whole was refused, and the lane tries again in halves, until the guilty one stands alone.
"""

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from neighbours.ports import free_port
from neighbours.slack import CHANNEL, TOKEN, fault_of, slack
from tocsin.destinations.email import Email
from tocsin.destinations.slack import Slack
from tocsin.errors import Rejected
from tocsin.kit.secrets import Secret
from tocsin.model import Alertgroup, Delivery, Receipt
from tocsin.plugin import Destination

N, POISON = 8, 5


def deliveries() -> list[Delivery]:
    groups = [Alertgroup.of_rows("poison" if n == POISON else f"group {n}", [{"src": "192.0.2.7"}]) for n in range(N)]
    return [Delivery(id=n, uid=f"uid-{n}", alertgroup=group) for n, group in enumerate(groups)]


def parked(destination: Destination, load: list[Delivery]) -> list[int]:
    """What is refused in the end, where whatever is refused as a whole is tried again in halves."""
    try:
        outcomes = destination.send_batch(load, "").outcomes
    except Rejected:
        if len(load) == 1:
            return [load[0].id]
        half = len(load) // 2
        return parked(destination, load[:half]) + parked(destination, load[half:])
    assert all(isinstance(outcome, Receipt | Rejected) for outcome in outcomes), outcomes
    return [each.id for each, outcome in zip(load, outcomes, strict=True) if isinstance(outcome, Rejected)]


def test_slack_refuses_one_alertgroup_and_takes_the_others() -> None:
    with slack() as room:
        room.refuses = lambda said: "invalid_blocks" if "poison" in str(said) else fault_of(said)
        destination = Slack(token=Secret(TOKEN), channel=CHANNEL, api=room.api, digest_from=3)
        with pytest.raises(Rejected, match="invalid_blocks"):
            destination.send_batch(deliveries(), "")

        assert parked(destination, deliveries()) == [POISON]
        assert len(room.messages) == 4  # a digest of four, and the three that were halved with the guilty one
        destination.close()


class Strict:
    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - the name aiosmtpd looks for
        assert isinstance(envelope.content, bytes)
        text = envelope.content.decode()
        if "poison" in text:
            return "554 5.7.1 refused for its content"
        self.taken.append(text)
        return "250 taken"


def test_a_mail_server_refuses_one_alertgroup_and_takes_the_others() -> None:
    office, port = Strict(), free_port()
    controller = Controller(office, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        destination = Email(
            host="127.0.0.1", port=port, security="none", sender="t@csirt.example", to=["soc@x.example"], digest_from=3
        )
        with pytest.raises(Rejected, match="554"):
            destination.send_batch(deliveries(), "")
        assert parked(destination, deliveries()) == [POISON]
    finally:
        controller.stop()

    assert len(office.taken) == 4
