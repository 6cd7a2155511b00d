"""`make fleet`: a policy comes to 200 hosts, whatever happens to them, to the network and to the platform."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet.fleet import running_fleet
from fleet.story import CHAPTERS


def main() -> None:
    parser = argparse.ArgumentParser(prog="make fleet ARGS=…", description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="rambla-fleet-") as folder, running_fleet(Path(folder), options.hosts) as fleet:
        for chapter in CHAPTERS:
            print(f"{chapter.__name__.replace('_', ' ')}:")
            chapter(fleet, lambda line: print(f"  {line}", flush=True))


if __name__ == "__main__":
    main()
