"""What happened to each run?

Records come out of the journal; here they are found again: the newest in memory, all of them by an index that a tailer
fills and that can be rebuilt. It does not decide who may read them.
"""
