"""What does it look like when it works?

`rambla demo` starts a platform with a real Swift, uploads a picture and gets its thumbnail back. It does so as any
user would: through the command's own client and Swift's own API.
"""
