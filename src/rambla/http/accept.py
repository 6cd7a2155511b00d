"""Does a client take what it would get?

The Accept header by RFC 9110 (section 12.5.1): the most specific range that fits decides, and a weight of 0 refuses.
Parameters of a range other than its weight are not compared. Pure.
"""

import re

from rambla.domain.media import MediaType

_RANGE = re.compile(r"[ \t]*+([^\s/;,]++)/([^\s/;,]++)[ \t]*+([^,]*+)")
_NO_WEIGHT = re.compile(r";[ \t]*+q=0(?:\.0*+)?[ \t]*+(?:;|$)", re.IGNORECASE)


def accepts(accept: str, media_type: MediaType) -> bool:
    """Also if there is no range in `accept` that can be read: then nothing was said."""
    ranges = {
        (found[1].lower(), found[2].lower()): not _NO_WEIGHT.search(found[3])
        for found in map(_RANGE.fullmatch, accept.split(","))
        if found
    }
    wanted = ((media_type.main, media_type.sub), (media_type.main, "*"), ("*", "*"))
    return next((ranges[one] for one in wanted if one in ranges), not ranges)
