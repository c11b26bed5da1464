import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from PIL import Image

from flowvae.data.kits import Member
from flowvae.data.split import split_sounds
from flowvae.data.verdict import told
from flowvae.errors import CheckpointError
from flowvae.folder.plan_records import LedgerEntry
from flowvae.report.comparison import compare
from flowvae.report.findings import findings
from flowvae.report.headline import headline
from flowvae.report.reading import read_folder
from flowvae.report.rendering import HERE
from flowvae.report.sounds import Clip, read_clip
from flowvae.report.spectrograms import N_BANDS, height_of, levels_db, picture_address, shades
from flowvae.report.tables import results_csv, table_tex
from flowvae.report.write import write_report

BASE = [3.0, 3.2, 2.9, 3.1, 3.3, 3.05]
WORSE = [3.2, 3.45, 3.05, 3.35, 3.5, 3.2]
LIKE = [3.02, 3.1, 2.95, 3.2, 3.2, 3.1]


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of style and script."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words, self.open = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag):
        self.open = ""

    def handle_data(self, data):
        if self.open not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split()).replace("_ ", "_")

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def page_of(folder):
    return Page(write_report(folder).read_text(encoding="utf-8"))


def verdicts(folder):
    return {c.arm.name: c.verdict for c in compare(read_folder(folder))}


def said(folder):
    found = read_folder(folder)
    return " ".join(finding.text for finding in findings(found, compare(found)))


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def fail(folder, arm, seed, state="failed", **status):
    run = folder / "runs" / arm / f"seed-{seed}"
    edit(run / "status.json", **{"state": state, "step": 120, "reason": "the loss was not finite", **status})
    (run / "result.json").unlink()


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_the_page_opens_with_question_and_answer(typical):
    page = Page((typical / "report.html").read_text())
    assert page.text.index("Does a periodic activation") < page.text.index(
        "leaky_relu is worse than snake on"
    )
    assert (
        page.text.index("leaky_relu is worse")
        < page.text.index("12 of 12 runs finished")
        < page.text.index("The arms")
    )


def test_the_page_loads_nothing_from_elsewhere(typical):
    html = (typical / "report.html").read_text()
    page = Page(html)
    outside = [
        v
        for _, attrs in page.tags
        for k, v in attrs.items()
        if k in {"src", "href", "srcset", "data", "action"}
    ]
    assert outside
    assert all(value.startswith(("data:", "#")) for value in outside)
    assert not re.search(r"https?://|@import|url\(", html)
    assert any("default-src 'none'" in attrs.get("content", "") for attrs in page.all("meta"))


def test_the_same_folder_gives_the_same_bytes_in_another_process(typical):
    names = ("report.html", "results.csv", "comparisons.csv", "table.tex")
    first = [(typical / name).read_bytes() for name in names]
    code = "import pathlib, sys; from flowvae.report.write import write_report; write_report(pathlib.Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", code, str(typical)], check=True, env={**os.environ, "PYTHONHASHSEED": "7"}
    )
    assert first == [(typical / name).read_bytes() for name in names]
    assert not list(typical.glob(".*"))


def test_no_torch_is_loaded_for_a_report():
    code = "import sys, flowvae.report.write; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_page_stays_below_its_limit_and_says_what_it_left_out(runs, monkeypatch):
    monkeypatch.setattr("flowvae.report.write.MOST_BYTES", 2_000_000)
    folder = runs([[*BASE, 3.1, 3.0]] * 4, names=("a", "b", "c", "d"), n_clips=3)
    page = write_report(folder)
    assert page.stat().st_size < 2_200_000
    assert "more seeds would make the page too large" in Page(page.read_text()).text


@pytest.mark.slow
def test_the_page_of_many_long_curves_stays_below_twenty_megabytes_too(runs):
    folder = runs([[*BASE]] * 6, names=tuple("abcdef"), n_clips=6)
    rng = np.random.default_rng(0)
    for path in folder.rglob("metrics.jsonl"):
        parts = [
            {"phase": "train", "step": step, **{f"loss/{key}": rng.random() for key in "abcdefghi"}}
            for step in range(0, 4000, 10)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in parts))
    page = write_report(folder)
    assert page.stat().st_size < 20_000_000
    assert len(page_of(folder).all("audio")) > 6 * 7


def test_a_terminal_hears_the_answers_in_the_words_of_the_page(runs):
    said = []
    page = Page(write_report(runs([BASE, WORSE], names=("a", "b")), said.append).read_text())
    assert said[0].startswith("b is worse than a on ")
    assert said[1].strip().startswith("b is worse than a")
    assert len(said) == 2
    for line in said:
        assert " ".join(line.split()) in page.text


