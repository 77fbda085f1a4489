"""What `fkbench new` knows of each kind of plugin: the words that fill its templates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of plugin that can be written.

    Attributes:
        spec: name of its spec.
        group: end of its hook's name.
        summary: of the plugin that is written; the first line of its function, too.
        module: where the code of a package lies.
        function: what it is called there.
        ref: the spec's field that names it.
        fields: further fields of the spec, one a line.
        uses: commands beside `fkbench check` that show it at work; `{plugin}` is its file, or in a package its name,
            `{dataset}` a dataset that needs no download.
    """

    spec: str
    group: str
    summary: str
    module: str
    function: str
    ref: str
    fields: tuple[str, ...]
    uses: tuple[str, ...] = ()


KINDS = {
    "model": Kind(
        spec="ModelSpec",
        group="models",
        summary="Two convolutions and a linear layer.",
        module="net",
        function="build",
        ref="build",
        fields=("input=(1, 96)",),
        uses=("fkbench run --model {plugin} --dataset {dataset} --protocol smoke",),
    ),
    "dataset": Kind(
        spec="DatasetSpec",
        group="datasets",
        summary="Dots in the places of a face's points.",
        module="faces",
        function="load",
        ref="load",
        fields=(
            'scheme="face15"',
            'settings={"count": fkbench.Setting(200, "number of faces")}',
            'terms=fkbench.Terms("CC0-1.0", public=True, note="Drawn by its own code.")',
            'ways="It is drawn when it is used."',
        ),
        uses=("fkbench show {plugin}",),
    ),
    "detector": Kind(
        spec="DetectorSpec",
        group="detectors",
        summary="The box around all that stands out from the picture's border.",
        module="finder",
        function="find",
        ref="find",
        fields=('settings={"contrast": fkbench.Setting(40, "grey levels by which a face differs from the border")}',),
    ),
}
