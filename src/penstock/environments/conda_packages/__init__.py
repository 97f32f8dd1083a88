"""Real conda packages, for whoever asks for them: the conda file's own packages, from its own channels."""
