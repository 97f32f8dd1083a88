"""Penstock: run Azure ML v2 project files where you are, and move code through gated stages."""

__version__ = "0.1.0"
