"""Running one command on one target: start, follow, cancel, adopt."""
