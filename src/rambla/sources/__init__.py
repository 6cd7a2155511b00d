"""Which events come from outside?

The door for deliveries of object stores: parse, one call into `flow`, acknowledge. What is acknowledged is on disk.
"""
