"""What is at hand when promised work is to be done?

Made by `invoke`, `fire` and `recover`, done by `perform`.
"""

import msgspec

from rambla.domain.entities import Action, Parameter
from rambla.domain.records import Intent, Work


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """An intent whose work is to be done, and what was looked up for it."""

    intent: Intent
    action: Action
    defaults: tuple[Parameter, ...]
    arguments: bytes
    transaction: str = ""

    @property
    def work(self) -> Work:
        assert self.intent.work is not None
        return self.intent.work
