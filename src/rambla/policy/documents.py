"""What is in a YAML file, and where?

Reads one YAML document (JSON is one too) into nodes that know their place. Built from events, so that depth, size and
the growth by aliases are bounded before anything is built: a hostile file costs no more than an honest one. It knows
nothing of what the document means.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from rambla.policy.problems import Place, Problem, broken

BYTES_MAX = 1 << 20
DEPTH_MAX = 50
NODES_MAX = 100_000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SMALLER = "split the file into several"
_RESOLVER: Any = yaml.resolver.Resolver()


def read(text: str, file: str) -> yaml.Node | None:
    """The document's root, or None if there is none. Raises BrokenPolicy."""
    place = Place(file)
    if len(text) > BYTES_MAX or len(text.encode("utf-8", "replace")) > BYTES_MAX:
        raise broken([Problem(place, f"the file is larger than {BYTES_MAX} bytes", _SMALLER)])
    try:
        return _Composer(yaml.parse(text, Loader=LOADER), file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            place = Place(file, mark.line + 1, mark.column + 1)
        raise broken([Problem(place, f"this is not YAML: {error.problem}", "mend the text at this place")]) from error
    except (yaml.YAMLError, UnicodeError) as error:
        detail = f"this is not YAML: {str(error).splitlines()[0]}"
        raise broken([Problem(place, detail, "write printable characters in UTF-8")]) from error


def place_of(node: yaml.Node, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


class _Composer:
    """Nodes from events. `size` of a node counts what it would be with its aliases written out."""

    def __init__(self, events: Iterator[yaml.Event], file: str) -> None:
        self._events = events
        self._file = file
        self._anchors: dict[str, tuple[yaml.Node, int]] = {}
        self._size = 0

    def document(self) -> yaml.Node | None:
        root: yaml.Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refused(event, "there is more than one document", "keep one document in a file")
                root = self._node(next(self._events), 1)
        if isinstance(root, yaml.ScalarNode) and root.tag == "tag:yaml.org,2002:null":
            return None
        return root

    def _node(self, event: Any, depth: int) -> yaml.Node:
        if depth > DEPTH_MAX:
            raise self._refused(event, f"this nests deeper than {DEPTH_MAX} levels", "nest less")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before, marks = self._size, (event.start_mark, event.end_mark)
        self._grow(event, 1)
        node: yaml.Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = yaml.SequenceNode(_tag(event, yaml.SequenceNode), [], *marks)
            node.value.extend(self._items(yaml.SequenceEndEvent, depth))
        elif isinstance(event, yaml.MappingStartEvent):
            node = yaml.MappingNode(_tag(event, yaml.MappingNode), [], *marks)
            items = self._items(yaml.MappingEndEvent, depth)
            node.value.extend(zip(items, items, strict=True))
        else:
            tag = _tag(event, yaml.ScalarNode, event.value)
            node = yaml.ScalarNode(tag, event.value, *marks, event.style)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._size - before)
        return node

    def _items(self, end: type[yaml.Event], depth: int) -> Iterator[yaml.Node]:
        while not isinstance(event := next(self._events), end):
            yield self._node(event, depth + 1)

    def _alias(self, event: yaml.AliasEvent) -> yaml.Node:
        if event.anchor not in self._anchors:
            raise self._refused(event, f"there is no anchor '{event.anchor}' before this", "write the anchor first")
        node, size = self._anchors[event.anchor]
        self._grow(event, size)
        return node

    def _grow(self, event: yaml.Event, size: int) -> None:
        self._size += size
        if self._size > NODES_MAX:
            raise self._refused(event, f"with its aliases the file has more than {NODES_MAX} nodes", _SMALLER)

    def _refused(self, event: Any, detail: str, fix: str) -> Exception:
        place = Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)
        return broken([Problem(place, detail, fix)])


def _tag(event: Any, kind: type[yaml.Node], text: str | None = None) -> str:
    """The tag that is written, or the one that YAML 1.1 gives to such a node."""
    if event.tag in (None, "!"):
        return str(_RESOLVER.resolve(kind, text, event.implicit))
    return str(event.tag)
