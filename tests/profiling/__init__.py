"""Tests of the room `profiling`."""
