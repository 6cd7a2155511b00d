"""Who asks, for what, and what was decided?

`Caller` is made by `identity`, `Decision` by `policy`; both are only carried by everybody else. A permission is
written `resource:verb` (`action:invoke`), a target is the full name of what it touches (`guest/resize`). A `Question`
is what the policy leaves to somebody outside.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

PLATFORMS_OWN = frozenset({"key", "event-source", "operator", "platform", "web"})
"""What `Caller.source` is where nobody's directory was asked; no source of identities may be named so."""
PROGRAMS = "token"
"""The source of programs that have tokens of the platform's and nobody behind them."""
USUAL_TRUST, HIGHEST_TRUST = 1, 9


class Caller(msgspec.Struct, frozen=True):
    """Someone who has proven who they are.

    `namespace` is the one they act in ("" for those without one). `source` says through what they are known: the name
    of a source of identities, whose accounts are subjects such as `corp/alice`, or one of PLATFORMS_OWN. Who acts
    because somebody visits their web action is known by `web`. What `roles` mean is said by the policy.

    `trust` is how far the source is trusted, 0 to 9; `method` how they proved who they are, such as `password`;
    `groups` what the source says they belong to. `person` is who the account belongs to, where somebody has several,
    and `on_behalf_of` who let them act in their place. `only` are the permissions that their token is good for, such
    as `action:*`, if not for all of theirs; `namespaces` where it is good, if not everywhere.
    """

    subject: str
    namespace: str
    source: str
    roles: tuple[str, ...] = ()
    trust: int = USUAL_TRUST
    method: str = ""
    groups: tuple[str, ...] = ()
    person: str = ""
    on_behalf_of: str = ""
    only: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    def may_try(self, permission: str, namespace: str) -> bool:
        """Whether their token is good for that; what they may is said by the policy."""
        return (not self.only or any(fnmatchcase(permission, each) for each in self.only)) and (
            not self.namespaces or namespace in self.namespaces
        )


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
