"""Which steps has the index taken?"""
