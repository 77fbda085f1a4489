"""Two results: which is better, rules of a gate, the picture; and bad use in plain words."""

from __future__ import annotations

import pytest

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.publishing.comparison import Delta, compare_sides, side_of
from fkbench.publishing.curves import draw_curves
from fkbench.publishing.rules import Rule, judge


@pytest.fixture
def sides(put, store):
    """Makes two sides of three seeds each and compares them."""

    def make(a=2.0, b=1.0, seeds=3, **changes):
        for seed in range(seeds):
            put("one", a, seed)
            put("two", b, seed, **dict(changes))
        found = store.records()
        by_name = {name: side_of(name, [r for r in found if r.model.name == name]) for name in ("one", "two")}
        return compare_sides(by_name["one"], by_name["two"])

    return make


def test_the_better_one_by_how_much_and_how_surely(sides):
    found = sides(2.0, 1.0)
    assert found.better == "b"
    assert found.rmse.percent == pytest.approx(-50, abs=5)
    assert found.rmse.low < found.rmse.difference < found.rmse.high < 0
    assert (found.images, found.groups, len(found.points)) == (48, 16, 5)
    assert all(point.difference < 0 for point in found.points)
    nme = found.metrics["nme@inter_ocular"]
    assert nme.low < nme.difference < nme.high < 0
    assert nme.a == pytest.approx(found.a.metrics["nme@inter_ocular"], rel=1e-4)


def test_the_other_way_round_is_the_same_answer(sides, put, store):
    found = sides(2.0, 1.0)
    back = compare_sides(found.b, found.a)
    assert back.better == "a"
    assert back.rmse.difference == pytest.approx(-found.rmse.difference)
    assert back.rmse.p == pytest.approx(found.rmse.p)


def test_equal_models_are_not_told_apart(sides):
    found = sides(2.0, 2.001)
    assert found.better == ""
    assert not found.rmse.significant


RULES = {
    "rmse>+2%": ("rmse", True, 2.0, True),
    " rmse > 2 % ": ("rmse", True, 2.0, True),
    "nme@inter_ocular>+0.5": ("nme@inter_ocular", True, 0.5, False),
    "infer_images_per_s<-10%": ("infer_images_per_s", False, -10.0, True),
    "my-metric<.5": ("my-metric", False, 0.5, False),
}


@pytest.mark.parametrize("text", RULES)
def test_rules_are_read(text):
    rule = Rule.parse(text)
    assert (rule.metric, rule.above, rule.limit, rule.relative) == RULES[text]


@pytest.mark.parametrize(
    "text",
    ["", "rmse", "rmse>", ">2%", "rmse>=2%", "rmse=2", "rmse>2%%", "rmse>two", "rmse>nan", "rmse>1e9", "a>1;b", "<b>"],
)
def test_what_is_no_rule_is_refused_with_the_grammar(text):
    with pytest.raises(FkbenchError, match="is no rule") as caught:
        Rule.parse(text)
    assert "rmse>+2%" in caught.value.remedy


def test_a_worse_candidate_breaks_the_gate_and_a_better_one_does_not(sides):
    worse = sides(1.0, 2.0)
    for text in ("rmse>+2%", "rmse>0.5", "nme@inter_ocular>+0.5", "rmse>90%"):
        assert judge(Rule.parse(text), worse).broken, text
    for text in ("rmse>+200%", "rmse<-2%", "nme@inter_ocular>+50"):
        assert not judge(Rule.parse(text), worse).broken, text


def test_by_default_the_estimate_must_be_beyond_the_limit_and_the_difference_significant(sides):
    found = sides()
    cases = {(5.0, -1.0, 11.0, 0.1): (False, True, False), (5.0, 1.0, 9.0, 0.01): (True, True, False),
             (5.0, 3.0, 7.0, 0.001): (True, True, True), (1.0, 0.5, 1.5, 0.001): (False, False, False)}  # fmt: skip
    for (gap, low, high, p), broken in cases.items():
        found.metrics["rmse"] = Delta("rmse", 100.0, 100.0 + gap, low, high, p)
        for decide, expected in zip(("significant", "estimate", "interval"), broken, strict=True):
            assert judge(Rule.parse("rmse>+2%"), found, decide).broken == expected, (gap, decide)


