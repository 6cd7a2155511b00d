"""Which daemons have which policy in force?

What the agents of other hosts report, and what it comes to beside the bundle that is in force here. What comes before:
`flow` has judged whoever reports. It sends nothing to anybody.
"""
