"""A folder belongs to one ablation, and its ledger says what was changed when; read from what the engine writes."""

from pathlib import Path

import pytest

from flowvae.ablation.drive import run_recipe
from flowvae.errors import RunFolderError
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import StatusRecord
from flowvae.recipe import read_recipe
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report

TWO = (
    'extends = "percussion_small"\n[ablation]\nquestion = "{question}"\nmetric = "{metric}"\nseeds = {seeds}\n{more}'
    '[ablation.vary]\n"{path}" = {arms}\n'
)
ACTIVATION = {
    "question": "Does it help?",
    "metric": "spectral_distance",
    "seeds": 1,
    "more": "",
    "path": "defaults.activation",
    "arms": '["snake", "leaky_relu"]',
}


@pytest.fixture
def ask(catalogue, tiny, tmp_path):
    """Runs a recipe that is always called ablation.toml, as each scaffold's is, into the folder of that name."""

    def ask(**changes):
        file = tmp_path / "ablation.toml"
        file.write_text(TWO.format(**{**ACTIVATION, **changes}))
        few = [s for s in tiny if not s.startswith("ablation.")]
        source = read_recipe(str(file), (*few, "train.steps=2", "evaluation.every=1"))
        run_recipe(source, tmp_path / "out", lambda _: None, catalogue)
        return Plan.read(tmp_path / "out")

    return ask


@pytest.mark.slow
def test_every_change_after_a_look_stands_in_the_ledger_and_in_the_report(ask, tmp_path):
    first = ask()
    [planned] = first.ledger
    assert (planned.what, planned.finished, planned.before) == ("planned", 0, "")
    assert planned.after.startswith(
        "metric spectral_distance (lower); seeds 1 (0 to 0); arms snake, leaky_relu"
    )
    page = (tmp_path / "out" / "report.html").read_text()
    assert "It was chosen before the first step." in page

    ask()
    assert Plan.read(tmp_path / "out").ledger == first.ledger

    ask(metric="si_sdr", seeds=2, more="worthwhile_difference = 0.5\n", question="Does it really help?")
    *_, metric, question, worthwhile, seeds = Plan.read(tmp_path / "out").ledger
    assert (metric.what, metric.before, metric.after, metric.finished) == (
        "metric",
        "spectral_distance",
        "si_sdr",
        2,
    )
    assert (question.before, question.after) == ("Does it help?", "Does it really help?")
    assert (worthwhile.before, worthwhile.after) == ("none", "0.5")
    assert (seeds.before, seeds.after, seeds.seeds) == ("1 (0 to 0)", "2 (0 to 1)", (0,))
    page = write_report(tmp_path / "out").read_text()
    assert "It was chosen before the first step." not in page
    assert "It was changed after 2 runs had finished." in page
    assert "Changed after 2 finished runs: metric from spectral_distance to si_sdr." in page
    assert "Changed after 2 finished runs: seeds from 1 (0 to 0) to 2 (0 to 1)." in page
    assert all(entry.when in page for entry in Plan.read(tmp_path / "out").ledger)
    assert Plan.read(tmp_path / "out").worthwhile_difference == 0.5

    ask(
        arms='["snake", "leaky_relu", { use = "snake", alpha = 2.0 }]',
        question="Does it really help?",
        metric="si_sdr",
        seeds=2,
    )
    assert [e.what for e in Plan.read(tmp_path / "out").ledger[-2:]] == ["worthwhile difference", "arm added"]
    assert {e.finished for e in Plan.read(tmp_path / "out").ledger[-2:]} == {4}

    # What was seen counts, be it planned still or not.
    ask(seeds=1, metric="si_sdr", question="Does it really help?")
    left_out = Plan.read(tmp_path / "out").ledger[-1]
    assert (left_out.what, left_out.finished) == ("arm left out", 6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("another", "problem"),
    [
        (
            {"path": "defaults.upsampler", "arms": '["transposed_conv", "resize_conv"]'},
            "it varies defaults.activation",
        ),
        ({"arms": '["leaky_relu", "snake"]'}, "its baseline is snake"),
        (
            {"arms": '["snake", { use = "snake", alpha = 2.0 }]', "question": "Is a third better?"},
            "of leaky_relu",
        ),
    ],
)
def test_another_ablation_is_refused_with_the_name_of_a_free_folder(ask, tmp_path, another, problem):
    ask()
    report = (tmp_path / "out" / "report.html").read_bytes()
    (tmp_path / "out-2").mkdir()
    with pytest.raises(RunFolderError, match=problem) as caught:
        ask(**another)
    assert caught.value.exit_status == 6
    assert Path(caught.value.do.split()[1].rstrip(",")).name == "out-3"
    assert (tmp_path / "out" / "report.html").read_bytes() == report


@pytest.mark.slow
def test_what_the_engine_wrote_is_read_back_whole(ask, tmp_path):
    ask()
    found = read_folder(tmp_path / "out")
    assert not found.problems
    assert [run.state for run in found.runs] == ["done", "done"]
    assert all(run.result.exact and run.status == StatusRecord.read(run.folder) for run in found.runs)
    for run in found.runs:
        assert run.rows[0].phase == "validation"
        assert set(run.result.metrics) == {metric.name for metric in found.plan.metrics}
