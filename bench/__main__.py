"""`python -m bench [PART ...] [--rounds N] [--seconds N] [--against REVISION]`: all parts if none is named."""

import argparse
import os
import platform

PARTS = ["cold", "images", "warm", "policy", "checks", "guard", "identify"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    choices = [*PARTS, []]
    parser.add_argument("parts", nargs="*", choices=choices, help="what to measure; all if left out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each figure")
    parser.add_argument("--starts", type=int, default=60, help="how many cold starts")
    parser.add_argument("--against", metavar="REVISION", help="warm: beside an earlier Rambla instead of the peers")
    arguments = parser.parse_args()
    parts = arguments.parts or PARTS
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}, load {load}")
    if "cold" in parts:
        import asyncio

        from bench import coldstart

        asyncio.run(coldstart.main(arguments.starts))
    if "images" in parts:
        from bench import images

        images.run(arguments.starts)
    if "warm" in parts:
        from bench import warm

        warm.run(arguments.rounds, arguments.seconds, arguments.against)
    if "policy" in parts:
        from bench import policy

        policy.run(arguments.rounds)
    if "checks" in parts:
        from bench import checks

        checks.run(arguments.rounds)
    if "guard" in parts:
        from bench import guard

        guard.run(arguments.rounds)
    if "identify" in parts:
        from bench import identify

        identify.run(arguments.rounds)


if __name__ == "__main__":
    main()
