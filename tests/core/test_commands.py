import json
import platform
import subprocess
import sys

import pytest

from flowvae.building.allocator import ALLOCATOR
from flowvae.cli.main import main, run_main
from flowvae.recipe.shipped import shipped_recipes


def run(capsys, *arguments, command=main):
    status = command([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_list_names_kinds_components_and_owners(capsys):
    status, out, _ = run(capsys, "list")
    assert status == 0
    line = next(line for line in out.splitlines() if line.split()[:1] == ["snake"])
    assert "flowvae 0.1.0" in line
    assert "Adds a learned ripple" in line


def test_list_of_an_unknown_kind_suggests_one(capsys):
    status, _, err = run(capsys, "list", "activaton")
    assert status == 2
    assert "activation" in err


def test_list_as_json_is_complete(capsys, catalogue):
    _, out, _ = run(capsys, "list", "--json")
    assert len(json.loads(out)) == sum(len(c) for c in catalogue.components.values())


def test_list_of_recipes_says_what_each_asks_or_is(capsys):
    status, out, _ = run(capsys, "list", "recipes")
    said = {name: words for name, _, words in (line.strip().partition("  ") for line in out.splitlines()[1:])}
    assert status == 0
    assert set(said) == set(shipped_recipes())
    assert all(words.strip() for words in said.values()), said
    assert said["ablation_snake"].strip().endswith("?")
    rows = json.loads(run(capsys, "list", "recipes", "--json")[1])
    assert [row["recipe"] for row in rows] == list(said)


def test_list_points_to_the_recipes(capsys):
    assert run(capsys, "list")[1].splitlines()[-1] == "recipes: flowvae list recipes"


def test_explain_of_a_named_system_says_what_was_published_and_what_one_vector_changes(capsys):
    status, out, _ = run(capsys, "explain", "dac")
    assert status == 0
    assert "dac (decoder, flowvae" in out  # the component of that name is not hidden by the recipe
    assert "dac, a recipe" in out
    assert "arxiv.org/abs/2306.06546" in out
    assert "flowvae-run dac" in out
    rows = json.loads(run(capsys, "explain", "rave_v2_small", "--json")[1])
    assert rows[-1]["extends"] == "rave_v2.toml"


def test_explain_says_every_key_with_type_default_and_meaning(capsys):
    status, out, _ = run(capsys, "explain", "resize_conv")
    assert status == 0
    assert 'mode: one of "nearest", "linear", default "nearest"; ' in out
    assert "normalization: a component of kind normalization, required" in out


def test_explain_of_a_metric_says_which_end_is_good_and_what_it_counts(capsys):
    _, out, _ = run(capsys, "explain", "spectral_distance")
    assert 'direction = "lower", unit = "dB"' in out
    _, out, _ = run(capsys, "explain", "spectral_distance", "--json")
    facts = {"direction": "lower", "unit": "dB", "family": "spectral", "reads": ["real", "estimate"]}
    assert json.loads(out)[0]["facts"] == facts


def test_explain_of_a_kind_shows_its_contract(capsys):
    status, out, _ = run(capsys, "explain", "upsampler")
    assert status == 0
    assert "in_channels, out_channels, factor" in out
    assert "resize_conv" in out


def test_explain_takes_kind_and_name_in_two_words_or_in_one(capsys):
    _, one, _ = run(capsys, "explain", "upsampler.resize_conv")
    status, two, _ = run(capsys, "explain", "upsampler", "resize_conv")
    assert status == 0
    assert one == two
    assert run(capsys, "explain", "downsampler", "resize_conv")[0] == 2


def test_explain_of_nothing_suggests(capsys):
    status, _, err = run(capsys, "explain", "snaek")
    assert status == 2
    assert "did you mean snake" in err


def test_check_says_what_would_run_and_what_each_arm_changes(capsys):
    status, out, _ = run(capsys, "check", "ablation_snake")
    assert status == 0
    assert "2 arms x 7 seeds" in out
    assert 'model.decoder.activation.use: "snake" -> "leaky_relu"' in out


def test_check_sees_the_same_sounds_as_the_run(capsys, tmp_path):
    status, out, _ = run(capsys, "resolve", "percussion_small", "--data", tmp_path)
    assert status == 0
    assert f'path = "{tmp_path}"' in out


def test_a_setting_cannot_change_what_is_extended(capsys):
    status, _, err = run(capsys, "check", "percussion_small", "--set", "extends=percussion")
    assert status == 2
    assert "name the other recipe instead" in err


def test_check_of_a_bad_recipe_prints_the_faults_and_exits_with_2(capsys):
    status, out, err = run(capsys, "check", "ablation_snake", "--set", "train.steps=x")
    assert (status, out) == (2, "")
    assert '"x" is not a whole number' in err
    assert "Traceback" not in err


def test_resolve_prints_a_recipe_that_checks(capsys, tmp_path):
    _, out, _ = run(capsys, "resolve", "percussion")
    (tmp_path / "again.toml").write_text(out)
    assert run(capsys, "check", tmp_path / "again.toml")[0] == 0


def test_diff_of_two_recipes_is_the_effective_one(capsys):
    _, out, _ = run(capsys, "diff", "percussion", "percussion_small")
    assert "model.latent_dim: 128 -> 64" in out
    _, out, _ = run(capsys, "diff", "percussion", "percussion")
    assert out == "no difference\n"
    _, out, _ = run(capsys, "diff", "percussion_small", "ablation_amplitude_modulation")
    assert out == "no difference in what a run is; [ablation] differs\n"


def test_diff_counts_what_a_change_costs_where_it_is_asked_to(capsys, tiny):
    settings = [f"--set={s}" for s in tiny]
    _, out, _ = run(capsys, "diff", "percussion_small", "percussion_small", "--costs", "--json", *settings)
    one, other = json.loads(out)["costs"]
    assert one == other
    assert one["parameters"] > 1000
    assert one["receptive_field"] == 4096


def test_runs_are_never_written_among_the_sounds(capsys, tmp_path):
    (tmp_path / "kit").mkdir()
    status, _, err = run(
        capsys, "percussion_small", "--data", tmp_path, "--out", tmp_path / "kit" / "out", command=run_main
    )
    assert status == 2
    assert "lies inside the sounds" in err
    assert not (tmp_path / "kit" / "out").exists()


def test_case_40_no_name_of_a_folder_steers_the_terminal(capsys, tmp_path):
    out = tmp_path / "clear\x1b[2J\nred"
    status, _, err = run(capsys, "percussion_small", "--data", tmp_path, "--out", out, command=run_main)
    assert status == 2
    assert "clear\\x1b[2J\\nred lies inside the sounds" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--out", ""], "--out names no folder of its own"), (["--data", " "], "--data names no folder")],
)
def test_an_empty_folder_is_no_folder(capsys, tiny, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    settings = [f"--set={setting}" for setting in tiny]
    status, _, err = run(capsys, "percussion_small", *arguments, *settings, command=run_main)
    assert status == 2
    assert said in err
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("rate", [0, -5, 2_000_000_000])
def test_an_impossible_rate_is_refused(capsys, tmp_path, rate):
    assert run(capsys, "data", tmp_path, "--rate", rate)[0] == 2


@pytest.mark.parametrize(("redirection", "status"), [(">&-", 0), (">/dev/full", 8)])
def test_a_command_without_a_listener_ends_with_its_own_status(redirection, status):
    command = f"{sys.executable} -c 'import sys; from flowvae.cli.main import main; sys.exit(main())' list {redirection}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == status


@pytest.mark.parametrize(
    ("libc", "given", "told"), [("glibc", {}, True), ("glibc", ALLOCATOR, False), ("musl", {}, False)]
)
def test_doctor_says_how_memory_is_set_where_that_speeds_up_a_training(
    capsys, monkeypatch, libc, given, told
):
    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, "2.36"))
    for name in ALLOCATOR:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    _, out, _ = run(capsys, "doctor")
    settings = " ".join(f"{name}={value}" for name, value in ALLOCATOR.items())
    assert out.rstrip().endswith(f"export {settings}") == told
    assert ("MALLOC" in out) == told


