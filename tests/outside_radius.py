"""A FreeRADIUS of a test's own, with a few people."""

import hashlib
import hmac
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rambla.domain.proofs import Password
from rambla.drivers.radius.source import RadiusSource, open_source
from rambla.kit.clock import Clock, ManualClock
from stages import ServerProcess

SECRET = "a-secret-that-both-share"
PROGRAM, LIBRARIES = "freeradius", Path("/usr/lib/freeradius")
USERS = """
alice Cleartext-Password := "word-of-alice"
  Class := "staff", Filter-Id := "ops", Filter-Id += "oncall", Reply-Message := "welcome"

bob Cleartext-Password := "word-of-bob"
  Session-Timeout := 3600

expired Cleartext-Password := "word-of-expired", Expiration := "Jan 01 2020 00:00:00 UTC"

Ada@north Cleartext-Password := "word-of-ada"

otto Cleartext-Password := "word-of-otto", Auth-Type := Challenge

appended Cleartext-Password := "word-of-appended123456"
"""
CONFIGURATION = """
libdir = {libraries}
logdir = {folder}
run_dir = {folder}
max_requests = 16384
log {{
  destination = stdout
}}
security {{
  max_attributes = 200
  reject_delay = 0
  status_server = no
}}
thread pool {{
  start_servers = 2
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 3
}}
client test {{
  ipaddr = 127.0.0.1
  secret = {secret}
  require_message_authenticator = yes
}}
modules {{
  pap {{
  }}
  expiration {{
  }}
  always ok {{
    rcode = ok
  }}
  always reject {{
    rcode = reject
  }}
  always handled {{
    rcode = handled
  }}
  files {{
    usersfile = {folder}/users
  }}
}}
server test {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
  }}
  authorize {{
    files
    expiration
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
    Auth-Type Challenge {{
      if (&State) {{
        if (&State == 0x6f74746f && &User-Password == "123456") {{
          ok
        }}
        else {{
          reject
        }}
      }}
      elsif (&User-Password == &control:Cleartext-Password) {{
        update control {{
          &Response-Packet-Type := Access-Challenge
        }}
        update reply {{
          &State := 0x6f74746f
          &Reply-Message := "code?"
          &Message-Authenticator := 0x00
        }}
        handled
      }}
      else {{
        reject
      }}
    }}
  }}
  post-auth {{
    update reply {{
      &Message-Authenticator := 0x00
    }}
    Post-Auth-Type REJECT {{
      update reply {{
        &Message-Authenticator := 0x00
      }}
    }}
  }}
}}
"""


def answer_to(request: bytes, code: int, attributes: Sequence[tuple[int, bytes]], secret: bytes) -> bytes:
    """As a server that shares the secret writes it, by RFC 2865 and RFC 2869, with its signature first."""
    parts = (bytes((kind, len(value) + 2)) + value for kind, value in ((80, bytes(16)), *attributes))
    body = b"".join(parts)
    header = bytes((code, request[1])) + (20 + len(body)).to_bytes(2, "big")
    signature = hmac.new(secret, header + request[4:20] + body, "md5").digest()
    body = body[:2] + signature + body[18:]
    return header + hashlib.md5(header + request[4:20] + body + secret).digest() + body


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Radius(ServerProcess):
    """`signs` is whether its answers carry what proves that they are its own."""

    def __init__(self, folder: Path, *, signs: bool = True) -> None:
        program = shutil.which(PROGRAM, path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if program is None or not LIBRARIES.is_dir():
            pytest.skip("needs a RADIUS server: apt-get install freeradius")
        self.folder, self.port = folder, free_udp_port()
        values = {"folder": folder, "libraries": LIBRARIES, "secret": SECRET, "port": self.port}
        configuration = CONFIGURATION.format(**values)
        if not signs:
            configuration = configuration.replace("&Message-Authenticator := 0x00", '&Reply-Message := "unsigned"')
        (folder / "radiusd.conf").write_text(configuration)
        (folder / "dictionary").write_text("")
        (folder / "users").write_text(USERS)
        (folder / "secret").write_text(SECRET + "\n")
        super().__init__([program, "-f", "-d", folder, "-l", "stdout"], folder / "log", self._listens)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def settings(self, **settings: Any) -> dict[str, Any]:
        """Of a source of identities."""
        usual = {"servers": [self.address], "secret_file": str(self.folder / "secret"), "try_ms": 600}
        return {**usual, **settings}

    def open_source(self, *, clock: Clock | None = None, **settings: Any) -> RadiusSource:
        return open_source("net", self.settings(**settings), None, clock or ManualClock())

    def _listens(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                return True
        return False


class RadiusStage:
    """As a source of identities."""

    user = "alice"
    proofs = (Password(user="alice", password="word-of-alice"),)
    wrong = (
        Password(user="alice", password="another-word"),
        Password(user="nobody", password="word-of-alice"),
        Password(user="expired", password="word-of-expired"),
        Password(user="alice", password="word-of-alice", code="123456"),
    )
    secrets = (SECRET, "word-of-alice", "another-word", "123456")

    def __init__(self, server: Radius, **settings: Any) -> None:
        self.source = server.open_source(**settings)
        self.stop, self.go_on = server.stop, server.go_on
        self.kill, self.start = server.kill, server.start
