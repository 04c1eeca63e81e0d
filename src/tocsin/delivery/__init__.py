"""Sending: each destination has a lane, a thread that claims, passes the gate, sends and settles.

Kinds of failure, and what follows:

- `Rejected`: the delivery is parked as failed, its lane goes on.
- `Unavailable`: another attempt later, waiting twice as long each time, never sooner than the peer asked for; parked
  when the configured time or number of attempts is used up.
- anything else a plug-in raises: as `Unavailable`, but parked after a few attempts while the destination is up.
- a whole batch fails at once: tried again in halves, until the guilty one stands alone.
- several deliveries fail one after the other: the destination is down; the lane rests, and probes with one delivery.

In an ordered lane a delivery that has to wait holds back all later ones. What was sent but could not be written down,
because the store is away, is kept and written down first when it is back; if the process ends before, it is sent again.

`patience.py` says when to try again, `pace.py` how quickly, `ready.py` makes what goes out, `lane.py` is the work of
one lane, `lanes.py` the threads, `draining.py` empties a lane into a file, `replaying.py` makes
what is stored due again.
"""

from tocsin.delivery.draining import Drained, Drains
from tocsin.delivery.lane import Activity, Answer, Lane, Means
from tocsin.delivery.lanes import Lanes
from tocsin.delivery.patience import Patience
from tocsin.delivery.replaying import Replayer

__all__ = ["Activity", "Answer", "Drained", "Drains", "Lane", "Lanes", "Means", "Patience", "Replayer"]