def test_doctor_lists_the_plugins(capsys):
    status, out, _ = run(capsys, "doctor")
    assert status == 0
    assert "activation snake" in out


def test_an_unknown_recipe_is_answered_with_the_shipped_ones(capsys):
    status, _, err = run(capsys, "ablation_snak", command=run_main)
    assert status == 2
    assert "did you mean ablation_snake" in err


def test_an_unwritable_place_is_refused_before_any_work(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    status, out, err = run(capsys, "percussion_small", "--out", tmp_path / "file" / "runs", command=run_main)
    assert (status, out) == (8, "")
    assert "choose another --out" in err


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["check"], ["list", "--nonsense"]])
def test_a_wrong_command_line_is_a_usage_error(capsys, arguments):
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert "error[USAGE]" in err


def test_a_folder_without_sounds_is_exit_status_3(capsys, tmp_path):
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "notes.txt").write_text("none here")
    status, _, err = run(
        capsys, "percussion_small", "--data", tmp_path / "sounds", "--out", tmp_path / "o", command=run_main
    )
    assert status == 3
    assert "0 of 1 sounds usable: 1 x not audio" in err
    assert run(capsys, "data", tmp_path / "sounds")[0] == 3
    assert run(capsys, "check", "percussion_small", "--data", tmp_path / "sounds")[0] == 3