def test_the_page_names_every_component_with_owner_and_source(typical):
    text = page_of(typical).text
    assert "activation flowvae:leaky_relu flowvae 0.1.0 abababababababab leaky_relu" in text
    assert "bands flowvae:pqmf flowvae 0.1.0 cdcdcdcdcdcdcdcd all" in text


def test_failed_arms_are_rows_with_a_reason(runs):
    folder = runs([BASE[:3], WORSE[:3]])
    for seed in range(3):
        fail(folder, "leaky_relu", seed)
    page = page_of(folder)
    assert "3 of 6 runs finished" in page.text
    assert page.text.count("the loss was not finite") == 3
    assert "120 of 500" in page.text
    states = [row["state"] for row in rows_of(folder / "results.csv") if row["arm"] == "leaky_relu"]
    assert set(states) == {"failed"}
    assert len(states) == 15


def test_text_from_outside_is_shown_and_never_run(runs):
    evil = "<script>alert(1)</script>"
    folder = runs(
        [BASE[:2], WORSE[:2]],
        question=evil,
        name='"><img src=x onerror=alert(1)>',
        ledger=(
            LedgerEntry(evil, 0, "planned", "", "\x1b[31mred\u202e"),
            LedgerEntry("", 3, evil, evil, evil),
        ),
    )
    plan = json.loads((folder / "plan.json").read_text())
    plan["arms"][1].update(
        flags=[evil],
        components={evil: {"distribution": evil, "version": evil, "source": evil}},
    )
    plan["arms"][1]["difference"] = [{"path": evil, "baseline": "</style>", "arm": "{{ 7 * 7 }}"}]
    plan["metrics"].append({"name": evil, "direction": "lower", "unit": evil, "family": evil})
    plan["data"].update(description=evil, held_out_groups=[evil], split=[evil])
    (folder / "plan.json").write_text(json.dumps(plan))
    edit(folder / "runs/leaky_relu/seed-0/status.json", warnings=[evil])
    page = page_of(folder)
    assert len([one for one in page.all("script") if one.get("type") != "application/json"]) == 1
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert page.text.count(evil) >= 10
    assert "{{ 7 * 7 }}" in page.text
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text


def test_the_page_says_how_the_sounds_were_split(runs):
    names = [f"{kit}/{i}.wav" for kit in ("foley", "909") for i in range(9)]
    lines = told(split_sounds([Member(name, name.partition("/")[0]) for name in names], 0.2))
    folder = runs([BASE[:2], WORSE[:2]])
    plan = json.loads((folder / "plan.json").read_text())
    plan["data"]["split"] = lines
    (folder / "plan.json").write_text(json.dumps(plan))
    text = page_of(folder).text
    assert len(lines) > 1
    assert all(line in text for line in lines)


def test_an_arm_may_be_called_anything(runs):
    names = ("<b>bold</b>", "=cmd|' /C calc'!A0")
    # Its slash cannot be part of a folder's name: the first arm has no runs, and is still on the page.
    folder = runs([BASE[:2], WORSE[:2]], names=names)
    page = page_of(folder)
    assert not page.all("b")
    assert "<b>bold</b>" in page.text
    assert {row["arm"] for row in rows_of(folder / "results.csv")} == {"<b>bold</b>", "'=cmd|' /C calc'!A0"}


def test_no_name_leads_out_of_the_folder(runs, tmp_path):
    folder = runs([BASE, WORSE])
    (tmp_path / "outside").mkdir()
    (folder / "runs" / "leaky_relu").rename(tmp_path / "outside" / "leaky_relu")
    plan = json.loads((folder / "plan.json").read_text())
    plan["arms"][1]["name"] = "../../outside/leaky_relu"
    (folder / "plan.json").write_text(json.dumps(plan))
    assert {run.state for run in read_folder(folder).of("../../outside/leaky_relu")} == {"waiting"}


def test_verdict_waits_for_the_planned_end(runs):
    folder = runs([BASE, WORSE])
    assert verdicts(folder)["leaky_relu"].word == "worse"
    fail(folder, "snake", 5, state="running")
    assert verdicts(folder)["leaky_relu"].word == "not shown"
    assert "1 planned run has not ended yet" in verdicts(folder)["leaky_relu"].reason


def test_an_arm_does_not_win_by_its_survivors(runs):
    seven = [*BASE, 3.1]
    folder = runs([seven, [v - 0.2 for v in seven]])
    assert verdicts(folder)["leaky_relu"].word == "better"
    fail(folder, "leaky_relu", 0)
    assert verdicts(folder)["leaky_relu"].reason.startswith("leaky_relu lost 1 run")
    assert verdicts(folder)["leaky_relu"].word == "not shown"


