"""Where data lies on this machine: folders behind datastores, files behind addresses."""
