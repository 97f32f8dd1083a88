"""The control plane: routes (HTTP to verb), verbs (authorise, act, record), and the wiring that chooses back-ends."""
