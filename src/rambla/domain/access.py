"""Who asks, for what, and what was decided?

`Caller` is made by `identity`, `Decision` by `policy`; both are only carried by everybody else. A permission is
written `resource:verb` (`action:invoke`), a target is the full name of what it touches (`guest/resize`). A `Question`
is what the policy leaves to somebody outside.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Source = Literal["key", "event-source", "operator", "platform", "web"]


class Caller(msgspec.Struct, frozen=True):
    """Someone who has proven who they are.

    `namespace` is the caller's own ("" for those without one), `source` says by what means they are known. Who acts
    because somebody visits their web action is known by `web`. What `roles` mean is said by the policy.
    """

    subject: str
    namespace: str
    source: Source
    roles: tuple[str, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """What a permission is asked for: `namespace` owns it; `name` is its full name for the record.

    `shared` says that it lies in a published package, or is one; `exported` that it is a web action.
    """

    namespace: str
    name: str
    shared: bool = False
    exported: bool = False


class Decision(msgspec.Struct, frozen=True):
    """`rule` names the rule that decided, so that every refusal can say why.

    `layer` and `line` say where it is written: the policy file's layer, and the line in it, 0 if it is written nowhere.
    `reason` says what no rule does: why somebody who had to be asked gave no answer.
    """

    allowed: bool
    rule: str
    layer: str = ""
    line: int = 0
    reason: str = ""

    @property
    def name(self) -> str:
        """The rule as records and refusals name it, for instance `site/object:read`."""
        return f"{self.layer}/{self.rule}" if self.layer else self.rule


class Question(msgspec.Struct, frozen=True):
    """`where` is a URL, or an enforcer's name and perhaps an argument for it behind a colon; `permission` is what was
    asked for in the first place."""

    where: str
    permission: str
    credentials: Mapping[str, object]
    target: Mapping[str, object]


class Unanswered(Exception):
    """A decision hangs on the answer to a question, and nobody has been asked yet."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.where)
        self.question = question
