"""How is a process shut in?

`linux` speaks to the kernel, `seccomp` and `landlock` are its two rule languages, `jail` builds the file system that
all sandboxes of one zygote see, `isolation` shuts in one sandbox. Nothing here knows what will run inside.
"""