DEMANDED = {
    (-28.0, -30.0, -26.0, 1e-9): (False, False, False),
    (-28.0, -60.0, 4.0, 0.09): (True, False, True),
    (-6.0, -9.0, -3.0, 0.01): (False, False, True),
    (-1.0, -1.5, -0.5, 1e-6): (True, True, True),
    (-1.0, -9.0, 7.0, 0.8): (True, True, True),
    (0.0, 0.0, 0.0, 1.0): (True, True, True),
    (5.0, 1.0, 9.0, 0.01): (True, True, True),
}


@pytest.mark.parametrize("gap", DEMANDED)
@pytest.mark.parametrize("sign", [1, -1])
def test_an_improvement_that_is_demanded_has_to_be_there(sides, gap, sign):
    found = sides(seeds=1)
    change, *ends, p = gap
    low, high = sorted(sign * end for end in ends)
    found.metrics["rmse"] = Delta("rmse", 100.0, 100.0 + sign * change, low, high, p)
    rule = Rule.parse("rmse>-5%" if sign == 1 else "rmse<+5%")
    decided = tuple(judge(rule, found, decide).broken for decide in ("significant", "estimate", "interval"))
    assert decided == DEMANDED[gap]


def test_what_breaks_a_rule_breaks_every_stricter_one(sides):
    found = sides(seeds=1)
    limits = [f"rmse>{limit:+}%" for limit in (9, 2, 0, -1, -5, -20, -40)]
    for gap in (-30.0, -7.0, -1.0, 0.0, 1.0, 5.0, 12.0):
        for width, p in ((0.1, 1e-6), (20.0, 0.4)):
            found.metrics["rmse"] = Delta("rmse", 100.0, 100.0 + gap, gap - width, gap + width, p)
            for decide in ("significant", "estimate", "interval"):
                broken = [judge(Rule.parse(text), found, decide).broken for text in limits]
                assert broken == sorted(broken), (gap, p, decide)


def test_speeds_of_two_devices_or_no_full_session_cannot_be_judged_and_fail(sides):
    rule = Rule.parse("infer_images_per_s<-10%")
    assert not judge(rule, sides()).broken
    judged = judge(rule, sides(device={"type": "cpu", "name": "Other"}))
    assert judged.broken
    assert "measured on cpu: CPU and on cpu: Other" in judged.why
    judged = judge(rule, sides(timing={"version": 1, "infer_images_per_s": 900.0, "void": True}))
    assert judged.broken
    assert "void" in judged.why


@pytest.mark.parametrize("device", [{}, {"device": {"type": "cpu", "name": "Other"}}])
def test_a_side_without_a_session_was_not_timed_whatever_the_other_was_measured_with(put, store, device):
    put("one", 2.0, device__threads=2)
    put("two", 2.0, timing=None, **device)
    one, two = (side_of(name, [r for r in store.records() if r.model.name == name]) for name in ("one", "two"))
    found = compare_sides(one, two)
    assert "Speeds are not comparable: two was not timed." in found.notes
    assert judge(Rule.parse("infer_images_per_s<-10%"), found).why == "cannot be judged: two was not timed"


def test_a_share_of_the_seconds_of_training_is_not_judged_against_a_whole(sides):
    rule = Rule.parse("train_s>+10%")
    together = {"version": 1, "train_s": 1.0, "infer_images_per_s": 900.0, "trained_at_once": 3}
    found = sides(timing=together)
    judged = judge(rule, found)
    assert judged.broken
    assert judged.why == "cannot be judged: trained alone and 3 seeds at once, where seconds are shares"
    assert "Speeds of training are not comparable: trained alone and 3 seeds at once" in " ".join(found.notes)
    assert not judge(Rule.parse("infer_images_per_s<-10%"), found).broken
    shares = compare_sides(found.b, found.b)
    assert not judge(rule, shares).broken
    assert not shares.notes


@pytest.mark.parametrize("own", [{"void": True}, {"again": {"instead_of_void": "busy"}}])
def test_a_training_beside_other_work_is_not_judged(sides, own):
    found = sides(timing={"version": 1, "train_s": 3.0, "infer_images_per_s": 900.0, **own})
    for rule in ("train_s>+10%", "train_s<-90%"):
        judged = judge(Rule.parse(rule), found)
        assert judged.broken
        assert "trained beside other work, where seconds are an upper bound" in judged.why
    assert "Speeds of training are not comparable: " in " ".join(found.notes)


