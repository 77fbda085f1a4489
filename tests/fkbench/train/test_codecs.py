"""Codecs: there and back, losses by hand, and missing points that weigh nothing."""

from __future__ import annotations

import pytest
import torch

from fkbench.errors import FkbenchError
from fkbench.specs import CodecSpec
from fkbench.train.codecs import make_codec

LOSSES = ["smooth_l1", "mse", "root_mse"]


@pytest.mark.parametrize("spec", [CodecSpec(), CodecSpec("affine", 255, 255), CodecSpec("affine", 100, 50, "mse")])
def test_decode_undoes_encode(spec: CodecSpec):
    points = torch.rand(4, 15, 2) * 96
    codec = make_codec(spec, 96)
    target = codec.encode(points)
    assert target.shape == (4, codec.outputs(15))
    torch.testing.assert_close(codec.decode(target), points, atol=1e-3, rtol=0)


def test_canonical_targets_put_the_borders_at_one():
    codec = make_codec(CodecSpec(), 96)
    assert codec.encode(torch.tensor([[[-0.5, 95.5]]])).tolist() == [[-1.0, 1.0]]


def test_the_article_of_dfk_scales_by_255():
    codec = make_codec(CodecSpec("affine", 255.0, 255.0, "root_mse"), 96)
    assert codec.encode(torch.tensor([[[0.0, 51.0]]])).tolist() == [[-1.0, pytest.approx(-0.8)]]


# Residuals .5 and 1 count: squares .25 and 1; smooth L1 (β = 1) .125 and .5.
@pytest.mark.parametrize(("kind", "expected"), [("mse", 0.625), ("root_mse", 0.625**0.5), ("smooth_l1", 0.3125)])
def test_losses_by_hand(kind, expected):
    codec = make_codec(CodecSpec("affine", 0, 1, kind), 96)
    output = torch.tensor([[0.5, 1.0, 9.0, 9.0]])
    points, valid = torch.zeros(1, 2, 2), torch.tensor([[True, False]])
    assert float(codec.loss(output, points, valid)) == pytest.approx(expected)


@pytest.mark.parametrize("kind", LOSSES)
def test_missing_points_get_no_gradient_and_perfect_answers_no_nan(kind):
    codec = make_codec(CodecSpec(loss=kind), 96)
    points = torch.rand(2, 3, 2) * 96
    valid = torch.tensor([[True, False, True], [False, False, False]])
    output = codec.encode(points).clone()
    output[:, 2:4] += 5.0  # only the missing point is wrong
    output.requires_grad_()
    loss = codec.loss(output, points, valid)
    loss.backward()
    assert torch.isfinite(output.grad).all()
    assert not output.grad[0, 2:4].any()
    assert not output.grad[1].any()
    assert float(loss.detach()) <= 1e-5


def test_a_scale_of_zero_is_refused():
    with pytest.raises(FkbenchError, match="scale"):
        make_codec(CodecSpec("affine", 0, 0), 96)
