"""When does a trigger fire by itself?

Alarms: what was asked for, when it is due, and the port that keeps them. Nothing here fires: `flow/alarms.py` does.
"""