def test_an_arm_may_lose_although_it_lost_a_run(runs):
    seven = [*BASE, 3.1]
    folder = runs([seven, [v + 0.2 for v in seven]])
    fail(folder, "leaky_relu", 0)
    assert verdicts(folder)["leaky_relu"].word == "worse"


def test_a_figure_that_is_not_finite_is_counted_and_never_wins(runs):
    seven = [*BASE, 3.1]
    folder = runs([seven, [v - 0.2 for v in seven]])
    path = folder / "runs/leaky_relu/seed-2/result.json"
    result = json.loads(path.read_text())
    result["metrics"]["spectral_distance"]["value"] = float("nan")
    path.write_text(json.dumps(result))
    assert verdicts(folder)["leaky_relu"].word == "not shown"
    assert "Finished without a finite spectral_distance: leaky_relu seed 2" in said(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threads": 2}, "the number of threads differs: 1 in snake, 2 in leaky_relu"),
        ({"data_fingerprint": "beef"}, "the data differs: c0ffee in snake, beef in leaky_relu"),
        ({"precision": "bf16"}, "the precision differs: fp32 in snake, bf16 in leaky_relu"),
        ({"device": "cuda"}, "the device differs: cpu in snake, cuda in leaky_relu"),
        (
            {"compiled": True},
            "whether the networks were compiled differs: False in snake, True in leaky_relu",
        ),
    ],
)
def test_runs_made_differently_get_no_winner(runs, change, words):
    folder = runs([BASE, WORSE])
    edit(folder / "runs/leaky_relu/seed-3/result.json", **change)
    assert verdicts(folder)["leaky_relu"].word == "not compared"
    assert verdicts(folder)["leaky_relu"].reason == words
    assert words in said(folder)


def test_a_precision_that_is_what_the_ablation_varies_is_no_obstacle(runs):
    folder = runs([[*BASE, 3.1], [v + 0.2 for v in [*BASE, 3.1]]])
    for path in folder.glob("runs/leaky_relu/*/result.json"):
        edit(path, precision="bf16")
    assert verdicts(folder)["leaky_relu"].word == "not compared"
    edit(folder / "plan.json", axes=["train.precision"])
    assert verdicts(folder)["leaky_relu"].word == "worse"


def test_a_run_that_was_not_resumed_to_the_same_bits_gets_no_winner(runs):
    folder = runs([BASE, WORSE])
    edit(folder / "runs/snake/seed-1/status.json", exact=False)
    assert verdicts(folder)["leaky_relu"].reason == "snake, seed 1, was resumed, and not to the same bits"


def test_three_seeds_say_that_they_could_not_have_shown_it(runs):
    folder = runs([BASE[:3], WORSE[:3]])
    page = page_of(folder)
    assert "3 seeds can reach p = 0.25 at best: this design could not have shown a difference" in page.text
    assert "No difference between the arms has been shown." in page.text
    assert not re.search(r"\b(better|worse) than", page.text)


def test_other_metrics_get_no_verdict(runs):
    folder = runs([BASE[:3], LIKE[:3]])
    page = page_of(folder)
    other = page.text[page.text.index("Secondary: not corrected") : page.text.index("Failed and unfinished")]
    assert "si_sdr" in other
    assert not re.search(r"better than|worse|not shown", other)
    rows = rows_of(folder / "comparisons.csv")
    assert [row["metric"] for row in rows if row["verdict"]] == ["spectral_distance"]
    assert {row["role"] for row in rows if row["joint_p"]} == {"primary"}


def test_the_numbers_of_the_comparison_are_those_of_the_runs(typical):
    folder = typical
    row = next(row for row in rows_of(folder / "comparisons.csv") if row["role"] == "primary")
    assert float(row["mean_difference"]) == pytest.approx(np.mean(np.subtract(WORSE, BASE)), rel=1e-12)
    assert float(row["sign_flip_p"]) == float(row["joint_p"]) == 2 / 64
    values = [
        float(r["value"]) for r in rows_of(folder / "results.csv") if r["metric"] == "spectral_distance"
    ]
    assert values == [*BASE, *WORSE]


def test_six_seeds_can_answer_for_several_arms(runs):
    folder = runs([BASE, WORSE, LIKE, LIKE], names=("snake", "leaky_relu", "elu", "selu"))
    assert {name: verdict.word for name, verdict in verdicts(folder).items()} == {
        "leaky_relu": "worse",
        "elu": "not shown",
        "selu": "not shown",
    }


