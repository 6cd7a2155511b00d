"""Files and requests that are made to cost much, cost little. None of them may take longer than a test is given."""

from contextlib import suppress

import pytest

from rambla.domain.errors import BrokenPolicy
from rambla.policy import generic
from rambla.policy.credentials import prepare
from rambla.policy.language.load import load
from rambla.policy.oslo import load as oslo
from rambla.policy.oslo.book import RuleDefault
from rambla.policy.policy import UNDECIDABLE, Policy

MEBIBYTE = 1 << 20
FILLED = {"a": "x"}
PIECES = ["[", "- ", "? ", "{a: ", "!", "&a ", "'", '"', "a:\n", "\n", "%", ": ", "a,", "#", "| "]


@pytest.mark.parametrize("piece", PIECES)
def test_a_mebibyte_of_anything_is_refused_or_read(piece: str) -> None:
    text = piece * (MEBIBYTE // len(piece))
    for make in (load, oslo.load):
        with suppress(BrokenPolicy):
            make({"x.yaml": text})


@pytest.mark.parametrize("template", ["%(a)999999999s", "%(a).999999999f", "%(a)-1000s", "%(" * 400, "%(a)s" * 400])
def test_a_template_cannot_ask_for_much_memory(template: str) -> None:
    policy = Policy(oslo.load({"x.yaml": f'x: "not project:{template}"'}))
    assert policy.decide(prepare({"project": "x"}), "x", FILLED) == UNDECIDABLE


def test_a_template_of_usual_width_is_filled() -> None:
    assert generic.fill("%(a)3s|%%1000|%(a)s", FILLED) == "  x|%1000|x"


def test_a_name_as_long_as_a_page_is_no_name() -> None:
    for kind in ("-" * 100_000 + "1", "(" * 100_000, "a" * 100_000, "[" * 900, "-" * 900 + "1"):
        policy = Policy(oslo.load({"x.yaml": f'"x": "not {kind}:y"'}))
        assert not policy.decide(prepare({}), "x", {}).allowed or len(kind) < 1000


def test_a_long_chain_of_rules_is_refused_and_a_long_row_of_them_is_decided() -> None:
    chain = [*(f"  r{number}: rule r{number + 1}\n" for number in range(3_000)), "  r3000: admin\n"]
    for lines in (chain, chain[::-1]):
        with pytest.raises(BrokenPolicy, match="'r0' nests deeper than 100 levels"):
            Policy(load({"x.yaml": f"layer: site\nrules:\n{''.join(lines)}"}))
    row = " or ".join(f'caller.a == "{number}"' for number in range(3_000))
    policy = Policy(load({"x.yaml": f"layer: site\nrules: {{x: '{row}'}}"}))
    assert policy.decide(prepare({"a": "2999"}), "x", {}).allowed
    assert not policy.decide(prepare({"a": "3000"}), "x", {}).allowed


def test_more_names_than_anybody_reads_are_refused() -> None:
    many = "".join(f"  r{number}: admin\n" for number in range(11_000))
    with pytest.raises(BrokenPolicy, match="more than 10000 roles and rules"):
        load({"x.yaml": f"layer: site\nrules:\n{many}"})


def test_very_many_misspelt_names_are_told_up_to_a_limit() -> None:
    many = "".join(f"  r{number}: rule s{number} or rol{number}\n" for number in range(5_000))
    with pytest.raises(BrokenPolicy, match="and 150 more"):
        load({"x.yaml": f"layer: site\nrules:\n{many}"})
    rules = "".join(f'r{number}: "rule:s{number}"\n' for number in range(5_000))
    with pytest.raises(BrokenPolicy, match="and 150 more"):
        oslo.load({"x.yaml": rules}, [RuleDefault("x", "@")], mode="strict")


def test_a_permission_of_a_mebibyte_is_decided() -> None:
    policy = Policy(load({"x.yaml": "layer: site\nrules: {'a:*': everybody}"}))
    assert policy.decide(prepare({}), "a:" + "b:" * (MEBIBYTE // 2), {}).allowed
    assert not policy.decide(prepare({}), ":" * MEBIBYTE, {}).allowed


def test_names_made_to_look_like_our_own_are_refused() -> None:
    for name in ('"x\\n(possibly)"', '"x\\n@0"'):
        for text in (f"rules: {{x: admin, {name}: everybody}}", f"rules: {{x: admin, y: 'rule ' {name}}}"):
            with pytest.raises(BrokenPolicy):
                load({"x.yaml": f"layer: site\n{text}"})
    with pytest.raises(BrokenPolicy, match="line break"):
        load({"x.yaml": 'layer: site\nrules: {x: admin, y: "rule \\"x\\n(possibly)\\""}'})
