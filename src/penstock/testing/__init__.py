"""For authors of plug-ins: contract suites to subclass, and fakes. Nothing of Penstock itself imports it."""
