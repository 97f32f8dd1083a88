"""The versions that `az version` and `az extension list` name.

Scripts compare them with the version that they need. These are the ones whose commands and flags Penstock speaks; its own version
stands beside them.
"""

CLI = "2.77.0"
TELEMETRY = "1.1.0"
ML = "2.39.0"
