"""Who is asking, proven how?

Turns a namespace key or a platform token into a `Caller`. What comes after: `policy` decides on it.
"""
