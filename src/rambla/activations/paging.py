"""How many whole records go into one answer?

Pure. Used by every index, and again where what is in memory joins what is in the index, so that all pages end alike.
"""

from collections.abc import Iterable

PAGE_BYTES_MAX = 16 * 2**20


def fitting(sizes: Iterable[int]) -> int:
    """How many, from the first on, come to at most `PAGE_BYTES_MAX` bytes together; one at least, if there is any."""
    count = total = 0
    for size in sizes:
        total += size
        if count and total > PAGE_BYTES_MAX:
            break
        count += 1
    return count
