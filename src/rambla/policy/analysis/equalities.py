"""What does it say of an attribute that it equals something, or that there is nothing to compare?

That it equals nothing else and is a single value; that it equals nothing. Atoms are free of each other in a diagram;
what one of them makes superfluous or impossible in a case is found here.
"""

from rambla.policy import attributes
from rambla.policy.analysis.diagram import Cube
from rambla.policy.analysis.examples import Impossible
from rambla.policy.terms import Atom, Attribute, Equal, Present, Scalar

_KINDS = ("any", "scalar")


def simplified(cube: Cube) -> Cube:
    """The cube without the atoms that others of it imply. Raises Impossible if some of them contradict each other."""
    values = {pair[0]: pair[1] for atom, value in cube if value and (pair := _pair(atom))}
    absent = {atom.attribute for atom, value in cube if not value and isinstance(atom, Present) and atom.kind in _KINDS}
    left = []
    for atom, value in cube:
        implied = _implied(atom, values, absent)
        if implied is not None and implied is not value:
            raise Impossible
        if implied is None or (isinstance(atom, Equal) and value):
            left.append((atom, value))
    return tuple(left)


def _implied(atom: Atom, values: dict[Attribute, Scalar], absent: set[Attribute]) -> bool | None:
    """What follows for the atom from what is known of its attribute, None if nothing."""
    if isinstance(atom, Present) and atom.attribute in values and atom.kind in _KINDS:
        return True
    if isinstance(atom, Equal) and (atom.left in absent or atom.right in absent):
        return False
    if (pair := _pair(atom)) and pair[0] in values:
        return attributes.same(values[pair[0]], pair[1])
    return None


def _pair(atom: Atom) -> tuple[Attribute, Scalar] | None:
    """An attribute and the value it is compared with."""
    match atom:
        case Equal(Attribute() as attribute, str() | int() | float() as value):
            return attribute, value
        case Equal(str() | int() | float() as value, Attribute() as attribute):
            return attribute, value
    return None
