"""Which policy do these files make?

The one way from texts to an OpenStack service's policy, in one of two modes. `compat` decides as oslo.policy does.
`strict` refuses every mistake that `traps` knows, and takes two nulls for different. Reading the files is the caller's.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from rambla.domain.errors import BrokenPolicy
from rambla.policy.oslo import files as policy_files
from rambla.policy.oslo import traps
from rambla.policy.oslo.book import OsloBook, RuleDefault, book
from rambla.policy.problems import Problem, broken, problems_of
from rambla.policy.terms import rewrite

Mode = Literal["compat", "strict"]


def load(
    texts: Mapping[str, str],
    defaults: Sequence[RuleDefault] = (),
    *,
    mode: Mode = "compat",
    new_defaults: bool = True,
) -> OsloBook:
    """The rules of `texts`, by file name in their order: the policy file, then those of policy.d sorted by name.

    Raises BrokenPolicy with all that is wrong in all files.
    """
    files, problems = _read(texts)
    if problems:
        raise broken(problems)
    made = book(defaults, files, new_defaults=new_defaults)
    if mode == "compat":
        return made
    if found := traps.find(files, defaults, made.rules):
        raise broken(found)
    return made.rewritten(lambda term: rewrite(term, traps.without_none))


def _read(texts: Mapping[str, str]) -> tuple[list[policy_files.PolicyFile], list[Problem]]:
    files: list[policy_files.PolicyFile] = []
    problems: list[Problem] = []
    for name, text in texts.items():
        try:
            files.append(policy_files.read(text, name))
        except BrokenPolicy as error:
            problems.extend(problems_of(error))
    return files, problems
