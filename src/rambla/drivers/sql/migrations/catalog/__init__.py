"""Which steps has the catalogue taken?"""
