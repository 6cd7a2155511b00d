"""What does the policy of a whole cloud say, asked inside a daemon of OpenStack's?

The bundle on this host and the proof of its age, both verified by pinned keys; the check `rambla:` for oslo.policy that
decides by them. The standard library and what every daemon with oslo.policy has.
"""
