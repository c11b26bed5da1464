"""What a run is watched for: a checkpoint that forgets, weights that overflow or stay, figures that are none, and its time."""

import json
import shutil
import signal
from contextlib import suppress

import pytest
import torch

from flowvae.errors import NumbersError, RunFolderError, Stopped
from flowvae.folder.run_records import History, Result, StatusRecord
from flowvae.folder.status import read_status
from flowvae.training.self_check import SelfCheck
from flowvae.training.training import Training
from pretend import catalogue_with, offering, plugin
from short_runs import go, planned_runs, take, training_of, weights
from two_players import adversary


class Growing(torch.nn.Module):
    """A loss that remembers in an attribute how often it was asked; no checkpoint holds it."""

    def __init__(self, sample_rate, stft, *, growth: float = 2.0):
        super().__init__()
        self.growth, self.asked = growth, 0

    def forward(self, target, estimate):
        self.asked += 1
        return (target - estimate).abs().mean() * self.growth**self.asked


class Hidden(torch.optim.SGD):
    """An optimizer whose momentum lies outside its state."""

    def __init__(self, parameters, *, lr: float = 1e-3):
        super().__init__([p for _, p in parameters], lr=lr)
        self.reach = 1.0

    def step(self, closure=None):
        self.reach *= 0.5
        for group in self.param_groups:
            group["lr"] *= self.reach
        return super().step()


class Unsaved(torch.nn.Module):
    """An activation with a buffer that changes and is not saved."""

    def __init__(self, channels, *, rate: float = 0.5):
        super().__init__()
        self.rate = rate
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, x):
        if self.training:
            self.seen += 1
        return torch.nn.functional.leaky_relu(x, 0.1) * (1 + self.rate / (1 + self.seen))


FORGETFUL = {
    "losses.growing={}": "losses.growing (Growing.asked)",
    "train.optimizer=hidden": "optimizer (Hidden.reach)",
    "defaults.activation=unsaved": ".seen)",
}


@pytest.fixture
def make(tiny):
    offered = offering(
        ("loss", "growing", Growing), ("optimizer", "hidden", Hidden), ("activation", "unsaved", Unsaved)
    )
    catalogue = catalogue_with(plugin("fv-forgetful", flowvae_components=offered))
    return lambda *more: training_of((*tiny, *more), catalogue)


@pytest.mark.parametrize("setting", FORGETFUL)
def test_case_06_what_no_checkpoint_holds_is_told_by_name_before_any_run_is_lost(setting, make, tmp_path):
    status = go(make(setting), tmp_path / "run", check=SelfCheck(lambda: make(setting)))
    [told] = [w for w in status.warnings if "no checkpoint holds" in w]
    assert FORGETFUL[setting] in told, told
    assert status.exact  # it was not interrupted


@pytest.mark.parametrize("setting", FORGETFUL)
def test_case_06_a_run_that_forgot_says_that_its_bits_are_others(setting, make, tmp_path):
    asked = iter([0, 0, 0, 0, 15])
    with pytest.raises(Stopped):
        go(make(setting), tmp_path / "run", lambda: next(asked), check=SelfCheck(lambda: make(setting)))
    status = go(make(setting), tmp_path / "run", check=SelfCheck(lambda: make(setting)))
    assert not status.exact
    assert StatusRecord.read(tmp_path / "run").exact is False
    assert any("not to the same bits: no checkpoint holds" in w for w in status.warnings)


def test_case_06_a_run_that_was_stopped_before_its_check_is_checked_when_it_goes_on(make, tmp_path):
    setting = "losses.growing={}"
    asked = iter([0, 15])
    with pytest.raises(Stopped):
        go(make(setting), tmp_path / "run", lambda: next(asked), check=SelfCheck(lambda: make(setting)))
    assert not go(make(setting), tmp_path / "run", check=SelfCheck(lambda: make(setting))).exact


@pytest.mark.parametrize("more", [(), ("train.ema=0.9",), ("train.optimizer=adamw",)])
def test_case_06_what_is_shipped_forgets_nothing_and_the_check_changes_no_bit(more, make, tmp_path):
    alone, watched = make(*more), make(*more)
    go(alone, tmp_path / "alone")
    status = go(watched, tmp_path / "watched", check=SelfCheck(lambda: make(*more)))
    assert History.read(tmp_path / "watched").forgotten == ()
    assert status.exact
    assert not status.warnings
    theirs = weights(watched)
    assert all(torch.equal(w, theirs[n]) for n, w in weights(alone).items())
    journals = [(tmp_path / one / "metrics.jsonl").read_text() for one in ("alone", "watched")]
    assert journals[0] == journals[1]


def test_case_07_other_threads_are_told_with_what_they_were(make, tmp_path):
    asked = iter([0, 0, 0, 0, 15])
    with pytest.raises(Stopped):
        go(make(), tmp_path / "run", lambda: next(asked), machine={"threads": 1})
    status = go(make(), tmp_path / "run", machine={"threads": 2})
    assert not status.exact
    assert status.warnings == ["it went on from step 5, but not to the same bits: threads 1 -> 2"]


