"""Stages made before training: what is beside each row, with which points."""

from __future__ import annotations

import torch

from fkbench.specs import Recipe, Stage
from fkbench.train.resident import Resident, ResidentFrames
from fkbench.train.stages import expand, pool_parts, rows_after
from fkbench.train.streams import generator

STAGES = (Stage(gain=(0.6, 1.5), blur_p=0.8, blur=(0.0, 2.0)), Stage(rotation=15, scale=(0.8, 1.2)), Stage(mirror=True))
SIZE = 96


def rows(count: int = 4) -> Resident:
    """A bright blob on grey at each sample's only point."""
    points = 38 + 20 * torch.rand(count, 1, 2, generator=generator(0, "points"))
    axis = torch.arange(SIZE).float()
    x, y = points[:, 0, 0, None, None], points[:, 0, 1, None, None]
    blob = torch.exp(-((axis[None, None] - x) ** 2 + (axis[None, :, None] - y) ** 2) / 18)
    images = (200 * blob).to(torch.uint8).unsqueeze(1)
    return Resident(images, points, torch.ones(count, 1, dtype=torch.bool), torch.ones(count, 2))


def centres(images: torch.Tensor) -> torch.Tensor:
    axis = torch.arange(SIZE).float()
    weight = images[:, 0] / images[:, 0].sum(dim=(1, 2), keepdim=True)
    return torch.stack([(weight * axis).sum(dim=(1, 2)), (weight * axis[:, None]).sum(dim=(1, 2))], dim=1)


def test_three_stages_make_eight_rows_of_one_and_an_eighth_is_untouched():
    source = rows()
    pool = expand(source, STAGES, generator(1, "stages"))
    assert len(pool) == 32
    assert pool.images.dtype == torch.float32
    torch.testing.assert_close(pool.images[::8], source.images.float() / 255)
    torch.testing.assert_close(pool.points[::8], source.points)
    # The middle of points is half a pixel off that of pictures, and the mirror is one pixel off, as published.
    assert (centres(pool.images) - pool.points[:, 0]).abs().max() < 1.3
    torch.testing.assert_close(pool.points[1::2, 0, 0], SIZE - pool.points[::2, 0, 0])


def test_the_gain_stage_goes_beyond_full_scale_and_moves_no_point():
    source = rows(64)
    pool = expand(source, STAGES[:1], generator(2, "stages"))
    torch.testing.assert_close(pool.points[1::2], source.points)
    share = pool.images[1::2].sum(dim=(1, 2, 3)) / pool.images[::2].sum(dim=(1, 2, 3))  # a blur keeps the sum
    assert 0.59 < float(share.min()) < 0.7
    assert 1.4 < float(share.max()) < 1.51


def test_the_angle_is_fixed_and_clockwise():
    source = rows(16)
    pool = expand(source, STAGES[1:2], generator(3, "stages"))
    before, after = source.points[:, 0] - SIZE / 2, pool.points[1::2, 0] - SIZE / 2
    angle = torch.atan2(after[:, 1], after[:, 0]) - torch.atan2(before[:, 1], before[:, 0])
    turned = torch.rad2deg(torch.remainder(angle + torch.pi, 2 * torch.pi) - torch.pi)
    torch.testing.assert_close(turned, torch.full((16,), 15.0), atol=0.01, rtol=0)
    growth = after.norm(dim=1) / before.norm(dim=1)
    assert 0.8 <= float(growth.min()) < float(growth.max()) <= 1.2


def test_draws_are_made_once_and_depend_on_the_stream_alone():
    one, two = (expand(rows(), STAGES, generator(4, "stages")) for _ in range(2))
    assert torch.equal(one.images, two.images)
    assert not torch.equal(one.images, expand(rows(), STAGES, generator(5, "stages")).images)


def test_a_pool_is_parted_once_over_all_copies():
    kept, held = pool_parts(17120, 0.1, generator(0, "pool"))
    assert (len(kept), len(held)) == (15408, 1712)  # the counts of the article of baselinenet
    assert sorted(torch.cat([kept, held]).tolist()) == list(range(17120))
    assert rows_after(Recipe(stages=STAGES, pool_split=0.1), 2140) == 15408
    assert rows_after(Recipe(), 2140) == 2140
    assert len(set((held // 8).tolist()) - set((kept // 8).tolist())) < 10  # nearly all have siblings in training


def test_crops_of_whole_frames_are_those_of_the_frames_themselves():
    sizes = [(20, 12), (15, 30)]
    images = [torch.randint(0, 256, (h, w, 3), dtype=torch.uint8, generator=generator(0, "i")) for h, w in sizes]
    points = torch.tensor([[[5.0, 7.0]], [[9.0, 3.0]]])
    frames = ResidentFrames(
        buffer=torch.cat([image.reshape(-1, 3) for image in images]),
        offsets=torch.tensor([0, 240]),
        height=torch.tensor([20, 15]),
        width=torch.tensor([12, 30]),
        points=points,
        valid=torch.ones(2, 1, dtype=torch.bool),
        unit=torch.ones(2, 2),
        size=10,
    )
    taken, moved, _ = frames.take(torch.tensor([1, 0]), torch.tensor([[0.5, 0.99], [0.999, 0.6]]))
    assert torch.equal(taken[0], images[1][2:12, 19:29].movedim(2, 0))
    assert torch.equal(taken[1], images[0][9:19, 1:11].movedim(2, 0))
    torch.testing.assert_close(moved, torch.tensor([[[-10.0, 1.0]], [[4.0, -2.0]]]))
