"""May they?

Pure: a caller, a permission and a target in, a `Decision` out. For now one built-in set of rules; no I/O, no clock.
"""
