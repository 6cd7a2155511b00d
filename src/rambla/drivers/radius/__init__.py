"""Whose password is that, by the word of a RADIUS server?

Access-Request by PAP over UDP (RFC 2865), signed on both sides. (port: rambla.identity.ports.Source)
"""
