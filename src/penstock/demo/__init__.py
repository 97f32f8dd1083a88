"""The demo's project, as files in the wheel: an Azure ML v2 repository in small. Nothing here is imported."""
