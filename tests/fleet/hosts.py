"""Many hosts in one process: `python -m fleet.hosts CONFIG...` runs an agent for each agent.ini, in a thread each.

What an agent does and keeps is as on a host of its own: its folder, its connection, its daemons' files.
"""

import sys
import threading
import time
from pathlib import Path

from rambla_openstack.agent.agent import Agent
from rambla_openstack.agent.settings import read


def work(config: Path) -> None:
    agent = Agent(read(config.read_text()))
    while True:
        time.sleep(agent.step())


def main() -> None:
    threads = [threading.Thread(target=work, args=(Path(name),)) for name in sys.argv[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
