"""What does a node keep in plain files of its data folder?"""