def no_folder(place):
    return place / "nowhere"


def a_file(place):
    (place / "file.wav").write_text("a file")
    return place / "file.wav"


def below_a_file(place):
    return a_file(place) / "kit"


def an_empty_folder(place):
    (place / "empty").mkdir()
    return place / "empty"


def a_broken_link(place):
    (place / "link").symlink_to(place / "nowhere")
    return place / "link"


def a_link_to_itself(place):
    (place / "round").symlink_to(place / "round")
    return place / "round"


def a_folder_of_broken_sounds(place):
    for name in ("a.wav", "b.flac"):
        (place / name).write_text("no sound")
    return place


def a_folder_of_one_sound(place):
    hits(place, "only.wav")
    (place / "b.wav").write_text("no sound")
    return place


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (no_folder, "there is no such folder"),
        (a_file, "this is not a folder"),
        (below_a_file, "this is not a folder"),
        (an_empty_folder, "0 of 0 sounds usable"),
        (a_broken_link, "a link that leads nowhere"),
        (a_link_to_itself, "a link that leads nowhere"),
        (a_folder_of_broken_sounds, "0 of 2 sounds usable: 2 x cannot be decoded"),
        (
            a_folder_of_one_sound,
            "only one sound is usable: none is left to hold out; of 2, 1 x cannot be decoded",
        ),
    ],
)
def test_sounds_that_no_run_can_be_made_of_are_said_by_every_command(capsys, tmp_path, make, said):
    (tmp_path / "place").mkdir()
    folder = make(tmp_path / "place")
    commands = [
        (main, "data", folder),
        (main, "check", "percussion_small", "--data", folder),
        (run_main, "percussion_small", "--data", folder, "--out", tmp_path / "out"),
    ]
    for command, *arguments in commands:
        status, _, err = run(capsys, *arguments, command=command)
        assert status == 3, arguments
        assert said in err
        assert "Traceback" not in err


def test_a_folder_that_may_not_be_listed_is_said(capsys, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("flowvae_components.audio_files.candidates.list_files", refuse)
    for arguments in (("data", tmp_path), ("check", "percussion_small", "--data", tmp_path)):
        status, _, err = run(capsys, *arguments)
        assert status == 3
        assert "permission denied" in err


def hits(folder, *names):
    import numpy as np
    import soundfile

    for index, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(index).normal(size=2205) * np.exp(-np.arange(2205) / 300) * 0.2
        soundfile.write(folder / name, noise, 44100)


def test_data_and_check_say_how_the_sounds_would_be_split(capsys, tmp_path):
    hits(tmp_path, *(f"foley/{i}.wav" for i in range(20)), "909/kick.wav", "909/snare.wav")
    split = [
        "split: 2 groups; held out: 1 group, 2 of 22 sounds (9.1%, asked 20%): 909",
        "9.1% held out where 20% was asked for: ",
        "only 2 groups: ",
        "only measured, never trained on: kick (1), snare (1)",
    ]
    for arguments in (("data", tmp_path), ("check", "percussion_small", "--data", tmp_path)):
        status, out, _ = run(capsys, *arguments)
        assert status == 0
        assert all(line in out for line in split)
    lines = json.loads(run(capsys, "data", tmp_path, "--json")[1])["split"]
    [row] = json.loads(run(capsys, "check", "percussion_small", "--data", tmp_path, "--json")[1])["data"]
    assert row == {"arms": ["percussion_small"], "sounds": 22, "held_out": 2, "told": lines}
    assert all(line.startswith(start) for line, start in zip(lines, split, strict=True))


def test_check_tells_arms_with_other_sounds_apart(capsys, tmp_path):
    hits(tmp_path, *(f"k{i}/{j}.wav" for i in range(4) for j in range(5)))
    vary = ('ablation={ metric = "spectral_distance", vary = { "data.split_by" = ["auto", "file"] } }',)
    settings = [part for line in vary for part in ("--set", line)]
    _, out, err = run(capsys, "check", "percussion_small", "--data", tmp_path, *settings, "--json")
    assert len(json.loads(out)["data"]) == 2, err


def test_what_a_split_cannot_measure_is_refused_before_the_first_run(capsys, tmp_path):
    sounds = tmp_path / "sounds"
    hits(sounds, *(f"{i}.wav" for i in range(4)))
    for command, *arguments in (
        (main, "check", "percussion_small", "--data", sounds),
        (run_main, "percussion_small", "--data", sounds, "--out", tmp_path / "out"),
    ):
        status, _, err = run(capsys, *arguments, "--set", "data.held_out=0.3", command=command)
        assert status == 3
        assert "active_units needs at least 2 held-out sounds, and the split leaves 1" in err
    status, _, err = run(
        capsys, "check", "percussion_small", "--data", sounds, "--set", "data.held_out=0.5",
        "--set", "evaluation.sounds=1",
    )  # fmt: skip
    assert status == 2
    assert "evaluation.sounds: 1 is too few: active_units needs at least 2 sounds" in err


def test_data_proposes_a_length(capsys, tmp_path):
    import numpy as np
    import soundfile

    for index in range(4):
        noise = np.random.default_rng(index).normal(size=22050) * np.exp(-np.arange(22050) / 2000) * 0.2
        soundfile.write(tmp_path / f"hit-{index}.wav", noise, 44100)
    (tmp_path / "bad.wav").write_text("no")
    status, out, _ = run(capsys, "data", tmp_path, "--json")
    content = json.loads(out)
    assert status == 0
    assert content["used"] == 4
    assert [row["name"] for row in content["skipped"]] == ["bad.wav"]
    assert 8000 < content["proposed_n_samples"] < 16000


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["explain", "snake"],
        ["check", "ablation_snake"],
        ["check", "percussion", "--set", "train.steps=x"],
        ["check", "ablation_snake", "--set", "ablation.seeds={first=6,most=12,looks=3}"],
        ["doctor"],
        ["resolve", "percussion"],
        ["diff", "percussion", "percussion_small"],
    ],
    ids=" ".join,
)
def test_what_needs_no_tensor_answers_without_torch(arguments):
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "numpy", "scipy", "soundfile"):
            raise AssertionError("imports " + name)
