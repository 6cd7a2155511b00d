"""Who is in which group of a directory?

LDAP version 3, encrypted unless the settings say otherwise. (port: rambla.enforcers.ports.Enforcer)
"""
