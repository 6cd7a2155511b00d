"""What are the platform's own rules, and what are they told of its callers and targets?

The uppermost layer is `defaults.yaml`, beside this file; it comes with the platform and is read like any other.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import islice

from rambla.domain.access import Caller, Target
from rambla.policy import asked
from rambla.policy.credentials import Credentials, prepare
from rambla.policy.language import layers
from rambla.policy.language.layers import Layer
from rambla.policy.language.stack import LayeredBook
from rambla.policy.policy import Policy
from rambla.policy.ports import NOBODY, Enforcers
from rambla.policy.problems import broken

FILE = "defaults.yaml"
CALLERS_MAX = 4096
PROBLEMS_MAX = 200


def layer() -> Layer:
    text = files("rambla.policy").joinpath(FILE).read_text(encoding="utf-8")
    return layers.read(text, FILE)


def policy(below: Sequence[Layer] = (), enforcers: Enforcers = NOBODY) -> Policy:
    """The platform's own rules with these layers below, which may ask these enforcers. Raises BrokenPolicy."""
    if unknown := list(islice(asked.problems(below, enforcers.names), PROBLEMS_MAX)):
        raise broken(unknown)
    return Policy(LayeredBook([layer(), *below]), enforcers)


@lru_cache(CALLERS_MAX)
def credentials(caller: Caller) -> Credentials:
    """What conditions know as `caller.subject`, `caller.trust` and so on; kept, as callers come with many requests."""
    return prepare(
        {
            "subject": caller.subject,
            "namespace": caller.namespace,
            "source": caller.source,
            "roles": list(caller.roles),
            "trust": caller.trust,
            "method": caller.method,
            "groups": list(caller.groups),
            "person": caller.person or caller.subject,
            "on_behalf_of": caller.on_behalf_of,
        }
    )


def attributes(target: Target) -> dict[str, object]:
    """What conditions know as `target.namespace`, `target.name`, `target.shared` and `target.exported`."""
    return {
        "namespace": target.namespace,
        "name": target.name,
        "shared": target.shared,
        "exported": target.exported,
    }
