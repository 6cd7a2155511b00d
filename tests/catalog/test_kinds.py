import pytest

from rambla.catalog.kinds import KINDS, by_family, resolve
from rambla.domain.errors import MalformedContent


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("python:3", "python:3"),
        ("python:default", "python:3"),
        ("python:3.11", "python:3"),
        ("nodejs:default", "nodejs:20"),
        ("nodejs:20", "nodejs:20"),
    ],
)
def test_an_alias_means_a_concrete_kind(alias: str, name: str) -> None:
    assert resolve(alias).name == name


@pytest.mark.parametrize("name", ["", "python", "python:", "python:2", "PYTHON:3", "python:3\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(MalformedContent, match="is not supported by this platform"):
        resolve(name)


def test_every_family_has_one_default_and_no_name_means_two_kinds() -> None:
    for kinds in by_family(KINDS).values():
        assert [kind.default for kind in kinds].count(True) == 1
    names = [name for kind in KINDS for name in (kind.name, *kind.aliases)]
    assert len(names) == len(set(names))
