"""What does a Content-Type say?

A media type as RFC 9110 (section 8.3) writes it, and whether its content is text or bytes: a web action gets and gives
bytes as base64. Pure.
"""

import re
from typing import NamedTuple

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_PARAMETER = rf'[ \t]*+;[ \t]*+({_WORD})=({_WORD}|"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+")'
_MEDIA_TYPE = re.compile(rf"[ \t]*+({_WORD})/({_WORD})((?:{_PARAMETER})*)[ \t]*+")
_PARAMETERS = re.compile(_PARAMETER)
_TEXTS = frozenset({"json", "xml", "xml-dtd", "javascript", "ecmascript", "x-javascript", "x-www-form-urlencoded"})
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class MediaType(NamedTuple):
    """`main` and `sub` are lower-case; `parameters` are as they came, but for the charset."""

    main: str
    sub: str
    parameters: tuple[tuple[str, str], ...] = ()
    charset: str = ""

    @property
    def essence(self) -> str:
        return f"{self.main}/{self.sub}"

    @property
    def is_json(self) -> bool:
        return self.essence == JSON or self.sub.endswith("+json")

    @property
    def is_text(self) -> bool:
        """Whether its content is text. Images are not, even those that are written in XML; the rule is OpenWhisk's."""
        if self.main == "text" or self.charset:
            return True
        return self.main == "application" and (self.sub in _TEXTS or self.sub.endswith(("+json", "+xml")))

    def __str__(self) -> str:
        """As a header says it; text is always UTF-8, which JSON is anyhow (RFC 8259) and so does not say."""
        charset = (("charset", "UTF-8"),) if self.is_text and not self.is_json else ()
        return self.essence + "".join(f"; {name}={value}" for name, value in (*charset, *self.parameters))


def parse_media_type(text: str) -> MediaType | None:
    """None if that is no media type."""
    found = _MEDIA_TYPE.fullmatch(text)
    if found is None:
        return None
    given = [(name, value) for name, value in _PARAMETERS.findall(found[3])]
    charset = next((value for name, value in given if name.lower() == "charset"), "")
    parameters = tuple(one for one in given if one[0].lower() != "charset")
    return MediaType(found[1].lower(), found[2].lower(), parameters, charset)
