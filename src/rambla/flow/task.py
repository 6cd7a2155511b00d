"""What is at hand when promised work is to be done?

Made by `invoke`, `fire` and `recover`, done by `perform`.
"""

import msgspec

from rambla.dispatch.composition import Tally
from rambla.domain.entities import Action, Parameter
from rambla.domain.names import FullName
from rambla.domain.records import Intent, Work
from rambla.flow.resolve import Runnable


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """An intent whose work is to be done, and what was looked up for it. `binding` as in `Runnable`.

    `tally` is that of the composition it is a part of; `conducting` says that the part is the conductor itself.
    """

    intent: Intent
    action: Action
    defaults: tuple[Parameter, ...]
    arguments: bytes
    transaction: str = ""
    binding: FullName | None = None
    tally: Tally | None = None
    conducting: bool = False

    @classmethod
    def of(cls, intent: Intent, found: Runnable, arguments: bytes, transaction: str = "") -> "Task":
        return cls(
            intent=intent,
            action=found.action,
            defaults=found.defaults,
            arguments=arguments,
            transaction=transaction,
            binding=found.binding,
        )

    def as_conductor(self) -> "Task":
        return msgspec.structs.replace(self, conducting=True)

    def within(self, tally: Tally) -> "Task":
        return msgspec.structs.replace(self, tally=tally)

    @property
    def work(self) -> Work:
        assert self.intent.work is not None
        return self.intent.work

    @property
    def roles(self) -> tuple[str, ...]:
        """Those of whoever it is done for; a visitor's are not its owner's."""
        asked = self.intent.asked
        return asked.roles if asked is not None and asked.subject == self.intent.subject else ()
