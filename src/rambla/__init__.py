"""Rambla: the street that everything on a private cloud walks along.

Rooms import downwards only: cli, app, edges, flow, rooms, domain, kit. ARCHITECTURE.md draws the plan.
"""

__version__ = "0.1.0"
