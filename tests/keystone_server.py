"""Run by the Python of Keystone's environment: `keystone_server.py PORT PARENT_PID` serves Keystone on loopback.

OS_KEYSTONE_CONFIG_FILES names its configuration. It ends with its parent.
"""

import sys
import threading

from cheroot.wsgi import Server

from rambla_openstack.process import die_with_parent

port, parent = map(int, sys.argv[1:])
del sys.argv[1:]  # Keystone reads them too
die_with_parent(parent)

from keystone.wsgi.api import application  # noqa: E402  # only now, as it takes seconds

writing = threading.Lock()


def serve(environ, start_response):
    """One request at a time that may write: SQLite fails one of two transactions that begin to, both having read."""
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return application(environ, start_response)
    with writing:
        return application(environ, start_response)


Server(("127.0.0.1", port), serve, numthreads=8, request_queue_size=128, server_name="keystone").safe_start()
