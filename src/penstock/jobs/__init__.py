"""Plan → schedule → run → record: what a job is and how it comes to its end."""
