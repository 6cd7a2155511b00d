"""May this bundle be in force?

If it is signed by a key that is trusted, is as it was signed, and its layers make a policy. Before: `bundle`, which is
published or read from a store. After: `holder`, which keeps the last good one.
"""

from collections.abc import Iterable

from rambla.policy import defaults
from rambla.policy.bundle import Bundle, File, hash_of, payload
from rambla.policy.language.layers import LEVELS
from rambla.policy.language.load import read_all
from rambla.policy.policy import Policy
from rambla.policy.ports import Enforcers, Signer
from rambla.policy.problems import Place, Problem, broken


def accepted(number: int, bundle: Bundle, signer: Signer, enforcers: Enforcers) -> Policy:
    """The policy of the bundle that a store has under that number. Raises BrokenPolicy."""
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


def compiled(files: Iterable[File], enforcers: Enforcers) -> Policy:
    """The policy of these layers below the platform's own. Raises BrokenPolicy with all that is wrong."""
    layers = read_all({file.name: file.text for file in files})
    layers.sort(key=lambda layer: (LEVELS.index(layer.level), layer.place.file))
    return defaults.policy(layers, enforcers)
