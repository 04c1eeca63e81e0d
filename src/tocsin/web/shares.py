"""Ours beside what they get: an alertgroup as it stands here, and as a destination would be sent it now."""

from typing import NamedTuple

from starlette.requests import Request

from tocsin import detection
from tocsin.delivery.ready import Made, Ready
from tocsin.errors import NotFound
from tocsin.model import TLP, Alertgroup
from tocsin.sharing import Profile, Withheld
from tocsin.store import alertgroup, delivery
from tocsin.store.delivery import Owed
from tocsin.store.engine import Tx
from tocsin.web.state import path_id, web_of


class Share(NamedTuple):
    """One alertgroup and one destination.

    `made` is what the gate lets out, its no, or why it cannot be judged; `because` says how `tlp` came about; `name` is
    that of the profile, empty for one that stands in the destination's own table. `owed` is None if it is not owed.
    """

    lane: str
    ours: Alertgroup
    made: Made
    tlp: TLP
    because: str
    clearance: TLP
    profile: Profile | None
    name: str
    owed: Owed | None

    @property
    def refused(self) -> str:
        """Why nothing leaves; empty when something does."""
        match self.made:
            case Withheld(reason):
                return reason
            case Exception():
                return str(self.made)
        return ""


def share_of(request: Request) -> Share:
    """What the path asks for: `id` and `lane`. For a thread. Raises NotFound."""
    hub, group, lane = web_of(request).hub, path_id(request), request.path_params["lane"]
    if lane not in hub.wiring.destinations:
        raise NotFound(f"There is no destination {lane[:60]!r}.")

    def work(tx: Tx) -> tuple[Alertgroup, list[Owed]]:
        if alertgroup.get(tx, group).deleted is not None:
            raise NotFound(f"Alertgroup {group} was deleted.")
        return alertgroup.load(tx, [group])[group], delivery.of_groups(tx, [group])[group]

    stored, owed = hub.store.read(work)
    ours = detection.known(stored, hub.names)
    tlp, because = hub.gate.counts_as(ours)
    redaction, name = hub.gate.redaction(lane), hub.wiring.redactions.get(lane)
    return Share(
        lane=lane,
        ours=ours,
        made=Ready(lane, hub.store, hub.gate, hub.names).passed(ours),
        tlp=tlp,
        because=because,
        clearance=hub.gate.clearance(lane),
        profile=None if redaction is None else redaction.profile,
        name=name if isinstance(name, str) else "",
        owed=next((one for one in owed if one.lane == lane and one.kind == "alert"), None),
    )
