"""What is at hand when promised work is to be done?

Made by `invoke`, `fire` and `recover`, done by `perform`.
"""

import msgspec

from rambla.dispatch.composition import Tally
from rambla.domain.access import PLATFORMS_OWN, Caller
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

    def invoker(self, source: str) -> Caller:
        """Whoever it is done for, known by `source` if nobody's directory knows them; a visitor's roles are not its
        owner's."""
        asked = self.intent.asked
        if asked is None or asked.subject != self.intent.subject:
            return Caller(self.intent.subject, self.work.namespace, source)
        found = asked.caller
        known_by = source if found.source in PLATFORMS_OWN else found.source
        return msgspec.structs.replace(found, namespace=self.work.namespace, source=known_by)
