"""What does a bundle say to OpenStack's services?

Its files below `openstack/SERVICE/`: what the service registers in code (`defaults.yaml`), its policy file
(`policy.yaml`) and those of its policy directory (`policy.d/`). No trap of oslo.policy's is let in; what is let in
decides as oslo.policy does with the same files, so that it is all the same who is asked.
"""

import re
from collections.abc import Iterable, Mapping

from rambla.domain.errors import BrokenPolicy
from rambla.policy.bundle import File
from rambla.policy.oslo import registered
from rambla.policy.oslo.load import load
from rambla.policy.policy import Policy
from rambla.policy.ports import Enforcers
from rambla.policy.problems import Place, Problem, broken, problems_of

FOLDER = "openstack/"
DEFAULTS = "defaults.yaml"
_IN_DIRECTORY = r"policy\.d/[A-Za-z0-9_][A-Za-z0-9_. -]{0,127}\.yaml"  # oslo.policy reads none that begins with a dot
_NAME = re.compile(rf"openstack/([a-z][a-z0-9_.-]{{0,63}})/(defaults\.yaml|policy\.yaml|{_IN_DIRECTORY})")
_NAMES = f"{FOLDER}SERVICE/{DEFAULTS}, policy.yaml or policy.d/NAME.yaml, SERVICE in small letters"


def is_of_service(file: File) -> bool:
    return file.name.startswith(FOLDER)


def by_service(files: Iterable[File]) -> dict[str, dict[str, str]]:
    """The texts of each service by their names in the bundle, in the order in which oslo.policy reads them. Raises
    BrokenPolicy for names that mean nothing."""
    found: dict[str, dict[str, str]] = {}
    problems = []
    for file in sorted(files, key=lambda file: ("/policy.d/" in file.name, file.name)):
        named = _NAME.fullmatch(file.name)
        if named is None:
            problems.append(Problem(Place(file.name), "no service reads a file of this name", f"call it {_NAMES}"))
        else:
            found.setdefault(named[1], {})[file.name] = file.text
    if problems:
        raise broken(problems)
    return found


def compiled(files: Iterable[File], enforcers: Enforcers) -> Mapping[str, Policy]:
    """The policy of each service. Raises BrokenPolicy with all that is wrong in the files of all."""
    policies: dict[str, Policy] = {}
    problems: list[Problem] = []
    for service, texts in by_service(files).items():
        try:
            policies[service] = _compiled(service, texts, enforcers)
        except BrokenPolicy as error:
            problems.extend(problems_of(error))
    if problems:
        raise broken(problems)
    return policies


def _compiled(service: str, texts: Mapping[str, str], enforcers: Enforcers) -> Policy:
    file = f"{FOLDER}{service}/{DEFAULTS}"
    if file not in texts:
        fix = f"write what 'rambla policy openstack {service} --python PATH' prints into it"
        raise broken([Problem(Place(file), "it is missing, so nobody knows which rules there are", fix)])
    defaults = registered.read(texts[file], file)
    written = {name: text for name, text in texts.items() if name != file}
    load(written, defaults, mode="strict")  # no trap gets in; but it decides as oslo.policy does everywhere else
    return Policy(load(written, defaults), enforcers)
