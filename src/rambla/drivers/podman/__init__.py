"""How are container images run on one machine, isolated, without a daemon?

Each sandbox is a podman container that follows OpenWhisk's contract: POST /init, POST /run on port 8080. Images come
from podman's local store alone. Actions without an image are the business of `drivers/process`.
"""
