"""What are the platform's own rules, and what are they told of its callers and targets?

The uppermost layer is `defaults.yaml`, beside this file; it comes with the platform and is read like any other. Until
the guard asks it, `builtin` says the same.
"""

from functools import lru_cache
from importlib.resources import files

from rambla.domain.access import Caller, Target
from rambla.policy.credentials import Credentials, prepare
from rambla.policy.language import layers
from rambla.policy.language.layers import Layer

FILE = "defaults.yaml"
CALLERS_MAX = 4096


def layer() -> Layer:
    text = files("rambla.policy").joinpath(FILE).read_text(encoding="utf-8")
    return layers.read(text, FILE)


@lru_cache(CALLERS_MAX)
def credentials(caller: Caller) -> Credentials:
    """What conditions know as `caller.subject`, `caller.namespace` and `caller.source`."""
    return prepare({"subject": caller.subject, "namespace": caller.namespace, "source": caller.source})


def attributes(target: Target) -> dict[str, object]:
    """What conditions know as `target.namespace`, `target.name`, `target.shared` and `target.exported`."""
    return {
        "namespace": target.namespace,
        "name": target.name,
        "shared": target.shared,
        "exported": target.exported,
    }
