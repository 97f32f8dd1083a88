"""The `az` that Penstock puts before the real one: `az ml` and what scripts call around it."""
