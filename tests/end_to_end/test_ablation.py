"""The command as a user types it: planned, run, killed, continued, reported."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import TINY

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-c", "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"]


def arguments(tiny, out, *more):
    settings = [
        *tiny,
        "ablation.seeds=2",
        "train.steps=30",
        "train.checkpoint_every=10",
        "evaluation.every=30",
        *more,
    ]
    return [*COMMAND, "ablation_snake", "--out", str(out), *(f"--set={s}" for s in settings)]


def run(*args, **options):
    return subprocess.run(*args, capture_output=True, text=True, check=False, timeout=500, **options)


def weights(out):
    found = {}
    for folder in sorted(out.glob("runs/*/seed-*")):
        newest = max((folder / "checkpoints").glob("step-*"))
        found[str(folder.relative_to(out))] = (
            newest.name,
            hashlib.sha256((newest / "tensors.safetensors").read_bytes()).hexdigest(),
        )
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An ablation that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    done = run(arguments(TINY, out))
    assert done.returncode == 0, done.stderr
    return out, done


def test_an_ablation_leaves_everything_that_it_promises(whole):
    out, done = whole
    assert "arms: 2, seeds: 2; runs to do: 4" in done.stdout
    plan = json.loads((out / "plan.json").read_text())
    assert [arm["name"] for arm in plan["arms"]] == ["snake", "leaky_relu"]
    assert plan["metric"] == "spectral_distance"
    assert {d["path"] for d in plan["arms"][1]["difference"]} >= {"model.decoder.activation.use"}
    assert not plan["arms"][1]["flags"]
    assert (out / "report.html").stat().st_size > 50_000
    assert (out / "results.csv").read_text().count("\n") > 8
    for folder in out.glob("runs/*/seed-*"):
        names = {p.name for p in folder.iterdir()}
        assert names >= {
            "recipe.toml",
            "environment.json",
            "status.json",
            "metrics.jsonl",
            "result.json",
            "checkpoints",
            "audio",
        }
        assert len(list(folder.glob("events.out.tfevents.*"))) == 1
        result = json.loads((folder / "result.json").read_text())
        assert result["metrics"]["spectral_distance"]["value"] > 0
        assert result["untrained"]["spectral_distance"] > 0
        assert list((folder / "audio" / "step-000000030").glob("prior-*.wav"))


def test_case_15_no_file_says_where_on_this_machine_it_lies(whole, tmp_path_factory):
    out, _ = whole
    for file in out.rglob("*"):
        if file.is_file() and file.suffix in {".json", ".toml", ".jsonl", ".csv", ".html"}:
            assert str(out.parent) not in file.read_text(errors="replace"), file


def test_the_same_command_does_nothing_again(whole):
    out, _ = whole
    before = {p: p.stat().st_mtime_ns for p in out.glob("runs/*/*/result.json")}
    done = run(arguments(TINY, out))
    assert done.returncode == 0
    assert "runs to do: 0, 4 done before" in done.stdout
    assert before == {p: p.stat().st_mtime_ns for p in out.glob("runs/*/*/result.json")}


def test_case_14_another_recipe_is_refused_a_folder_that_is_taken(whole):
    out, _ = whole
    done = run(arguments(TINY, out, "train.batch_size=3"))
    assert done.returncode == 6
    assert "train.batch_size: 2 -> 3" in done.stderr


def test_case_56_an_arm_can_be_added_and_the_ledger_says_so(whole):
    out, _ = whole
    alternatives = '["snake", "leaky_relu", { use = "leaky_relu", slope = 0.01 }]'
    recipe = out.parent / "three.toml"
    recipe.write_text(
        f'extends = "ablation_snake"\n[ablation.vary]\n"defaults.activation" = {alternatives}\n'
    )
    command = arguments(TINY, out)
    command[command.index("ablation_snake")] = str(recipe)
    done = run(command)
    # Two alternatives of one name are told apart by what they say, so the old arm of that name is left out.
    assert done.returncode == 0, done.stderr
    ledger = json.loads((out / "plan.json").read_text())["ledger"]
    assert any("arm added" in entry["what"] for entry in ledger)


HOSTILE = """
import torch
from flowvae import hookimpl
torch.nn.functional.pad = torch.set_num_threads = None
torch.manual_seed = lambda seed: torch.default_generator.manual_seed(1)

