"""How fast is it, beside what a person would use instead?

`make bench` starts each candidate in turn, several rounds, and prints medians, CPU microseconds and ratios of one run.
Machines are shared and noisy: only ratios within one run mean anything, and no test asserts any of it.
"""
