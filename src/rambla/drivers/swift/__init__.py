"""How does Rambla meet OpenStack Swift?

`store` speaks to any Swift over HTTP; `embedded` starts a real one, and the shipper of its events, as child processes.
"""
