"""`make parity`: does Rambla decide as oslo.policy does, for all services and very many requests?"""

import argparse
import sys

from parity import compare, openstack


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
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main())
