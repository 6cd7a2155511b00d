"""Run it: where, in what sandbox, by which runtime?

`ports.py` is what `dispatch` asks of an engine; `drivers/process` is the one for a single machine. What comes before:
`dispatch` has chosen what runs and when. What comes after: `flow` records the `RunResult`.
"""
