import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from rambla.policy.language.load import load
from rambla.policy.language.schema import SCHEMA

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "policy-language.md"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
GOOD = [
    *EXAMPLES,
    "layer: site",
    "layer: domain\nrules: {a: admin, 'b:*': [admin, member], '=c:*': {allow: [admin], deny: member, scope: system}}",
    "layer: site\nroles: {a: , b: {includes: a, may: ['*', x], never: 'y:*'}}\nlocks: x",
]
BAD = [
    "rules: {}",
    "layer: galaxy",
    "layer: site\nrulez: {}",
    "layer: site\nroles: {a: admin}",
    "layer: site\nroles: {a: {may: 'x*y'}}",
    "layer: site\nrules: {x: {alow: admin}}",
    "layer: site\nrules: {x: {allow: admin, mode: add}}",
    "layer: site\nrules: {x: {scope: world}}",
    "layer: site\nrules: {'a:*:b': admin}",
]
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", GOOD)
def test_what_loads_is_good_for_an_editor_too(text: str) -> None:
    load({"x.yaml": text})
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize("text", BAD)
def test_what_has_no_meaning_is_marked_while_typing(text: str) -> None:
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text)))
