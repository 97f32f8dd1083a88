"""What is remembered: records in a database, bytes by digest, and snapshots laid out as folders."""
