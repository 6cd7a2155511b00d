"""placeholder"""
import os
class Egress:
    def grant(self, grants): ...
    def close(self): ...
def serve_grants(rights, upstream):
    for r in rights: os.close(r)
    return Egress()
