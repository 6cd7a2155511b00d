"""How many decisions were asked for, about which service, and what was said?

Sums since the start of this process, by the services that a bundle had files of while they were asked for.
"""

from collections import Counter

from rambla.policy.policies import OWN

SERVICES_MAX = 1000
PLATFORM = "platform"


class Tally:
    def __init__(self) -> None:
        self._answers: dict[str, Counter[str]] = {}

    def add(self, service: str, *, allowed: bool) -> None:
        """Services beyond the bound are not counted."""
        if service in self._answers or len(self._answers) < SERVICES_MAX:
            self._answers.setdefault(service, Counter(allowed=0, denied=0))["allowed" if allowed else "denied"] += 1

    def sums(self) -> dict[str, dict[str, int]]:
        """By service; the platform's own policy is PLATFORM."""
        return {PLATFORM if service == OWN else service: dict(sums) for service, sums in self._answers.items()}
