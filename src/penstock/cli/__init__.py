"""The command line `penstock`: it parses, calls the client, prints a record. See README.md in this folder."""
