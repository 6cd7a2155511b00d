"""What happens to a fleet, and what must be true of it whatever happens."""

import time
from collections.abc import Callable

from fleet.fleet import Fleet
from fleet.proxy import Cut
from system.running import rambla

Show = Callable[[str], None]


def all_hear_of_a_policy(fleet: Fleet, show: Show) -> None:
    everybody = set(fleet.names)
    fleet.publish()
    taken = fleet.seconds("the first policy everywhere", lambda: fleet.is_current(everybody))
    show(f"{len(everybody)} hosts from their start to the first policy: {taken:.2f} s")
    for _ in range(3):
        fleet.publish()
        taken = fleet.seconds("a new policy everywhere", lambda: fleet.is_current(everybody))
        show(f"a published policy is in force on {len(everybody)} hosts, and told so, after {taken:.2f} s")


def a_tenth_is_cut_off(fleet: Fleet, show: Show) -> None:
    near = set(fleet.names) - fleet.far
    ways: tuple[Cut, ...] = ("refused", "swallowed")
    for how in ways:
        before = fleet.number
        fleet.network.cut(how)
        fleet.publish()
        taken = fleet.seconds("the policy on the others", lambda: fleet.is_current(near))
        show(f"with {len(fleet.far)} hosts cut off ({how}), the other {len(near)} have it after {taken:.2f} s")
        taken = fleet.seconds("silence", lambda: fleet.states() == {"current": len(near), "silent": len(fleet.far)})
        show(f"the {len(fleet.far)} are told to be silent after {taken:.2f} s more; they keep bundle {before}")
        assert {fleet.has(name) for name in fleet.far} == {before}
        command = rambla("policy", "fleet", "--check", "--data", fleet.platform.data)
        assert command.returncode == 1, command.stdout + command.stderr
        assert f"is in force for {len(near)} of {len(fleet.names)} daemons" in command.stdout
        fleet.network.cut("")
        taken = fleet.seconds("the policy on those let back", lambda: fleet.is_current(set(fleet.names)))
        show(f"let back, they have it after {taken:.2f} s")
    assert rambla("policy", "fleet", "--check", "--data", fleet.platform.data).returncode == 0


def agents_are_killed_amid_applying(fleet: Fleet, show: Show) -> None:
    everybody = set(fleet.names)
    for pause_s in (0.0, 0.05, 0.2):
        fleet.publish()
        time.sleep(pause_s)
        fleet.kill(0)
        assert {fleet.has(name) for name in fleet.groups[0]} <= {fleet.number - 1, fleet.number}
        fleet.groups.append(fleet.groups.pop(0))
        fleet.start(len(fleet.groups) - 1)
        taken = fleet.seconds("the policy after a kill", lambda: fleet.is_current(everybody))
        show(f"a quarter of the agents killed {pause_s} s after a publication: all have it after {taken:.2f} s")


def the_platform_is_killed_amid_polling(fleet: Fleet, show: Show) -> None:
    fleet.publish()
    fleet.platform.kill()
    time.sleep(1)
    assert {fleet.has(name) for name in fleet.names} <= {fleet.number - 1, fleet.number}, "the last good one stays"
    fleet.platform.start()
    taken = fleet.seconds("the policy after the platform's kill", lambda: fleet.is_current(set(fleet.names)))
    show(f"the platform killed after a publication: all have it {taken:.2f} s after its start")
    fleet.publish()
    taken = fleet.seconds("the next policy", lambda: fleet.is_current(set(fleet.names)))
    show(f"the next one is everywhere after {taken:.2f} s")


CHAPTERS = (
    all_hear_of_a_policy,
    a_tenth_is_cut_off,
    agents_are_killed_amid_applying,
    the_platform_is_killed_amid_polling,
)
