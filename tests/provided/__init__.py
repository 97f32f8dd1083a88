"""What steps may import though their environment lacks it."""
