"""How does Python code of a user come to run?

`zygote` holds a warm interpreter and forks sandboxes from it; `worker` is what each of them then is; `program` loads
the user's code.
"""
