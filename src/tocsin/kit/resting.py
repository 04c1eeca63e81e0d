"""How long a source rests after its server failed: longer each time, longer where a person has to mend something."""

import random

from tocsin.errors import DeliveryError, Rejected, Unavailable

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 300.0
FIRST_WAIT_FOR_A_PERSON_S = 15.0
"""What a person has to mend is not tried over and over."""


def rest_s(error: DeliveryError, failures: int) -> float:
    """Seconds after so many `failures` in a row, this one counted; no less than the server asked for."""
    first = FIRST_WAIT_FOR_A_PERSON_S if isinstance(error, Rejected) else FIRST_WAIT_S
    wait = min(first * 2.0 ** min(failures - 1, 20), LONGEST_WAIT_S)
    asked = error.retry_after.total_seconds() if isinstance(error, Unavailable) and error.retry_after else 0.0
    return max(asked, wait * (0.75 + random.random() / 4))  # noqa: S311 - jitter
