"""What is handed over of a delivery: JSON objects in UTF-8, one for each alert."""

from typing import Literal

import msgspec

from tocsin import detection
from tocsin.formats.ecs import EcsForm
from tocsin.formats.idea import IdeaForm
from tocsin.formats.idea.categories import Categories
from tocsin.model import Delivery


class Documents:
    """Writes them as the configuration has it."""

    def __init__(
        self, form: Literal["ecs", "idea"], node: str, categories: Categories, link: str, *, original: bool
    ) -> None:
        self._ecs = EcsForm(link, categories, original=original) if form == "ecs" else None
        self._idea = IdeaForm(node, categories)

    def of(self, delivery: Delivery) -> list[bytes]:
        """The documents of an alertgroup, or of its recall. The same delivery gives the same bytes."""
        known = detection.known(delivery.alertgroup)
        if known is not delivery.alertgroup:
            delivery = msgspec.structs.replace(delivery, alertgroup=known)
        if self._ecs is not None:
            return self._ecs.documents(delivery)
        return self._idea.delivered(delivery).split(b"\n")[:-1]