@hookimpl
def flowvae_components(register): ...
"""


def test_a_plugin_that_no_recipe_names_cannot_touch_a_result(whole, tmp_path):
    out, _ = whole
    info = tmp_path / "site" / "fv_hostile-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fv-hostile\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowvae]\nhostile = fv_hostile\n")
    (tmp_path / "site" / "fv_hostile.py").write_text(HOSTILE)
    done = run(arguments(TINY, tmp_path / "out"), env={**os.environ, "PYTHONPATH": str(tmp_path / "site")})
    assert done.returncode == 0, done.stderr
    mine = weights(tmp_path / "out")
    assert mine == {name: value for name, value in weights(out).items() if name in mine}
    for file in (tmp_path / "out").glob("runs/*/*/result.json"):
        assert json.loads(file.read_text())["plugins"] == ["flowvae 0.1.0"]


def running_workers(out):
    """Processes of the runs below a folder: who has a run's files open, its log as output among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                output = str((entry / "fd" / "1").readlink())
            except OSError:
                continue
            if output.startswith(str(out)) and output.endswith("log.txt"):
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("victim", ["worker", "driver"])
def test_case_04_after_kill_9_the_same_command_continues_to_the_same_bits(victim, whole, tmp_path):
    out, _ = whole
    mine = tmp_path / "out"
    process = subprocess.Popen(arguments(TINY, mine), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = mine / "runs" / "snake" / "seed-0" / "checkpoints" / "step-000000010"
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert checkpoint.exists()
    for pid in [process.pid] if victim == "driver" else running_workers(mine):
        os.kill(pid, signal.SIGKILL)
    status = process.wait(timeout=300)
    assert status == (-9 if victim == "driver" else 9)
    done = run(arguments(TINY, mine))
    assert done.returncode == 0, done.stderr
    compared = weights(mine)
    assert compared == {name: value for name, value in weights(out).items() if name in compared}
    assert len(compared) == 4
    steps = [json.loads(line) for line in (mine / "runs/snake/seed-0/metrics.jsonl").read_text().splitlines()]
    trained = [entry["step"] for entry in steps if entry["phase"] == "train"]
    assert trained == sorted(set(trained))


def test_case_56_after_kill_9_in_the_second_of_two_looks_the_first_is_not_taken_again(whole, tmp_path):
    out, _ = whole
    mine, looks = tmp_path / "out", "ablation.seeds={ first = 2, most = 4, looks = 2 }"

    def taken():
        ledger = json.loads((mine / "plan.json").read_text())["ledger"]
        return [entry for entry in ledger if entry["what"] == "look"]

    command = arguments(TINY, mine, looks)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = mine / "runs" / "snake" / "seed-2" / "checkpoints" / "step-000000010"
    deadline = time.monotonic() + 240
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert checkpoint.exists()
    process.kill()
    process.wait(timeout=300)
    [first] = taken()
    assert first["after"] == "1 of 2 at 2 seeds: leaky_relu not shown; the runs went on"
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert "arms: 2, seeds: 4, at most 4 in 2 looks; runs to do: 4, 4 done before" in done.stdout
    assert "look 2 of 2 at 4 seeds: leaky_relu not shown; the runs ended" in done.stdout
    assert taken()[0] == first
    assert len(taken()) == 2
    same = {name: found for name, found in weights(out).items() if name in weights(mine)}
    assert len(same) == 4  # an arm may have been added to the other folder by now
    assert same.items() <= weights(mine).items()
    assert len(weights(mine)) == 8
    assert "The runs ended at the 2nd of 2 looks, as planned." in (mine / "report.html").read_text()


def test_case_16_a_signal_ends_the_ablation_and_it_continues(whole, tmp_path):
    mine = tmp_path / "out"
    process = subprocess.Popen(
        arguments(TINY, mine), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(mine.glob("runs/*/*/checkpoints/step-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 143
    assert err.strip() == "flowvae: stopped; the same command continues"
    assert not running_workers(mine)
    states = {json.loads(p.read_text())["state"] for p in mine.glob("runs/*/*/status.json")}
    assert "stopped" in states


def test_case_20_two_commands_in_one_folder_exclude_each_other(tmp_path):
    mine = tmp_path / "out"
    first = subprocess.Popen(arguments(TINY, mine), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (mine / "data").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    second = run(arguments(TINY, mine))
    first.terminate()
    first.wait(timeout=120)
    assert second.returncode == 6
    assert f"in use by process {first.pid}" in second.stderr


def test_a_value_that_a_component_refuses_is_shown_where_it_was_written(tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text('extends = "percussion_small"\n[model.decoder]\nkernel_size = 4\n')
    data = '--set=data={ use = "synthetic_percussion", n_sounds = 48 }'
    done = run([*COMMAND, str(recipe), "--out", str(tmp_path / "out"), data])
    assert done.returncode == 2
    assert f"{recipe}:3:15" in done.stderr
    assert "kernel_size must be odd" in done.stderr
    assert not (tmp_path / "out" / "plan.json").exists()


DAMAGE = {
    "plan.json": "[",
    "arms.json": '{"snake": 3}',
    "data/*/clips.json": "[]",
    "data/*/clips.npy": None,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_record_that_was_changed_is_told_and_never_a_traceback(name, whole, tmp_path):
    import shutil

    out, _ = whole
    shutil.copytree(out, tmp_path / "out")
    [path] = (tmp_path / "out").glob(name)
    if DAMAGE[name] is None:
        data = bytearray(path.read_bytes())
        data[-1000:] = bytes(1000)
        data[-500] = 77
        path.write_bytes(data)
    else:
        path.write_text(DAMAGE[name])
    done = run(arguments(TINY, tmp_path / "out"))
    assert done.returncode == 5, done.stderr
    assert path.name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_result_that_was_torn_is_made_again(whole, tmp_path):
    import shutil

    out, _ = whole
    shutil.copytree(out, tmp_path / "out")
    result = tmp_path / "out" / "runs" / "snake" / "seed-1" / "result.json"
    expected = json.loads(result.read_text())["metrics"]
    result.write_text(result.read_text()[:100])
    done = run(arguments(TINY, tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "runs to do: 1, 3 done before" in done.stdout
    assert json.loads(result.read_text())["metrics"] == expected


def test_case_22_a_device_that_is_not_there_is_refused_before_the_first_run(tmp_path):
    done = run(arguments(TINY, tmp_path / "out", "execution.device=nosuch"))
    assert done.returncode == 8
    assert 'there is no device "nosuch"; found: cpu' in done.stderr
    assert not list((tmp_path / "out").glob("runs/*"))
