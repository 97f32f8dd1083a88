"""Tests of the demo's project."""
