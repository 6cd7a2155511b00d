"""Run by the Python of Keystone's environment: `keystone_server.py PORT PARENT_PID` serves Keystone on loopback.

OS_KEYSTONE_CONFIG_FILES names its configuration. It ends with its parent.
"""

import sys

from cheroot.wsgi import Server
from sqlalchemy import event
from sqlalchemy.engine import Engine

from rambla_openstack.process import die_with_parent

port, parent = map(int, sys.argv[1:])
del sys.argv[1:]  # Keystone reads them too
die_with_parent(parent)


@event.listens_for(Engine, "before_cursor_execute", retval=True)
def begin_to_write(_connection, _cursor, statement, parameters, *_):
    """SQLite fails one of two transactions that begin to write when both have read, so one waits for the other."""
    return "BEGIN IMMEDIATE" if statement == "BEGIN" else statement, parameters


from keystone.wsgi.api import application  # noqa: E402  # only now, as it takes seconds

Server(("127.0.0.1", port), application, numthreads=8, request_queue_size=128, server_name="keystone").safe_start()
