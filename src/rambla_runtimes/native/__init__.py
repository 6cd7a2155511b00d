"""What runs compiled programs and scripts?

`worker.py` is the life of their sandbox: it starts the program that the action is and speaks OpenWhisk's ActionLoop, or
the convention of its docker skeleton, with it.
"""
