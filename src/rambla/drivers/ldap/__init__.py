"""Who is in which group of a directory, and whose password is that?

LDAP version 3, encrypted unless the settings say otherwise. (ports: rambla.enforcers.ports.Enforcer and
rambla.identity.ports.Source)
"""
