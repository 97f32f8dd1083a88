"""Modules that a step may import where its environment lacks them. They run on the user's Python, 3.7 or later."""
