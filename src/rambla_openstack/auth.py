"""Who may use the embedded Swift?

Swift's tempauth, with users from a JSON file `{"account:user": {"key": "...", "groups": [".admin"]}}` that is read
again whenever it changes, so that namespaces come and go while Swift runs. A user who is gone, or whose key has
changed, loses the token that was given for it, too. A broken file changes nothing: the users known before stay.
"""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from swift.common.middleware.tempauth import TempAuth
from swift.common.registry import register_swift_info
from swift.common.utils import cache_from_env, quote

_Stamp = tuple[int, int, int]


class FileAuth(TempAuth):  # type: ignore[misc]  # Swift ships no types
    def __init__(self, app: Any, conf: dict[str, str]) -> None:
        super().__init__(app, conf)
        self.users: dict[str, dict[str, Any]]
        self._path = conf["users_file"]
        self._stamp: _Stamp | None = None

    def __call__(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._refresh(env)
        body: Iterable[bytes] = super().__call__(env, start_response)
        return body

    def _refresh(self, env: dict[str, Any]) -> None:
        try:
            status = os.stat(self._path)
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            with open(self._path, encoding="utf-8") as file:
                users = parse_users(file.read(), self.reseller_prefix)
        except (OSError, ValueError) as error:
            self.logger.error("rambla_auth: %s: %s; the users known before stay", self._path, error)
            return
        changed = [name for name, user in self.users.items() if users.get(name, {}).get("key") != user["key"]]
        self.users = users
        self._revoke(cache_from_env(env), changed)

    def _revoke(self, cache: Any, names: list[str]) -> None:
        """Tempauth gives a user one token at a time and keeps its name in the cache."""
        for name in names:
            user_key = f"{self.reseller_prefix}/user/{name}"
            token = cache.get(user_key) if cache else None
            if token:
                cache.delete(f"{self.reseller_prefix}/token/{token}")
                cache.delete(user_key)


def parse_users(text: str, reseller_prefix: str) -> dict[str, dict[str, Any]]:
    """Users as tempauth keeps them. Raises ValueError if the file is not what it must be.

    An account may not begin with the reseller prefix: tempauth makes its bare name a group, and the group `AUTH_guest`
    owns the account of `guest`.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    users = {}
    for name, user in document.items():
        account, _, login = name.partition(":")
        if not account or not login or account.startswith(reseller_prefix) or "," in name:
            raise ValueError(f"user name {name!r} is not allowed")
        if not isinstance(user, dict) or not isinstance(user.get("key"), str) or not user["key"]:
            raise ValueError(f"user {name!r} has no key")
        groups = user.get("groups", [])
        if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
            raise ValueError(f"the groups of user {name!r} are not a list of names")
        users[name] = {"key": user["key"], "url": f"$HOST/v1/{reseller_prefix}{quote(account)}", "groups": groups}
    return users


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Any], Any]:
    conf = {**global_conf, **local_conf}
    register_swift_info("tempauth", account_acls=True)
    return lambda app: FileAuth(app, conf)
