"""Weights in a file come back bit for bit, into their own network only, and a file that was changed is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core.errors import CorruptError
from surgenas.nn.weights import load_weights, save_weights


def test_weights_come_back_bit_for_bit_and_not_into_another_network(tmp_path):
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    save_weights(tmp_path / "w.safetensors", one.state_dict())
    load_weights(tmp_path / "w.safetensors", other)
    assert all(torch.equal(one.state_dict()[name], value) for name, value in other.state_dict().items())
    with pytest.raises(CorruptError, match="weights of this architecture"):
        load_weights(tmp_path / "w.safetensors", nn.Linear(2, 2))
    with pytest.raises(CorruptError, match="surgenas resume"):
        load_weights(tmp_path / "none.safetensors", nn.Linear(3, 2))


def test_weights_that_became_others_are_refused_where_their_digest_is_known(tmp_path):
    path, network = tmp_path / "w.safetensors", nn.Linear(3, 2)
    written = save_weights(path, network.state_dict())
    assert written.file == str(path)
    load_weights(path, network, written.digest)
    save_weights(path, nn.Linear(3, 2).state_dict())
    with pytest.raises(CorruptError, match="damaged"):
        load_weights(path, network, written.digest)
