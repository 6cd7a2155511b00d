"""What runs inside OpenStack's own daemons, and beside them?

The event filter of Swift, its outbox, the shipper that empties it, and a whole Swift in one process for machines that
have none; the check for oslo.policy, and the agent that brings the policy to a host. The standard library and the host
daemon's own libraries only; nothing of `rambla`, no asyncio.
"""
