"""What every process has in common: its tables follow from its parameters, however it was copied."""

from __future__ import annotations

import numpy as np

from carecommons.processes.provision import Provision


def test_a_copy_with_other_parameters_works_its_tables_out_anew() -> None:
    cheap = Provision(private_fee=20.0)
    assert cheap.prices[2] == 2000
    dear = cheap.model_copy(update={"private_fee": 40.0})
    assert dear.prices[2] == 4000 and cheap.prices[2] == 2000
    assert np.array_equal(dear.fees, cheap.fees) and cheap.model_copy() == cheap