def test_what_was_barely_trained_is_said_to_be(runs):
    folder = runs([BASE, WORSE])
    assert "says more about the start" not in said(folder)
    for arm in ("snake", "leaky_relu"):
        for seed in range(6):
            path = folder / f"runs/{arm}/seed-{seed}/result.json"
            result = json.loads(path.read_text())
            value = result["metrics"]["spectral_distance"]["value"]
            result["untrained"]["spectral_distance"] = 1.05 * value
            path.write_text(json.dumps(result))
    assert said(folder).count("says more about the start than about the arm") == 2


def test_an_arm_that_changes_more_than_was_declared_is_flagged_among_the_findings(runs):
    folder = runs([BASE[:1], WORSE[:1], LIKE[:1]], names=("snake", "leaky_relu", "elu"))
    assert "A second difference: elu also changes model.decoder.width. No reason is given." in said(folder)
    assert "difference: leaky_relu" not in said(folder)


def test_an_unused_latent_is_told(runs):
    folder = runs([BASE, WORSE])
    assert "carries next to nothing" not in said(folder)
    for seed in range(6):
        path = folder / f"runs/leaky_relu/seed-{seed}/result.json"
        metrics = json.loads(path.read_text())["metrics"]
        edit(path, metrics={**metrics, "kl_nats": {"value": 0.01, "per_sound": None}})
    assert "The latent vector of leaky_relu carries next to nothing" in said(folder)


def test_how_many_seeds_a_stated_difference_takes(runs):
    text = said(runs([BASE, LIKE], worthwhile_difference=0.03))
    assert re.search(
        r"To find a difference of 0.0300, which the plan calls worthwhile, takes about \d+ seeds", text
    )


def test_one_plain_run_makes_a_page_without_comparison(runs):
    folder = runs([[3.0]], names=("percussion",), question="", n_clips=3)
    page = page_of(folder)
    assert "Nothing was compared" in page.text
    assert not re.search(r"baseline|verdict is|not shown|joint p", page.text)
    assert len(page.all("audio")) == 2 + 3 + 3 + 2


def test_pieces_that_are_missing_or_damaged_are_named(runs):
    folder = runs([BASE, WORSE], n_clips=1)
    run = folder / "runs/snake"
    (run / "seed-0/result.json").write_text("{")
    (run / "seed-1/status.json").write_bytes(b"\xff\xfe\x00[[[")
    (run / "seed-2/metrics.jsonl").unlink()
    (run / "seed-3/result.json").write_text("[" * 100_000)
    (run / "seed-4/audio/target/00-drum-0.wav").write_text("no sound")
    (folder / "runs/leaky_relu/seed-0/status.json").write_text("[]")
    page = page_of(folder)
    for name in ("snake/seed-0", "snake/seed-1", "snake/seed-3", "leaky_relu/seed-0"):
        assert f"runs/{name}: " in page.text
    assert "it says that it is done, but left no result that can be read" in page.text


def test_a_folder_without_a_plan_is_no_ablation(runs, tmp_path):
    folder = runs([BASE[:2], WORSE[:2]])
    (folder / "plan.json").unlink()
    for place in (folder, tmp_path / "nowhere"):
        with pytest.raises(CheckpointError, match=r"plan.json cannot be read"):
            write_report(place)


def test_a_folder_of_an_older_flowvae_is_refused_by_name(runs):
    folder = runs([BASE[:2], WORSE[:2]])
    edit(folder / "plan.json", format=1)
    with pytest.raises(CheckpointError, match=r"is of format 1; this flowvae reads format 2"):
        write_report(folder)


JUNK = [None, 7, "x", [], [[]], {"a": {}}, [None], True]


@pytest.mark.parametrize("junk", JUNK)
def test_a_plan_of_junk_is_refused_or_read(runs, junk):
    folder = runs([BASE[:1], WORSE[:1]])
    plan = json.loads((folder / "plan.json").read_text())
    refused = set()
    for key in plan:
        (folder / "plan.json").write_text(json.dumps({**plan, key: junk}))
        try:
            found = read_folder(folder)
        except CheckpointError:
            refused.add(key)
            continue
        findings(found, compare(found))
    assert {"arms", "metrics", "data"} <= refused | ({"arms", "metrics"} if junk == [] else set())


