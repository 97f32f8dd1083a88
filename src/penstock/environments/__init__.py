"""Turning what a file says about software (conda file, image) into a folder that runs Python, named by digest."""
