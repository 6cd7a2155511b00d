"""Whom may a rule ask?

All enforcers by name. A rule may also ask an URL, as oslo.policy's `http:` does; who answers at one origin is one
enforcer, whatever the path. Answers that are remembered are given at once, all others only to who awaits them.
"""

from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from rambla.domain.access import Question, Unanswered
from rambla.domain.errors import NoAnswer
from rambla.enforcers.asking import Asking

ORIGINS_MAX = 100


class Panel:
    """`open_origin` makes who is asked for the URLs of one origin, e.g. `https://pdp.example:8443`."""

    def __init__(self, named: Mapping[str, Asking], open_origin: Callable[[str], Asking]) -> None:
        self._named = dict(named)
        self._origins: dict[str, Asking] = {}
        self._open_origin = open_origin

    @property
    def names(self) -> Collection[str]:
        return self._named.keys()

    def says_yes(self, question: Question) -> bool:
        """The answer that is remembered. Raises Unanswered if there is none."""
        try:
            asking, argument = self._find(question.where)
            answer = asking.recall(question, argument)
        except NoAnswer:
            answer = None  # whoever asks is told why
        if answer is None:
            raise Unanswered(question)
        return answer

    async def ask(self, question: Question) -> bool:
        """The answer. Raises NoAnswer."""
        asking, argument = self._find(question.where)
        return await asking.ask(question, argument)

    def health(self) -> dict[str, object]:
        return {each.name: each.health() for each in (*self._named.values(), *self._origins.values())}

    async def close(self) -> None:
        for each in (*self._named.values(), *self._origins.values()):
            await each.close()

    def _find(self, where: str) -> tuple[Asking, str]:
        """Who is asked, and the argument: of a URL, the whole of it."""
        if where.startswith(("http://", "https://")):
            return self._at(origin_of(where)), where
        name, _, argument = where.partition(":")
        if name not in self._named:
            raise NoAnswer(enforcer=name, detail="there is none of this name")
        return self._named[name], argument

    def _at(self, origin: str) -> Asking:
        if origin not in self._origins:
            if len(self._origins) >= ORIGINS_MAX:
                raise NoAnswer(enforcer=origin, detail=f"rules ask {ORIGINS_MAX} other hosts already")
            self._origins[origin] = self._open_origin(origin)
        return self._origins[origin]


def origin_of(url: str) -> str:
    """Scheme, host and port. Raises NoAnswer if there is no host, or a password before it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.username is not None:
        raise NoAnswer(enforcer="http", detail="a rule asks an address that is none, or that has a password in it")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")
