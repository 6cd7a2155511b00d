"""Which policies does one bundle make?

The platform's own, and one for each OpenStack service that the bundle has files of. They are made together and take
over together, so that no two of them are ever of different bundles.
"""

from collections.abc import Mapping

import msgspec

from rambla.domain.errors import NoSuchService
from rambla.policy.bundle import hash_of
from rambla.policy.policy import Policy

OWN = ""
NO_FILES = hash_of(())


class Policies(msgspec.Struct, frozen=True):
    """`services` are by the names that the bundle's folders have."""

    own: Policy
    services: Mapping[str, Policy] = {}

    def of(self, service: str) -> Policy:
        """That of a service; OWN means the platform itself. Raises NoSuchService."""
        if service == OWN:
            return self.own
        if service not in self.services:
            raise NoSuchService(service=service)
        return self.services[service]


class InForce(msgspec.Struct, frozen=True):
    """The policies of one bundle, its number and the hash of its files; number 0 is the platform's own rules alone."""

    policies: Policies
    number: int = 0
    hash: str = NO_FILES
