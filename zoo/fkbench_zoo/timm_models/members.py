"""From a name of the library to a model."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import ModuleType

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.specs import ModelSpec, resolve

RESTING = "`fkbench list models 'timm:*net*'` searches their names."


def library() -> ModuleType:
    """timm.

    Raises:
        FkbenchError: it cannot be imported, as where torchvision was built for another torch.
    """
    try:
        import timm
    except Exception as error:
        words = str(error).splitlines() or [type(error).__name__]
        raise FkbenchError(
            f"timm cannot be imported: {words[0]}.",
            "Install releases that belong together: pip install --upgrade torch torchvision timm.",
        ) from error
    return timm


def names() -> list[str]:
    """Every architecture of the library."""
    found: list[str] = library().list_models()
    return found


def member(family: ModelSpec, rest: str) -> ModelSpec:
    """The model `timm:rest`; `rest` may carry the tag of pretrained weights (`resnet18.a1_in1k`).

    Raises:
        FkbenchError: the name is empty, or the library cannot be imported.
        UnknownNameError: the library has no such net, or no such weights for it; near names are offered.
    """
    if not rest:
        raise FkbenchError(f"'{family.name}:' names no net.", f"For example {family.name}:{family.examples[0]}.")
    timm = library()
    architecture, _, tag = rest.partition(".")
    if not timm.is_model(architecture):
        raise UnknownNameError("timm model", rest, names(), RESTING, prefix=f"{family.name}:")
    if tag and not timm.is_model_pretrained(rest):
        tagged = timm.list_models(f"{architecture}.*", pretrained=True)
        raise UnknownNameError("timm model", rest, tagged, RESTING, prefix=f"{family.name}:")
    config = timm.get_pretrained_cfg(rest)
    weights = config.hf_hub_id or config.url if config is not None else ""
    known = f"{weights}, licence {config.license or 'not stated'}" if weights else "none"
    return replace(
        family,
        name=f"{family.name}:{rest}",
        summary=f"{architecture} of timm, with a linear layer to the points",
        build=partial(resolve(family.build), rest),
        member=None,
        members=None,
        examples=(),
        card=replace(family.card, text=f"{family.card.text} Pretrained weights: {known}."),
    )
