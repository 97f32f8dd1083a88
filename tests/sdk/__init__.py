"""The SDK as a notebook uses it."""
