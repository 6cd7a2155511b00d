"""How are actions run on one machine, as processes?

The engine and sandbox of `rambla.engine.ports`, made of forks of a zygote (`rambla_runtimes.python.zygote`). `engine`
ties it together, `sandbox` is one of them, `zygote` the way to make them; `verdict`, `logs` and `frames` judge what
comes out of them; `egress` lets out what was granted; `cgroups` and `environments` prepare the host.
"""
