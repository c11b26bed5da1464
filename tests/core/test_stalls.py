"""A run that gives no sign of progress for long is ended: with the stacks of its threads, in its status, with exit status 10."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flowvae.ablation.endings import RunError, raise_failures, settle
from flowvae.catalogue import Catalogue
from flowvae.errors import RecipeError
from flowvae.folder.status import read_status
from flowvae.processes.signs import sign, watched
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.identity import identity
from plugin_zoo import Animal, lay
from short_runs import planned_runs

LIMIT_S = 10
"""Longer than the start of a run takes on a machine that is busy with other tests."""
SLEEPS = (
    "self.calls = getattr(self, 'calls', 0) + self.training; self.training and self.calls == {call} and {how}"
)
ASLEEP = "__import__('time').sleep(600)"
WITH_THE_LOCK = "__import__('ctypes').PyDLL(None).sleep(600)"
"""A call of C that does not let go of the interpreter's lock."""


@pytest.fixture
def run_with(tiny, tmp_path, monkeypatch):
    """A run whose activation does something in one of its calls, and whose limit is short."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def make(name, *, how, call=4, constructor="pass"):
        site = lay(
            tmp_path / "site",
            name,
            Animal(forward=SLEEPS.format(call=call, how=how), constructor=constructor),
        )
        monkeypatch.syspath_prepend(site)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *sys.path]))
        settings = (*tiny, f"defaults.activation={name}", f"execution.stall_timeout={LIMIT_S}")
        [run] = planned_runs(settings, Catalogue.installed(), tmp_path / "out")
        return run

    yield make
    for module in [name for name in sys.modules if name.startswith("fv_")]:
        del sys.modules[module]


def taken(run, code=""):
    """The run in a process of its own, which does `code` before, and has what takes long to import as a copy of a warm parent has."""
    text = f"import sys, torch._dynamo\nfrom pathlib import Path\nfrom flowvae import worker\n{code}\nsys.exit(worker.main(Path(sys.argv[1])))"
    with (run.folder / "log.txt").open("w") as log:
        return subprocess.run(
            [sys.executable, "-c", text, str(run.folder)],
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=200,
        ).returncode


def log_of(run):
    return (run.folder / "log.txt").read_text()


@pytest.mark.slow
def test_case_23_a_part_that_sleeps_in_a_step_ends_the_run_with_its_name_and_its_stacks(run_with):
    run = run_with("sleeps_in_a_step", how=ASLEEP)
    assert taken(run) == 10, log_of(run)
    status = read_status(run.folder)
    assert status.state == "failed"
    pattern = (
        r"stalled: no sign of progress for 10 s in step \d \(sleeps_in_a_step \(activation, .*\) at model\."
    )
    assert re.match(pattern, status.reason), status.reason
    assert "error.txt has its stacks" in status.do
    assert "execution.stall_timeout" in status.do
    assert "error[STALLED]: stalled" in log_of(run)
    stacks = (run.folder / "error.txt").read_text()
    assert "fv_sleeps_in_a_step_part.py" in stacks
    assert "in _run" in stacks
    with pytest.raises(RunError) as caught:
        raise_failures([run], {run.name: 10}, run.folder)
    assert caught.value.exit_status == 10
    assert "the same command continues" in caught.value.do


@pytest.mark.slow
def test_case_23_a_call_of_c_that_keeps_the_interpreters_lock_ends_the_run_with_its_stacks_too(run_with):
    run = run_with("keeps_the_lock", how=WITH_THE_LOCK)
    assert taken(run) == 1
    assert "fv_keeps_the_lock_part.py" in log_of(run)
    settle([run], {run.name: 1})
    status = read_status(run.folder)
    assert (status.state, status.step) == ("failed", 3)
    assert "stalled" in status.reason
    with pytest.raises(RunError, match="stalled") as caught:
        raise_failures([run], {run.name: 1}, run.folder)
    assert caught.value.exit_status == 10


@pytest.mark.slow
def test_case_23_a_save_that_sleeps_ends_the_run_and_the_checkpoints_before_stay(run_with):
    run = run_with("well_behaved", how="None")
    code = """
import time
from flowvae.folder import checkpoint
commit = checkpoint.commit
checkpoint.commit = lambda folder, step, files: time.sleep(600) if step == 3 else commit(folder, step, files)
"""
    assert taken(run, code) == 10, log_of(run)
    status = read_status(run.folder)
    assert (status.state, status.step) == ("failed", 0)
    assert status.reason == "stalled: no sign of progress for 10 s in the save of step 3"
    assert [path.name for path in (run.folder / "checkpoints").iterdir()] == ["step-000000000"]
    assert taken(run) == 0, log_of(run)  # and the same command continues
    assert read_status(run.folder).state == "done"


@pytest.mark.slow
def test_case_23_what_a_stalled_run_has_started_is_ended_with_it(run_with):
    start = "__import__('subprocess').Popen(['sleep', '600'], start_new_session=True)"
    run = run_with("has_children", how=f"(print('child', {start}.pid, flush=True), {ASLEEP})")
    assert taken(run) == 10, log_of(run)
    [number] = [int(line.split()[1]) for line in log_of(run).splitlines() if line.startswith("child ")]
    deadline = time.monotonic() + 10
    while is_alive(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(number)


def is_alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_case_23_a_validation_that_takes_longer_than_the_limit_goes_on_as_long_as_it_gives_signs(run_with):
    run = run_with("slow_in_evaluation", how="None")
    code = """
