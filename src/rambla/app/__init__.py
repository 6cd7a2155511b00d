"""How is a platform put together and started?

Settings, the table of drivers, building the parts, running the servers.
"""