sys.meta_path.insert(0, Refuse())
from flowvae.cli.main import main
sys.exit(main({arguments!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode in {0, 2}, done.stderr
    assert "imports" not in done.stderr


@pytest.mark.parametrize("reader", ["true", "head -n 1"])
def test_a_reader_that_leaves_is_no_error(reader):
    """One that is gone before the first line, and one that may be there until the last is in the pipe."""
    done = subprocess.run(
        f"{sys.executable} -m flowvae.cli.main list | {reader}",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "error", "status"),
    [
        (("check", "ablation_snake", "--set", "train.steps=x", "--set", "tran.steps=1"), "RECIPE", 2),
        (("resolve", "ablation_snake", "--set", "train.steps=x"), "RECIPE", 2),
        (("diff", "percussion", "no_such_recipe"), "RECIPE", 2),
        (("explain", "snak"), "USAGE", 2),
        (("list", "activations"), "USAGE", 2),
        (("data", "no/such/folder"), "DATA", 3),
    ],
)
def test_an_error_is_json_too_where_json_was_asked_for(arguments, error, status, capsys):
    assert main([*arguments, "--json"]) == status
    output = capsys.readouterr()
    said = json.loads(output.out)
    assert said["error"] == error
    assert f"error[{error}]" in output.err
    if arguments[0] == "check":
        places = {
            (fault["path"], fault["place"]["label"], fault["place"]["column"]) for fault in said["faults"]
        }
        assert places == {("train.steps", "--set train.steps=x", 13), ("tran", "--set tran.steps=1", 1)}


def test_a_place_that_refuses_is_named(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = run(capsys, "new-plugin", "my-idea", "--kind", "loss", "--in", tmp_path / "file")
    assert status == 8
    assert err == f"flowvae: error[MACHINE]: Not a directory: {tmp_path / 'file' / 'my-idea'}\n"


def test_explain_shows_tables_of_a_recipe_and_flowvaes_own_keys(capsys):
    status, out, _ = run(capsys, "explain", "train")
    assert status == 0
    assert "  batch_size: a whole number, required; sounds a step" in out
    _, out, _ = run(capsys, "explain", "losses")
    assert "takes several of kind loss" in out
    assert "  weight: a number, default 1.0; what the loss is multiplied by" in out
    _, out, _ = run(capsys, "explain", "multi_scale_mel")
    assert "  weight: a number, default 1.0; what the loss is multiplied by" in out
    _, out, _ = run(capsys, "explain", "data", "--json")
    assert {"held_out", "most_skipped", "split_by", "slack_ms", "strict"} == {
        key["name"] for key in json.loads(out)["keys"]
    }


def test_explain_of_a_name_that_a_kind_and_a_table_share_shows_both(capsys):
    _, out, _ = run(capsys, "explain", "adversarial")
    assert "On offer: hinge, least_squares" in out
    assert "from_step: a whole number, default 0" in out
    _, out, _ = run(capsys, "explain", "adversarial", "--json")
    assert {"contract", "keys"} <= {*json.loads(out)}


def test_explain_follows_a_key_path(capsys):
    assert "several of kind metric" in run(capsys, "explain", "evaluation.metrics")[1]
    assert "steps: a whole number, required" in run(capsys, "explain", "train.steps")[1]
    assert "weight: a number, default 1.0" in run(capsys, "explain", "adversarial.feature_matching")[1]
