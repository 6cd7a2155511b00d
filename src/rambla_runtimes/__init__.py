"""What runs inside a sandbox, or makes one?

Programs for the far side of the trust boundary: the zygote that makes sandboxes, and the workers that load and run
user code in them. Standard library only; they import nothing of rambla, which is not there when they run.
"""
