"""The tests: a folder per room, `journeys` for the stories that cross them all."""