def test_case_07_a_run_whose_bits_were_others_once_never_says_again_that_they_are_the_same(make, tmp_path):
    for threads, stop in ((1, 2), (2, 2), (2, None)):
        asked = iter([0] * (stop or 99) + [15])
        try:
            status = go(make(), tmp_path / "run", lambda a=asked: next(a), machine={"threads": threads})
        except Stopped:
            continue
    assert not status.exact


def poisoned(value, name="decoder", at=4):
    """A step that leaves a weight that is no number, while its figures are fine."""
    real = Training.step

    def step(self, number):
        figures = real(self, number)
        if number >= at:
            weight = next(w for n, w in self.model.named_parameters() if name in n)
            weight.data.view(-1)[0] = value
        return figures

    return step


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_case_25_weights_that_overflow_are_never_committed_and_the_run_is_not_done(
    value, make, tmp_path, monkeypatch
):
    monkeypatch.setattr(Training, "step", poisoned(value, at=5))
    with pytest.raises(NumbersError, match=r"model\.decoder.* is not finite after step 6") as caught:
        go(make(), tmp_path / "run")
    assert "the last checkpoint is from before" in caught.value.do
    assert [p.name for p in sorted((tmp_path / "run/checkpoints").glob("step-*"))][-1] == "step-000000003"


def test_case_25_a_stop_that_was_asked_for_commits_no_overflow_either(make, tmp_path, monkeypatch):
    monkeypatch.setattr(Training, "step", poisoned(float("inf")))
    asked = iter([0, 0, 0, 0, 15])
    with pytest.raises(NumbersError):
        go(make(), tmp_path / "run", lambda: next(asked))


def test_case_25_an_infinity_by_design_is_no_overflow(make):
    training = make()
    training.model.register_buffer("mask", torch.tensor([0.0, float("-inf")]))
    from flowvae.training.state import TrainingState

    assert TrainingState({"model": training.model}, {}).first_overflow() is None
    training.model.mask[0] = float("inf")
    assert TrainingState({"model": training.model}, {}).first_overflow() is None
    state = TrainingState({"model": training.model}, {})
    next(training.model.parameters()).data.view(-1)[0] = float("inf")
    assert state.first_overflow() is not None


def test_case_25_moments_that_overflow_are_found(make):
    training = make()
    training.step(0)
    assert training.state.first_overflow() is None
    [optimizer] = training.state.optimizers.values()
    entry = next(iter(optimizer.state.values()))
    entry["exp_avg"].view(-1)[0] = float("nan")
    assert "exp_avg" in training.state.first_overflow()


def test_case_25_a_run_that_gives_no_number_is_not_done(tiny, catalogue, tmp_path, monkeypatch, capsys):
    from flowvae.evaluation.evidence import Figures
    from flowvae.evaluation.validation import Validation

    [run] = planned_runs(tiny, catalogue, tmp_path)
    monkeypatch.setattr(Validation, "final", lambda self: {"kl_nats": Figures(float("nan"), None)})
    assert take(run) == NumbersError.exit_status
    assert "no figure of the trained model is a number" in capsys.readouterr().err
    status = StatusRecord.read(run.folder)
    assert (status.state, status.step) == ("failed", 6)
    assert "in another --out" in status.do
    assert not (run.folder / "result.json").exists()


def test_case_25_a_result_without_figures_is_not_done(tiny, catalogue, tmp_path):
    [run] = planned_runs(tiny, catalogue, tmp_path)
    assert take(run) == 0
    assert run.done()
    content = json.loads((run.folder / "result.json").read_text())
    (run.folder / "result.json").write_text(json.dumps({**content, "metrics": {}}))
    assert not run.done()
    assert take(run) == 0
    assert run.done()
    again = json.loads((run.folder / "result.json").read_text())
    assert again["metrics"] == content["metrics"]


def test_a_run_whose_weights_do_not_move_says_so(make, tmp_path):
    status = go(make("train.optimizer.lr=1e-60"), tmp_path / "still")
    assert status.warnings == ["no weight of the model has moved: look at train.clip, lr and the schedule"]
    assert not go(make(), tmp_path / "moves").warnings


@pytest.mark.slow
def test_the_time_of_a_run_is_that_of_all_its_starts(tiny, catalogue, tmp_path, monkeypatch):
    from flowvae.training.past import Past

    [run] = planned_runs(tiny, catalogue, tmp_path)
    note = Past.note

    def interrupted(self, step, **more):
        note(self, step, **more)
        if step == 3:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Past, "note", interrupted)
        assert take(run) == 128 + signal.SIGTERM
    content = json.loads((run.folder / "history.json").read_text())
    first = content["seconds"][str(read_status(run.folder).step)]
    assert first > 0
    content["seconds"] = {step: seconds + 5000 for step, seconds in content["seconds"].items()}
    (run.folder / "history.json").write_text(json.dumps(content))
    assert take(run) == 0
    assert Result.read(run.folder).costs["train_seconds"] > 5000 + first


