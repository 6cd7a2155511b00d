"""May this bundle be in force?

If it is signed by a key that is trusted, is as it was signed, and its files make policies. Before: `bundle`, which is
published or read from a store. After: `holder`, which keeps the last good one.
"""

from collections.abc import Iterable
from functools import partial

from rambla.policy import defaults, services
from rambla.policy.bundle import Bundle, File, hash_of, payload
from rambla.policy.language.layers import LEVELS
from rambla.policy.language.load import read_all
from rambla.policy.policies import Policies
from rambla.policy.policy import Policy
from rambla.policy.ports import Enforcers, Signer
from rambla.policy.problems import Place, Problem, broken, together


def accepted(number: int, bundle: Bundle, signer: Signer, enforcers: Enforcers) -> Policies:
    """The policies of the bundle that a store has under that number. Raises BrokenPolicy."""
    if problem := distrust(number, bundle, signer):
        raise broken([problem])
    return compiled(bundle.files, enforcers)


def distrust(number: int, bundle: Bundle, signer: Signer) -> Problem | None:
    """Why it is not as somebody signed it who may, if so."""
    place = Place(f"bundle {number}")
    if not bundle.signature:
        return Problem(place, "it is not signed", "publish its files again")
    if bundle.number != number:
        return Problem(place, f"it is bundle {bundle.number} once more", f"rambla policy rollback {bundle.number}")
    if hash_of(bundle.files) != bundle.hash or not signer.verifies(payload(bundle), bundle):
        fix = f"publish its files again; or, if another node signed it: rambla policy key trust {bundle.key[:64]}"
        return Problem(place, "it was changed, or signed by a key that is not trusted", fix)
    return None


def compiled(files: Iterable[File], enforcers: Enforcers) -> Policies:
    """The policies of these files: the platform's own of the layers, below those it comes with, and the services'.

    Raises BrokenPolicy with all that is wrong in all of them.
    """
    every = tuple(files)
    layers = [file for file in every if not services.is_of_service(file)]
    of_services = [file for file in every if services.is_of_service(file)]
    own, found = together(partial(_own, layers, enforcers), partial(services.compiled, of_services, enforcers))
    return Policies(own, found)


def _own(files: Iterable[File], enforcers: Enforcers) -> Policy:
    layers = read_all({file.name: file.text for file in files})
    layers.sort(key=lambda layer: (LEVELS.index(layer.level), layer.place.file))
    return defaults.policy(layers, enforcers)
