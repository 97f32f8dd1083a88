"""One module per step; the file says what the database remembers from then on."""
