"""HTTP to verb: a route reads the request, calls one verb, and answers with its record."""
