"""Whose certificate is it, and is it good?

X.509 (RFC 5280). That the client has its key was shown by the connection. (port: rambla.identity.ports.Source)
"""
