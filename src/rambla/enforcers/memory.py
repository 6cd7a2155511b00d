"""Which answers still hold?

Pure: whoever asks says what time it is. What was asked longest ago makes room for what is new.
"""

from collections import OrderedDict
from collections.abc import Hashable

_MS = 1_000_000


class Memory:
    """Answers by their wording, at most `answers_max`, each kind for its own time."""

    def __init__(self, *, yes_ms: int, no_ms: int, answers_max: int) -> None:
        self._lifetimes_ns = {True: yes_ms * _MS, False: no_ms * _MS}
        self._answers_max = answers_max
        self._answers: OrderedDict[Hashable, tuple[bool, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, wording: Hashable, now_ns: int) -> bool | None:
        """None if nobody answered, or too long ago."""
        found = self._answers.get(wording)
        return found[0] if found and now_ns < found[1] else None

    def put(self, wording: Hashable, answer: bool, now_ns: int) -> None:
        """`now_ns` is when the question was put: an answer is as old as that at least."""
        self._answers[wording] = (answer, now_ns + self._lifetimes_ns[answer])
        self._answers.move_to_end(wording)
        if len(self._answers) > self._answers_max:
            self._answers.popitem(last=False)
