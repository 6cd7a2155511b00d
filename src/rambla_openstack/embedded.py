"""How does a machine without OpenStack get a real Swift?

`python -m rambla_openstack.embedded --data DIR`: Swift's own proxy, account, container and object servers, each on a
loopback socket of one eventlet hub, on one disk folder, with one replica. It prints `ready http://HOST:PORT`, ends with
its parent or at SIGTERM, and goes on with the same data when it is started again. For laptops, tests and single
machines: one process, no replication, no memcached. Started and watched by `rambla.drivers.swift.embedded`.
"""

import argparse
import logging
import secrets
import signal
import sys
from pathlib import Path
from typing import Any

from swift.common import constraints, ring, storage_policy, utils

utils.monkey_patch()  # before anything else makes a socket or a lock

from socket import socketpair

import eventlet
from eventlet import wsgi
from swift.account.server import AccountController
from swift.common.http_protocol import SwiftHttpProtocol
from swift.common.wsgi import loadapp
from swift.container.server import ContainerController
from swift.container.updater import ContainerUpdater
from swift.obj.server import ObjectController
from swift.obj.updater import ObjectUpdater

from rambla_openstack.process import die_with_parent, keep_private

HOST = "127.0.0.1"
DRAIN_S = 5.0
_PARTITION_POWER = 4
_CONTROLLERS = {"account": AccountController, "container": ContainerController, "object": ObjectController}
_SWIFT_CONF = """\
[swift-hash]
swift_hash_path_prefix = {prefix}
swift_hash_path_suffix = {suffix}
[storage-policy:0]
name = default
default = yes
"""
_PROXY_CONF = """\
[DEFAULT]
swift_dir = {etc}
log_level = WARNING
log_custom_handlers = rambla_openstack.embedded.log_to_stderr
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl formpost {auth} rambla_events \
copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:cache]
paste.filter_factory = rambla_openstack.cache:filter_factory
[filter:auth]
paste.filter_factory = rambla_openstack.auth:filter_factory
users_file = {users}
[filter:rambla_events]
paste.filter_factory = rambla_openstack.events:filter_factory
spool = {spool}
on_outbox_failure = {on_outbox_failure}
spool_bytes_max = {spool_bytes_max}
[filter:tempurl]
use = egg:swift#tempurl
allowed_digests = sha256 sha512
[filter:formpost]
use = egg:swift#formpost
allowed_digests = sha256 sha512
[filter:s3api]
use = egg:swift#s3api
dns_compliant_bucket_names = no
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
"""
_OWN_AUTH = "s3api auth"
# s3token after authtoken, which would drop the identity that it sets.
_KEYSTONE_AUTH = "authtoken s3api s3token keystoneauth"
_PLAIN_FILTERS = (
    *("catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "copy"),
    *("container_quotas", "account_quotas", "slo", "dlo", "symlink"),
)


def log_to_stderr(*hook: Any) -> None:
    """Swift's hook for own log handlers: to stderr instead of the host's syslog. `hook[5]` is the logger."""
    logger = hook[5]
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.handlers = [handler]


def write_swift_conf(etc: Path) -> None:
    """The hash prefix and suffix are secret and belong to the data: they are made once and never change."""
    target = etc / "swift.conf"
    if not target.exists():
        fresh = etc / ".swift.conf.new"
        fresh.touch(mode=0o600)
        fresh.write_text(_SWIFT_CONF.format(prefix=secrets.token_hex(16), suffix=secrets.token_hex(16)))
        fresh.replace(target)


def write_proxy_conf(etc: Path, keystone_conf: Path | None, **settings: object) -> Path:
    """`keystone_conf` has the sections of the filters authtoken, s3token and keystoneauth, which then ask Keystone."""
    target = etc / "proxy-server.conf"
    settings["auth"] = _KEYSTONE_AUTH if keystone_conf else _OWN_AUTH
    plain = (f"[filter:{name.replace('_quotas', '-quotas')}]\nuse = egg:swift#{name}\n" for name in _PLAIN_FILTERS)
    text = (_PROXY_CONF + "".join(plain)).format(etc=etc, **settings)
    target.write_text(text + (keystone_conf.read_text() if keystone_conf else ""))
    return target


def listen_backends(etc: Path) -> dict[str, Any]:
    """A socket for each kind of backend, and the rings that say where they are: ports differ from run to run."""
    sockets = {kind: eventlet.listen((HOST, 0), backlog=256) for kind in _CONTROLLERS}
    for kind, socket in sockets.items():
        port = socket.getsockname()[1]
        place = {"ip": HOST, "port": port, "replication_ip": HOST, "replication_port": port}
        device = {"id": 0, "region": 1, "zone": 1, "device": "d1", "weight": 1.0, "meta": "", **place}
        ring_data = ring.RingData([[0] * 2**_PARTITION_POWER], [device], 32 - _PARTITION_POWER)
        ring_data.save(str(etc / f"{kind}.ring.gz"))
    return sockets


def backend_conf(data: Path) -> dict[str, str]:
    return {
        "devices": str(data / "node"),
        "swift_dir": str(data / "etc"),
        "recon_cache_path": str(data / "cache"),
        "mount_check": "false",
        "disable_fallocate": "true",
        "log_level": "WARNING",
        "log_custom_handlers": "rambla_openstack.embedded.log_to_stderr",
        "user": "",
        "workers": "0",
    }


def sweep_for_ever(conf: dict[str, str], every_s: float) -> None:
    """What Swift's updater daemons do, without their forks: late container and account updates are made up for."""
    containers, objects = ContainerUpdater(conf), ObjectUpdater(conf)
    while True:
        eventlet.sleep(every_s)
        try:
            for path in containers.get_paths():
                containers.container_sweep(path)
            objects.object_sweep(f"{conf['devices']}/d1")
        except Exception as error:  # a daemon's loop: the next sweep tries again
            sys.stderr.write(f"updater: {error!r}\n")


def serve(socket: Any, app: Any) -> tuple[Any, Any]:
    """Serve `app` in a green thread; returns the thread and its pool of connections."""
    pool = eventlet.GreenPool(1024)
    thread = eventlet.spawn(
        wsgi.server, socket, app, utils.NullLogger(), protocol=SwiftHttpProtocol, custom_pool=pool, log_output=False
    )
    return thread, pool


def prepare(data: Path) -> Path:
    """The folders Swift needs; returns the one with its configuration."""
    for folder in ("etc", "node/d1/tmp", "cache"):
        (data / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    etc = data / "etc"
    write_swift_conf(etc)
    if utils.set_swift_dir(str(etc)):
        constraints.reload_constraints()
        storage_policy.reload_storage_policies()
    utils.disable_fallocate()
    return etc


def stop_signals() -> Any:
    """A socket that has something to read once SIGTERM or SIGINT came.

    A handler alone would not do: it runs, but the hub sleeps on until something else happens.
    """
    woken, waker = socketpair()
    signal.set_wakeup_fd(waker.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return woken


def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way, for at most DRAIN_S seconds."""
    stopped = stop_signals()
    data = options.data.resolve()
    etc = prepare(data)
    sockets = listen_backends(etc)
    conf = backend_conf(data)
    for kind, controller in _CONTROLLERS.items():
        serve(sockets[kind], controller({**conf, "bind_port": str(sockets[kind].getsockname()[1])}))
    proxy_conf = write_proxy_conf(
        etc,
        options.keystone_conf,
        users=options.users or data / "users.json",
        spool=options.spool or data / "spool",
        on_outbox_failure=options.on_outbox_failure,
        spool_bytes_max=options.spool_bytes_max,
    )
    proxy = loadapp(str(proxy_conf), global_conf={"log_name": "proxy-server"})
    front = eventlet.listen((HOST, options.port), backlog=1024)
    acceptor, pool = serve(front, proxy)
    eventlet.spawn_n(sweep_for_ever, conf, options.sweep_seconds)
    print(f"ready http://{HOST}:{front.getsockname()[1]}", flush=True)
    stopped.recv(1)
    front.close()
    acceptor.kill()
    with eventlet.Timeout(DRAIN_S, False):
        pool.waitall()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rambla_openstack.embedded", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for everything that must be kept")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--spool", type=Path, help="the event outbox (default: DATA/spool)")
    parser.add_argument("--users", type=Path, help="the users' file (default: DATA/users.json)")
    parser.add_argument("--keystone-conf", type=Path, help="ask a Keystone instead: the filters' sections of paste")
    parser.add_argument("--on-outbox-failure", choices=("pass", "fail"), default="pass")
    parser.add_argument("--spool-bytes-max", type=int, default=1024**3)
    parser.add_argument("--sweep-seconds", type=float, default=30.0)
    parser.add_argument("--parent-pid", type=int, help="end when this parent does")
    options = parser.parse_args()
    keep_private()
    die_with_parent(options.parent_pid)
    run(options)


if __name__ == "__main__":
    main()