import time
from flowvae.evaluation import evidence
measured, calls = evidence._figures, []
def slow(result):
    calls.append(result)
    if len(calls) <= 6:  # 15 s in all
        time.sleep(2.5)
    return measured(result)
evidence._figures = slow
"""
    assert taken(run, code) == 0, log_of(run)
    assert read_status(run.folder).state == "done"


def test_case_23_signs_put_off_the_end_and_silence_brings_it():
    heard, told = [], threading.Event()

    def stalled(doing):
        heard.append(doing)
        told.set()

    with watched(0.4, stalled):
        for step in range(12):
            sign(f"step {step}")
            time.sleep(0.05)
        assert not heard
        sign()
        assert told.wait(5)
    assert heard == ["step 11"]
    sign("nobody watches")


@pytest.mark.parametrize("limit", [0.0, False])
def test_case_23_without_a_limit_nobody_looks(limit):
    threads = threading.active_count()
    with watched(limit, pytest.fail):
        assert threading.active_count() == threads


def test_case_23_the_limit_is_half_an_hour_and_no_part_of_what_a_run_is(catalogue):
    recipe = resolve(read_recipe("percussion_small"), catalogue)
    assert recipe.execution.stall_timeout == 1800
    for said, limit in (("3", 3), ("0", 0), ("false", False)):
        other = resolve(read_recipe("percussion_small", (f"execution.stall_timeout={said}",)), catalogue)
        assert other.execution.stall_timeout == limit
        assert identity(other, 0, "") == identity(recipe, 0, "")
    for wrong in ("true", "-1", '"long"'):
        with pytest.raises(RecipeError, match="stall_timeout"):
            resolve(read_recipe("percussion_small", (f"execution.stall_timeout={wrong}",)), catalogue)


STUCK = """
import time
from flowvae import hookimpl

class Stuck:
    \"\"\"Sounds of which none comes.\"\"\"

    def __init__(self, sample_rate: int, channels: int, n_samples: int) -> None: ...

    def fingerprint(self):
        return "stuck"

    def read(self):
        time.sleep(600)
        yield

@hookimpl
def flowvae_components(register):
    register("dataset", "stuck", "fv_stuck:Stuck")
"""
COMMAND = [sys.executable, "-c", "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"]


def commanded(site, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=400
    )


@pytest.mark.slow
def test_case_23_sounds_of_which_none_comes_end_the_command(tiny, tmp_path):
    site = lay(tmp_path / "site", "stuck")
    (site / "fv_stuck.py").write_text(STUCK)
    settings = [*(one for one in tiny if not one.startswith("data=")), 'data={ use = "stuck" }']
    done = commanded(
        site,
        "percussion_small",
        f"--out={tmp_path / 'out'}",
        *(f"--set={one}" for one in (*settings, "execution.stall_timeout=3")),
    )
    assert done.returncode == 10, done.stderr
    assert "stalled: no sign of progress for 3 s in the reading of the sounds" in done.stderr
    assert "in read" in (tmp_path / "out" / "error.txt").read_text()


@pytest.mark.slow
def test_case_23_case_55_a_part_that_hangs_at_its_first_call_ends_the_command_before_any_run(tiny, tmp_path):
    site = lay(tmp_path / "site", "hangs_at_once", Animal(forward=ASLEEP))
    settings = (*tiny, "defaults.activation=hangs_at_once", "execution.stall_timeout=5")
    done = commanded(
        site, "percussion_small", f"--out={tmp_path / 'out'}", *(f"--set={one}" for one in settings)
    )
    assert done.returncode == 10, done.stderr
    assert "stalled: no sign of progress for 5 s in the first steps of" in done.stderr
    assert "hangs_at_once (activation" in done.stderr
    assert "in forward" in (tmp_path / "out" / "error.txt").read_text()


@pytest.mark.slow
def test_case_55_an_arm_that_hangs_is_ended_and_the_others_finish(tiny, tmp_path):
    site = lay(tmp_path / "site", "hangs", Animal(forward=SLEEPS.format(call=4, how=ASLEEP)))
    recipe = tmp_path / "arms.toml"
    recipe.write_text(
        'extends = "ablation_snake"\n[ablation.vary]\n"defaults.activation" = ["hangs", "leaky_relu"]\n'
    )
    out = tmp_path / "out"
    settings = (*tiny, "ablation.seeds=1", f"execution.stall_timeout={LIMIT_S}")
    done = commanded(site, str(recipe), f"--out={out}", *(f"--set={one}" for one in settings))
    assert done.returncode == 9, done.stderr
    assert "1 of 2 runs failed: hangs seed 0: stalled: no sign of progress for 10 s in step " in done.stderr
    assert "the same command continues" in done.stderr
    assert read_status(out / "runs" / "leaky_relu" / "seed-0").state == "done"
    assert (out / "report.html").is_file()
