"""One module per noun: a frozen record, and the repository that reads and writes it inside a transaction."""
