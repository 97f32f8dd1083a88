import pytest

# The contract's assertions explain themselves too.
pytest.register_assert_rewrite("penstock.testing.compute_contract")
