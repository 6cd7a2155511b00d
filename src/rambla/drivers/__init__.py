"""How does a port meet a technology?

A folder per technology. Third-party clients are imported here and nowhere else; their errors become ours here.
"""
