"""Which policy have the daemons of this host, and how does the newest one come to them?

The agent: it waits for a bundle, verifies it, makes the daemons' files equal to it, and reports what came of it. The
standard library, cryptography and PyYAML only.
"""
