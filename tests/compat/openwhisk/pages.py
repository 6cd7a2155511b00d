"""What is said to whoever asks for a page that there cannot be?"""

from compat.openwhisk.asking import User

LIMIT_MAX = 200


def refuses_a_limit_beyond_the_maximum(user: User, collection: str) -> None:
    detail = f"The value '{LIMIT_MAX + 1}' is not in the range of 0 to {LIMIT_MAX} for {collection}."
    user.get(collection, limit=LIMIT_MAX + 1).refuses(400, _malformed("limit", detail))


def refuses_a_limit_that_is_no_integer(user: User, collection: str) -> None:
    user.get(collection, limit="string").refuses(400, _malformed("limit", _no_integer("string", collection)))


def refuses_a_negative_skip(user: User, collection: str) -> None:
    detail = f"The value '-1' is not greater than or equal to 0 for {collection}."
    user.get(collection, skip=-1).refuses(400, _malformed("skip", detail))


def refuses_a_skip_that_is_no_integer(user: User, collection: str) -> None:
    user.get(collection, skip="string").refuses(400, _malformed("skip", _no_integer("string", collection)))


def _no_integer(value: str, collection: str) -> str:
    return f"The value '{value}' is not an integer for {collection}."


def _malformed(name: str, detail: str) -> str:
    return f"The query parameter '{name}' was malformed:\n{detail}"
