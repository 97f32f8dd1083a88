"""The Python SDK: the nouns and verbs of the command line for notebooks and scripts."""
