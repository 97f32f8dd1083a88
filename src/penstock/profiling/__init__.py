"""Data as tables: reading them lazily, and saying what is in them."""
