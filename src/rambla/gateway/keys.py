"""Is this one of the API's keys?

Keys are kept as SHA-256 digests only: whoever reads a document, a database or a record of the journal learns none. They
have to be random, as API keys are; for a password a digest that is quick to make would be no protection. Pure.
"""

import hashlib
import hmac
import re

from rambla.gateway.api import KeyCheck

PREFIX = "sha256:"
_DIGEST = re.compile(rf"{PREFIX}([0-9a-f]{{64}})")


def digest_of(key: str) -> str:
    """The hex digest of a key, or that which `key` states itself as `sha256:...`."""
    stated = _DIGEST.fullmatch(key)
    return stated[1] if stated else hashlib.sha256(key.encode()).hexdigest()


def matching(check: KeyCheck, given: str | None) -> str | None:
    """The digest of the key that was given, or None if it is none of those. Takes as long for any key."""
    digest = hashlib.sha256((given or "").encode()).hexdigest()
    known = [hmac.compare_digest(digest, one) for one in check.digests]
    return digest if given is not None and any(known) else None
