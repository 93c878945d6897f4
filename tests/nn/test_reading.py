"""Files of weights are data: tensors come back from what people have, and every other file is one line."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.nn.reading import read_tensors

STATE = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2), "steps": torch.tensor(3)}


def half(state):
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


def equals(found):
    return found.keys() == STATE.keys() and all(torch.equal(found[name], value) for name, value in STATE.items())


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64", "float32"])
def test_floating_point_numbers_of_any_precision_become_float32(tmp_path, kind):
    path = tmp_path / "w.safetensors"
    save_file({n: v.to(getattr(torch, kind)) if v.is_floating_point() else v for n, v in STATE.items()}, path)
    found = read_tensors(path)
    assert equals(found)
    assert (found["weight"].dtype, found["steps"].dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".pth.tar"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_as_torch_saves_it(tmp_path, suffix, zipped):
    path = tmp_path / f"w{suffix}"
    torch.save(half(STATE), path, _use_new_zipfile_serialization=zipped)
    assert equals(read_tensors(path))


@pytest.mark.parametrize("key", ["state_dict", "model", "model_ema", "state_dict_ema"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
def test_a_checkpoint_of_a_training(tmp_path, key, prefix):
    state = {f"{prefix}{name}": value for name, value in STATE.items()}
    about = {"epoch": 3, "args": argparse.Namespace(lr=0.1), "optimizer": {"state": {}}}  # as timm's training writes
    torch.save({**about, key: state}, tmp_path / "w.pth")
    assert equals(read_tensors(tmp_path / "w.pth"))


def test_averaged_weights_go_before_the_others(tmp_path):
    torch.save({"state_dict": {"a": torch.zeros(1)}, "state_dict_ema": {"a": torch.ones(1)}}, tmp_path / "w.pth")
    assert read_tensors(tmp_path / "w.pth")["a"].item() == 1


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("write", ["zip", "legacy", "plain", "below"])
def test_a_pickle_that_would_run_code_is_refused_and_runs_none(tmp_path, write):
    path, mark = tmp_path / "w.pth", tmp_path / "ran"
    if write == "plain":
        path.write_bytes(pickle.dumps(Harmful(mark)))
    else:
        content = {"state_dict": STATE, "args": Harmful(mark)} if write == "below" else Harmful(mark)
        torch.save(content, path, _use_new_zipfile_serialization=write != "legacy")
    with pytest.raises(UsageError, match=r"a pickle of more than tensors.*at best as \.safetensors") as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value), "nobody is told how to read it all the same"
    assert not mark.exists()


def test_a_whole_network_is_refused(tmp_path):
    torch.save({"model": nn.Linear(2, 2)}, tmp_path / "w.pt")
    with pytest.raises(UsageError, match=r"save the network's state_dict\(\)"):
        read_tensors(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("w.safetensors", b"<html>not found</html>", "damaged"),
        ("w.safetensors", b"", "damaged"),
        ("w.pth", b"", "damaged"),
        ("w.pth", b"version git-lfs 1\n", "damaged"),
        ("w.onnx", b"", "no file of weights by its name; expected one that ends in .safetensors, .pth"),
        ("w", b"", "no file of weights by its name"),
    ],
)
def test_what_holds_no_weights_is_one_line(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        read_tensors(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_that_was_cut_is_one_line(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    save_file(STATE, path) if suffix == ".safetensors" else torch.save(STATE, path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UsageError, match=r"damaged.*get it again") as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "no tensors"),
        ({"state_dict": {}}, "no tensors"),
        ({"epoch": 1, "net\n": STATE}, r"holds 'epoch', 'net\\n' and more than tensors; expected .* state_dict"),
        ([torch.ones(2)], "no weights by name"),
        (torch.ones(2), "no weights by name"),
    ],
)
def test_tensors_must_have_names_that_are_known(tmp_path, content, said):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(UsageError, match=said) as caught:
        read_tensors(tmp_path / "w.pth")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_one_line(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_tensors(tmp_path / "none.safetensors")
    (tmp_path / "folder.pth").mkdir()
    with pytest.raises(UsageError, match="directory"):
        read_tensors(tmp_path / "folder.pth")