def stopped(make, folder, steps):
    asked = iter([0] * (steps - 1) + [15])
    with pytest.raises(Stopped):
        go(make("train.steps=40"), folder, lambda: next(asked))


def test_case_58_a_journal_that_has_lost_its_middle_says_so(make, tmp_path):
    stopped(make, tmp_path / "run", 32)
    path = tmp_path / "run" / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    path.write_text(lines[0] + "{torn\n" + lines[2])
    status = go(make("train.steps=40"), tmp_path / "run")
    assert status.warnings == [
        "metrics.jsonl has lost the figures of 1 steps, the first at 20: its curves have a gap"
    ]


@pytest.mark.slow
def test_case_09_checkpoints_that_are_gone_are_told(make, tmp_path):
    stopped(make, tmp_path / "run", 12)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    status = go(make("train.steps=40"), tmp_path / "run")
    assert status.warnings == ["its checkpoints are gone: it began again from its first step"]
    assert status.exact


def test_case_14_other_steps_are_refused_with_the_reason_and_the_way_on(tiny, catalogue, tmp_path):
    from flowvae.ablation import probing
    from flowvae.recipe import plan_ablation, read_recipe
    from flowvae.recipe.content import content_digest

    def entry(*settings):
        plan = plan_ablation(read_recipe("percussion_small", (*tiny, *settings)), catalogue)
        return plan, probing._entry(plan.arms[0].recipe, "sounds", content_digest)

    (_, old), (plan, new), (_, other) = entry(), entry("train.steps=60"), entry("train.batch_size=3")
    prober = probing.Prober(plan, tmp_path, print, None)
    with pytest.raises(RunFolderError) as caught:
        prober._refuse_other("percussion_small", old, new)
    assert "train.steps: 6 -> 60; a schedule and the phases lie over all steps" in caught.value.what
    assert "/runs/percussion_small/seed-{seed}" in caught.value.do
    with pytest.raises(RunFolderError) as caught:
        prober._refuse_other("percussion_small", old, other)
    assert "start" not in caught.value.do


def test_case_07_what_runs_say_of_themselves_comes_to_the_terminal(tiny, catalogue, tmp_path):
    from flowvae.ablation.endings import say_warnings
    from flowvae.folder.status import Status

    runs = planned_runs((*tiny,), catalogue, tmp_path)
    for run in runs:
        Status(run.folder, 6, ["it went on from step 3, but not to the same bits: threads 1 -> 2"]).write(
            "done", 6
        )
    said = []
    say_warnings([*runs, *runs], said.append)
    assert said == [
        f"  note: {runs[0].name} and 1 more: it went on from step 3, but not to the same bits: threads 1 -> 2"
    ]


def test_case_26_a_gradient_that_overflows_ends_the_run_although_its_loss_is_fine(make, tmp_path):
    training = make()
    weight, steps = next(training.model.parameters()), []

    def overflow(gradient):
        steps.append(len(steps))
        return gradient * float("inf") if len(steps) == 5 else gradient

    weight.register_hook(overflow)
    with pytest.raises(NumbersError, match=r"grad_norm is (inf|nan) at step 4"):
        go(training, tmp_path / "run")
    assert [p.name for p in sorted((tmp_path / "run/checkpoints").glob("step-*"))][-1] == "step-000000003"


OPPOSED = (f"adversarial={adversary('hinge', 1, 1.0, 1e-3)}", "train.ema=0.9", "train.optimizer=adamw")


def test_case_05_a_run_that_is_stopped_again_and_again_ends_in_the_same_bits(make, tmp_path):
    """Both players, their optimizers, the average; each start takes a step or two, and its checks change nothing."""
    whole = make(*OPPOSED)
    go(whole, tmp_path / "whole")
    for steps in (1, 2, 1, 1, 9):
        asked = iter([0] * (steps - 1) + [15])
        parts = make(*OPPOSED)
        with suppress(Stopped):
            status = go(
                parts, tmp_path / "parts", lambda a=asked: next(a), check=SelfCheck(lambda: make(*OPPOSED))
            )
    assert status.exact
    assert not status.warnings
    both = [one.state.content() for one in (whole, parts)]
    assert both[0].keys() == both[1].keys()
    theirs = both[1].pop("tensors")
    for name, tensor in both[0].pop("tensors").items():
        assert torch.equal(tensor, theirs[name]), name
    assert both[0] == both[1]
    assert any("discriminators" in name for name in theirs)
    journals = [(tmp_path / one / "metrics.jsonl").read_text() for one in ("whole", "parts")]
    assert journals[0] == journals[1]
