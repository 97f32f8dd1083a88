"""The only room that knows MLflow: its server, runs, model registry and the proxy in front of it."""