@pytest.mark.parametrize("junk", JUNK)
def test_a_result_of_junk_makes_a_run_that_failed(runs, junk):
    folder = runs([BASE[:1], WORSE[:1]])
    result = folder / "runs/snake/seed-0/result.json"
    result.write_text(json.dumps({**dict.fromkeys(json.loads(result.read_text()), junk), "format": 2}))
    found = read_folder(folder)
    findings(found, compare(found))
    results_csv(found)
    assert found.runs[0].state == "failed"
    assert "runs/snake/seed-0" in found.problems[0]


def test_a_torn_last_line_is_ignored_and_a_damaged_one_told(runs):
    folder = runs([BASE[:1], WORSE[:1]])
    path = folder / "runs/snake/seed-0/metrics.jsonl"
    whole = read_folder(folder)
    path.write_bytes(path.read_bytes() + b'{"phase": "train", "st')
    torn = read_folder(folder)
    assert torn.runs[0].rows == whole.runs[0].rows
    assert not torn.problems
    path.write_bytes(b"garbage\n" + path.read_bytes())
    assert read_folder(folder).problems == (
        "runs/snake/seed-0/metrics.jsonl has 1 damaged line, which is left out",
    )


def test_a_headline_before_the_end_concludes_nothing(runs):
    folder = runs([BASE, LIKE])
    fail(folder, "snake", 0, state="waiting")
    found = read_folder(folder)
    assert headline(found, compare(found)) == "Not finished: nothing is concluded yet."


def test_reconstructions_come_from_the_last_step(runs):
    folder = runs([[3.0]], names=("percussion",), n_clips=3)
    page = page_of(folder)
    estimate = base64.b64decode(page.all("audio")[1]["src"].partition(",")[2])
    embedded, _ = soundfile.read(io.BytesIO(estimate))
    last, _ = soundfile.read(folder / "runs/percussion/seed-0/audio/step-000000500/00-drum-0.wav")
    assert np.corrcoef(embedded, last)[0, 1] > 0.9999


def test_a_tone_is_at_its_place_on_the_frequency_axis():
    rate = 44_100
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate // 2) / rate)[:, None]
    levels = levels_db(Clip(tone, rate))
    loudest = int(np.argmax(levels[:, 100]))
    assert abs((loudest + 0.5) / N_BANDS - height_of(1000.0, rate)) < 1.5 / N_BANDS
    assert -6 < levels[loudest, 100] <= 0.5


def test_half_the_amplitude_is_six_decibels_less():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (8000, 2))
    gap = levels_db(Clip(noise, 16_000)) - levels_db(Clip(noise / 2, 16_000))
    np.testing.assert_allclose(gap, 20 * np.log10(2), atol=1e-4)  # in single precision


def test_what_is_no_sound_is_none(tmp_path):
    path = tmp_path / "x.wav"
    assert read_clip(path) is None
    path.write_bytes(b"RIFF0000WAVE")
    assert read_clip(path) is None
    soundfile.write(path, np.zeros((0, 1)), 8000)
    assert read_clip(path) is None
    soundfile.write(path, np.array([0.0, np.nan]), 8000, subtype="FLOAT")
    assert read_clip(path) is None


def test_table_for_a_paper_escapes_what_tex_would_take_for_commands(runs):
    folder = runs([BASE[:2], WORSE[:2]], names=("snake", r"50%_\input{x}"))
    found = read_folder(folder)
    table = table_tex(found, compare(found))
    assert r"50\%\_\textbackslash{}input\{x\}" in table
    assert table.isascii()


def test_a_spectrogram_is_a_picture_of_the_shades_from_quiet_to_loud():
    levels = np.linspace(-90.0, 10.0, N_BANDS * 200).reshape(N_BANDS, 200)
    palette = shades()
    content = base64.b64decode(picture_address(levels, 0.0, palette).partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert pixels.shape == (N_BANDS, 200, 3)
    # The lowest band is the lowest line; what is off the scale has the shade of its end.
    assert pixels[-1, 0].tolist() == palette[0].tolist()
    assert pixels[0, -1].tolist() == palette[-1].tolist()
    middle = np.abs(levels[::-1] + 40).argmin()
    assert pixels.reshape(-1, 3)[middle].tolist() in palette[31:33].tolist()


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_letters_stand_out_from_the_paper_by_day_and_by_night():
    style = (HERE / "style" / "theme.css").read_text(encoding="utf-8")
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w{6});", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    day, night = schemes
    assert set(day) == set(night)
    for scheme in schemes:
        for paper in ("paper", "card"):
            for ink in ("ink", "muted", "good", "bad", "warn"):
                high, low = sorted([luminance(scheme[ink]), luminance(scheme[paper])], reverse=True)
                # 4.5 to 1 is what WCAG 2.2 asks of text.
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)
