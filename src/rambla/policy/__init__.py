"""May they?

Pure: a caller, a permission and a target in, a `Decision` out; no I/O, no clock. `oslo` and `language` read policies
into books of rules, `policy` compiles and decides, `analysis` says what a policy means beyond a single decision.
"""