def test_training_is_judged_whatever_became_of_the_session(sides):
    found = sides(timing={"version": 1, "train_s": 3.0})
    assert not judge(Rule.parse("train_s>+10%"), found).broken
    judged = judge(Rule.parse("train_s>+10%"), sides(timing={"version": 1, "infer_images_per_s": 900.0}))
    assert judged.broken
    assert "the training of two was not timed" in judged.why


def test_an_unknown_metric_in_a_rule_names_the_nearest(sides):
    with pytest.raises(UnknownNameError, match="'rms'") as caught:
        judge(Rule.parse("rms>2%"), sides())
    assert "rmse" in caught.value.remedy


def test_label_conventions_are_slices(sides):
    found = sides()
    for side in (found.a, found.b):
        for errors in side.errors:
            object.__setattr__(errors, "convention", ("full", "four") * 24)
    again = compare_sides(found.a, found.b)
    assert [delta.name for delta in again.slices["convention"]] == ["four", "full"]
    assert all(delta.difference < 0 for delta in again.slices["convention"])


def test_other_data_and_mixed_plans_are_refused(put, store):
    put("one", 1.0)
    put("two", 1.0, dataset__fingerprint="sha256:ffff")
    put("mixed", 1.0, 0)
    put("mixed", 1.0, 1, model__settings={"width": 2})
    put("dead", 1.0, status="oom", reason="out of memory", metrics={})
    by_name = {name: [r for r in store.records() if r.model.name == name] for name in ("one", "two", "mixed", "dead")}
    with pytest.raises(FkbenchError, match="their data is"):
        compare_sides(side_of("one", by_name["one"]), side_of("two", by_name["two"]))
    with pytest.raises(FkbenchError, match="several rows, of other settings"):
        side_of("mixed", by_name["mixed"])
    with pytest.raises(FkbenchError, match="is not finished: oom, out of memory"):
        side_of("dead", by_name["dead"])


def test_of_a_row_and_repeats_of_its_seeds_elsewhere_the_row_is_meant(sides, put, store):
    sides()
    elsewhere = {"device": {"type": "cpu", "name": "Other"}, "key": "0" * 16}
    put("two", 1.5, 1, **elsewhere)
    records = [record for record in store.records() if record.model.name == "two"]
    two = side_of("two", records)
    assert (two.seeds, two.entry.device) == ((0, 1, 2), "cpu: CPU")
    one = side_of("one", [record for record in store.records() if record.model.name == "one"])
    assert "two: a row that repeats seeds of it is left out (cpu: Other, seeds 1)." in compare_sides(one, two).notes
    for seed in (0, 2):  # now nobody can say which of the two rows is meant
        put("two", 1.5, seed, **elsewhere | {"key": f"{seed + 1:016x}"})
    with pytest.raises(FkbenchError, match="means several rows") as error:
        side_of("two", [record for record in store.records() if record.model.name == "two"])
    paths = [part.split(" (")[0] for part in str(error.value).split("devices: ")[1].split("; ")]
    assert [len(store.find_all(path)) for path in paths] == [1, 1]


def test_seeds_of_several_devices_are_said_and_speeds_are_of_one(put, store):
    for name in ("one", "two"):
        for seed in range(3):
            device = {"type": "cpu", "name": "Other" if (name, seed) == ("two", 2) else "CPU"}
            put(name, 2.0, seed, device=device, timing__infer_images_per_s=900.0 if seed < 2 else 9.0)
    found = store.records()
    one, two = (side_of(name, [r for r in found if r.model.name == name]) for name in ("one", "two"))
    both = compare_sides(one, two)
    assert "two has seeds of several devices: cpu: CPU; cpu: Other." in both.notes
    assert (two.speed.device, both.metrics["infer_images_per_s"].b) == ("cpu: CPU", 900.0)
    assert not any("not comparable" in note for note in both.notes)


def test_curves_are_a_picture_even_of_hostile_names(sides, tmp_path):
    found = sides()
    path = draw_curves(found.a, found.b, tmp_path / "x" / "c.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    object.__setattr__(found.a, "name", "$\\frac{<script>\u202e" + "x" * 10_000)
    assert draw_curves(found.a, found.b, tmp_path / "d.png").stat().st_size < 500_000
    with pytest.raises(FkbenchError, match="ending"):
        draw_curves(found.a, found.b, tmp_path / "c.txt")
