"""Several trainings in turns: each comes to what it comes to alone, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fkbench.runner.device import make_repeatable
from fkbench.specs import Augmentation, Recipe
from fkbench.train import engine
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Listener, Trainer
from fkbench.train.resident import Resident
from fkbench.train.streams import generator
from fkbench.train.together import HostTurn, Replica, fit_together

SIZE = 12
RECIPE = Recipe(
    augmentation=Augmentation(flip=0.5, rotation=10, shift=0.05, contrast=0.2, noise=0.05),
    lr=3e-3, schedule="cosine", warmup=0.1, batch=8, epochs=3, selection="best",
)  # fmt: skip


def rows(count: int) -> Resident:
    source = generator(count, "rows")
    images = torch.randint(0, 256, (count, 1, SIZE, SIZE), generator=source, dtype=torch.uint8)
    points = torch.rand(count, 1, 2, generator=source) * SIZE
    return Resident(images, points, torch.ones(count, 1, dtype=torch.bool), torch.ones(count, 2))


TRAIN, VAL = rows(43), rows(11)
DEVICES = ["cpu", "cuda"] + [f"cuda:{index}" for index in range(1, torch.cuda.device_count())]
"""A GPU that is not the first one, too: what is captured there must be replayed there."""


class Waits(nn.Module):
    """Asks the device for a number in each forward pass, so that no step of its net can be captured."""

    def forward(self, images: Tensor) -> Tensor:
        return images if float(images.sum()) else images + 0


def on(part: Resident, device: str) -> Resident:
    tensors = (value.to(device) for value in (part.images, part.points, part.valid, part.unit))
    return Resident(*tensors, part.pad)


def trainer(seed: int, device: str = "cpu", *, waits: bool = False) -> Trainer:
    """With batch norm and dropout: what each training draws and counts is its own."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(400, 2)
    )
    codec = make_codec(RECIPE.codec, SIZE)
    whole = (nn.Sequential(Waits(), net) if waits else net).to(device)
    return Trainer(whole, codec, RECIPE, on(TRAIN, device), on(VAL, device), size=SIZE, flip_order=[0], seed=seed)


def weights(run: Trainer) -> Tensor:
    return torch.cat([value.flatten().float() for value in run.net.state_dict().values()])


def told(run: Trainer) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in run.progress.history]


@pytest.fixture(params=[1, 2, 64], ids="steps in a turn {}".format)
def _turns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(engine, "STEPS_IN_TURN", request.param)
    return


@pytest.mark.usefixtures("_turns")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("waits", [False, True])
def test_each_comes_to_what_it_comes_to_alone(tmp_path: Path, device: str, waits: bool):
    if device.startswith("cuda") and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    make_repeatable()
    alone = [trainer(seed, device, waits=waits) for seed in range(3)]
    for run in alone:
        run.fit()
    torch.manual_seed(99)
    together = [trainer(seed, device, waits=waits) for seed in range(3)]
    fit_together([Replica(run, tmp_path / str(seed)) for seed, run in enumerate(together)])
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(weights(one), weights(other))
        assert told(one) == told(other)
        assert one.progress.best_rmse == other.progress.best_rmse
        assert bool(other.steps.refusal) == (waits and device != "cpu")
    assert not torch.equal(weights(together[0]), weights(together[1]))
    assert told(together[0])[-1]["train_loss"] < told(together[0])[0]["train_loss"]


def test_the_one_that_diverges_ends_and_the_others_go_on(tmp_path: Path):
    wild, calm, alone = trainer(0), trainer(1), trainer(1)
    wild.net[-1].weight.data.fill_(float("nan"))
    first, second = Replica(wild, tmp_path / "wild"), Replica(calm, tmp_path / "calm")
    fit_together([first, second])
    assert first.failure is not None
    assert "diverged" in first.failure.message
    assert second.failure is None
    alone.fit()
    assert torch.equal(weights(alone), weights(calm))


def test_they_may_have_come_differently_far(tmp_path: Path):
    """Killed between two checkpoints, one is an epoch behind the other."""

    class CutOffError(Exception):
        pass

    def cut(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise CutOffError

    ahead = trainer(0)
    with pytest.raises(CutOffError):
        ahead.fit(Listener(epoch=cut))
    ahead.save(tmp_path / "ahead")
    gone_on, fresh = trainer(0), trainer(1)
    gone_on.resume(tmp_path / "ahead")
    fit_together([Replica(gone_on, tmp_path / "0"), Replica(fresh, tmp_path / "1")])
    for seed, run in enumerate((gone_on, fresh)):
        alone = trainer(seed)
        alone.fit()
        assert torch.equal(weights(alone), weights(run))
        assert len(run.progress.history) == RECIPE.epochs


def test_the_seconds_are_shares_and_the_checkpoint_says_of_how_many(tmp_path: Path):
    shares: list[int] = []
    runs = [trainer(seed) for seed in range(3)]
    listeners = [Listener(step=lambda images, run=run: shares.append(run.sharing)) for run in runs]
    fit_together([Replica(run, tmp_path / str(i), listeners[i]) for i, run in enumerate(runs)])
    assert set(shares) == {3}
    assert [run.sharing for run in runs] == [1, 1, 1]
    again = trainer(0)
    again.resume(tmp_path / "0")
    assert again.progress.together == 3
    assert again.progress.epoch == RECIPE.epochs


def test_one_that_is_done_already_shares_with_nobody(tmp_path: Path):
    done, left = trainer(0), trainer(1)
    done.fit()
    fit_together([Replica(done, tmp_path / "0"), Replica(left, tmp_path / "1")])
    assert (done.progress.together, left.progress.together) == (1, 1)
    assert left.is_done


def test_what_a_net_raises_comes_through_and_nobody_shares_any_more(tmp_path: Path):
    class Broken(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise ValueError("broken")

    whole, broken = trainer(0), trainer(1)
    broken.net = Broken()
    with pytest.raises(ValueError, match="broken"):
        fit_together([Replica(whole, tmp_path / "0"), Replica(broken, tmp_path / "1")])
    assert whole.sharing == broken.sharing == 1


def test_a_turn_leaves_the_random_numbers_of_others_alone():
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    turn = HostTurn()
    with turn():
        mine = torch.rand(2)
    others = torch.rand(4)
    with turn():
        mine = torch.cat([mine, torch.rand(2)])
    assert torch.equal(mine, expected)
    assert torch.equal(others, expected)
    with pytest.raises(ValueError, match="inside"), turn():
        raise ValueError("inside")
    torch.manual_seed(6)
    with turn():
        pass
    assert torch.initial_seed() == 6
