"""Stories that cross all rooms, told as a person lives them: at a terminal, with real environments and a real MLflow."""
