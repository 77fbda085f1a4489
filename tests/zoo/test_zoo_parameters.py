"""The zoo's nets have the sizes and the recipes that their articles give."""

from __future__ import annotations

import pytest
import torch

from fkbench.errors import FkbenchError
from fkbench.registry import load_registry
from fkbench.runner.plan import find_model
from fkbench.specs import ModelSpec, resolve
from fkbench.timing.macs import count_macs, count_parameters

REGISTRY = load_registry()
# Parameters and multiply-accumulates (in millions) as counted in the articles' own code.
SIZES = {
    "dfk": (30, 8_615_920, 62.3),
    "kshirsagar": (136, 19_534_728, 660.8),
    "landmark68": (136, 19_333_000, None),
    "fiyero": (136, 218_631_872, 7330),
    "fiyero-text": (136, 218_619_824, 7330),
    "baselinenet": (30, 3_454_686, 167.5),
    "inception-naive": (30, 3_935_752_350, None),
}
# The smallest picture of which the pools leave something, by the layers' own arithmetic.
LEAST = {"kshirsagar": 64, "landmark68": 48, "fiyero": 76, "fiyero-text": 76, "baselinenet": 32}


def on_meta(name, channels, size, outputs):
    with torch.device("meta"):
        return resolve(REGISTRY.get(ModelSpec, name).build)(channels=channels, size=size, outputs=outputs)


@pytest.mark.parametrize(("name", "size"), SIZES.items(), ids=SIZES)
def test_a_net_has_the_size_of_its_article(name, size):
    outputs, parameters, macs = size
    shape = REGISTRY.get(ModelSpec, name).input
    net = on_meta(name, *shape, outputs)
    assert count_parameters(net) == parameters
    if macs is not None:
        assert count_macs(net, (shape[0], shape[1], shape[1])) / 1e6 == pytest.approx(macs, rel=1e-3)


@pytest.mark.parametrize(("name", "least"), LEAST.items(), ids=LEAST)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_net_takes_any_picture_that_is_large_enough_and_says_so_of_others(name, least, channels):
    for size in (least, least + 1, 96, 131):
        answer = on_meta(name, channels, size, 136).eval()(torch.zeros(2, channels, size, size, device="meta"))
        assert tuple(answer.shape) == (2, 136)
    with pytest.raises(FkbenchError, match=rf"{name}' needs pictures of at least {least}×{least} pixels, not"):
        on_meta(name, channels, least - 1, 136)


def test_the_naive_inception_net_computes_at_a_size_that_fits_and_is_refused_at_its_own():
    spec = REGISTRY.get(ModelSpec, "inception-naive")
    net = resolve(spec.build)(channels=1, size=4, outputs=30).eval()
    with torch.inference_mode():
        assert net(torch.rand(2, 1, 4, 4)).isfinite().all()
    assert "3 935 752 350" in (spec.unavailable() or "")
    with pytest.raises(FkbenchError, match=r"'inception-naive' is listed but not run: 3 935 752 350 parameters"):
        find_model(REGISTRY, "inception-naive")


def test_recipes_are_those_of_the_articles():
    def facts(name):
        recipe = REGISTRY.get(ModelSpec, name).recipes["article"]
        codec = recipe.codec
        return (
            recipe.optimiser, recipe.lr, recipe.batch, recipe.epochs, recipe.selection, recipe.train_on,
            (recipe.geometry.kind, recipe.geometry.rescale), (codec.kind, codec.offset, codec.scale, codec.loss),
            (recipe.schedule, recipe.min_lr),
        )  # fmt: skip

    whole, part, constant = "train+val", "train", ("constant", 0.0)
    crop = ("rescale_crop", 250)
    assert facts("dfk") == (
        "adamax", 1e-3, 32, 200, "last", whole, ("view", 0), ("affine", 255.0, 255.0, "root_mse"), constant
    )  # fmt: skip
    assert facts("kshirsagar") == (
        "adam", 1e-3, 10, 10, "last", whole, crop, ("affine", 100.0, 50.0, "smooth_l1"), constant
    )  # fmt: skip
    assert facts("landmark68") == (
        "adam", 1e-3, 16, 30, "best", part, ("resize", 0), ("affine", 100.0, 50.0, "mse"), constant
    )  # fmt: skip
    assert facts("fiyero") == ("adam", 1e-3, 16, 15, "best", part, crop, ("affine", 100.0, 50.0, "mse"), constant)
    assert facts("fiyero-text") == (
        "adam", 1e-2, 16, 30, "best", part, crop, ("affine", 100.0, 50.0, "mse"), ("plateau", 1e-3)
    )  # fmt: skip
    assert facts("baselinenet") == (
        "adam", 1e-3, 128, 100, "last", whole, ("view", 0), ("affine", 0.0, 1.0, "smooth_l1"), ("plateau", 1e-5)
    )  # fmt: skip


def test_article_recipes_report_the_articles_own_loss_and_add_nothing_of_ours():
    for spec in REGISTRY.all(ModelSpec):
        for recipe in spec.recipes.values():
            assert recipe.native_loss
            assert (recipe.normalise, recipe.initialisation, recipe.weight_decay) == ("unit", "own", 0.0)
            assert spec.card.source
            assert spec.card.deviations


def test_only_baselinenet_copies_rows_before_it_parts_them():
    recipes = {spec.name: spec.recipes["article"] for spec in REGISTRY.all(ModelSpec) if "article" in spec.recipes}
    assert [name for name, recipe in recipes.items() if recipe.stages or recipe.pool_split] == ["baselinenet"]
    light, affine, mirror = recipes["baselinenet"].stages
    assert (light.gain, light.blur_p, light.blur) == ((0.6, 1.5), 0.8, (0.0, 2.0))
    assert (affine.rotation, affine.scale) == (15.0, (0.8, 1.2))
    assert mirror.mirror
    assert recipes["baselinenet"].pool_split == 0.1
    assert (recipes["dfk"].augmentation.sharpness, recipes["dfk"].augmentation.sharpness_p) == (2.0, 0.5)
