"""`make parity`: does Rambla decide as oslo.policy does, for all services and very many requests?

And is what `diff` says of their deprecated rules exact?
"""

import argparse
import random
import sys

from parity import compare, openstack, pairs


def main() -> int:
    parser = argparse.ArgumentParser(prog="make parity ARGS=…", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if reason := openstack.missing(openstack.ALL):
        print(reason)
        return 1
    with openstack.oracle() as oracle:
        tally = compare.services(oracle, openstack.ALL, arguments.requests, arguments.seed, show=print)
        print(tally.text())
        sums = pairs.Sums()
        for rules in openstack.service_rules(oracle, openstack.ALL).values():
            pairs.check([rule.default for rule in rules], random.Random(arguments.seed), sums)
    print(
        f"{sums.pairs:,} pairs of deprecated and new rules: {sums.changed:,} differ, in {sums.cases:,} cases; "
        f"exact over {sums.combinations:,} combinations of atoms and {sums.requests:,} requests"
    )
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main())
