import pytest

from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe, resolve
from flowvae.recipe.identity import identity
from flowvae.recipe.writing import write_recipe


def faults_of(catalogue, recipe, *settings):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(recipe, settings), catalogue)
    return caught.value.faults


def test_five_mistakes_in_two_files_are_one_report_of_five(catalogue, write):
    write(
        "base.toml",
        'extends = "percussion_small"\n[train]\nsteps = 1.9\n[model.decoder]\nuse = "soundstream"\nwidht = 8\n',
    )
    path = write(
        "mine.toml",
        'extends = "base.toml"\n[defaults]\nactivation = "snak"\n[model]\nbands = "transposed_conv"\n[evaluation]\nevery = "10"\n',
    )
    faults = faults_of(catalogue, path)
    assert len(faults) == 5
    places = {(f.place.label.rpartition("/")[2], f.place.line, f.place.column) for f in faults}
    assert places == {
        ("base.toml", 3, 9),
        ("base.toml", 6, 1),
        ("mine.toml", 3, 14),
        ("mine.toml", 5, 9),
        ("mine.toml", 7, 9),
    }


def test_the_caret_stands_under_the_value(catalogue, write):
    path = write(
        "a.toml", 'extends = "percussion_small"\n[defaults]\nactivation = { use = "snake", alhpa = 2.0 }\n'
    )
    fault = faults_of(catalogue, path)[0]
    line, caret = fault.place.excerpt()
    assert line[caret.index("^") :].startswith("alhpa")
    assert fault.suggestions == ("alpha",)
    assert "snake (activation, flowvae" in fault.component


def test_a_name_of_another_kind_is_called_that(catalogue, write):
    path = write("a.toml", 'extends = "percussion_small"\n[defaults]\nactivation = "transposed_conv"\n')
    assert (
        faults_of(catalogue, path)[0].what == "transposed_conv is an upsampler; this slot takes an activation"
    )


def test_a_misspelt_name_is_answered_with_the_component_and_its_owner(catalogue, write):
    path = write("a.toml", 'extends = "percussion_small"\n[defaults]\nactivation = "snak"\n')
    assert faults_of(catalogue, path)[0].suggestions[0].startswith("snake (activation, flowvae ")


def test_an_element_of_an_array_has_a_place_of_its_own(catalogue, write):
    path = write(
        "a.toml",
        'extends = "percussion_small"\n[model.encoder]\nuse = "soundstream"\nstrides = [4, "4", 4]\n',
    )
    [fault] = faults_of(catalogue, path)
    assert (fault.place.line, fault.place.column) == (4, 15)


def test_a_default_that_fills_no_slot_is_a_fault_unless_allowed(catalogue, write):
    text = '[model]\nposterior = "gaussian"\nprior = "standard_normal"\n'
    path = write("a.toml", f'extends = "percussion_small"\n{text}')
    [fault] = faults_of(catalogue, path)
    assert fault.path == "defaults.flow"
    path = write("b.toml", f'extends = "percussion_small"\nmay_be_unused = ["defaults.flow"]\n{text}')
    resolve(read_recipe(path), catalogue)


def test_swapping_a_component_drops_the_values_of_the_old_one_and_says_so(catalogue, write):
    write(
        "base.toml", 'extends = "percussion_small"\n[defaults]\nactivation = { use = "snake", alpha = 0.5 }\n'
    )
    path = write("a.toml", 'extends = "base.toml"\n[defaults]\nactivation = "leaky_relu"\n')
    recipe = resolve(read_recipe(path), catalogue)
    assert recipe.model.decoder.values["activation"].said() == "leaky_relu(slope=0.2)"
    [dropped] = [d for d in recipe.dropped if d.path == "defaults.activation.alpha"]
    assert dropped.old == "snake"
    assert "base.toml:3" in str(dropped)


def test_values_of_the_same_component_are_kept_when_a_key_is_added(catalogue, write):
    write(
        "base.toml",
        'extends = "percussion_small"\n[defaults]\nupsampler = { use = "resize_conv", mode = "linear" }\n',
    )
    path = write("a.toml", 'extends = "base.toml"\n[defaults]\nupsampler = "resize_conv"\n')
    recipe = resolve(read_recipe(path), catalogue)
    assert recipe.model.decoder.values["upsampler"].values["mode"] == "linear"


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ('train.steps="10"', "train.steps"),
        ("train.steps=1.5", "train.steps"),
        ("train.stepz=10", "train.stepz"),
        ("defaults.activation=snak", "defaults.activation"),
        ("train.steps=0", "train.steps"),
        ("model.decoder.width=true", "model.decoder.width"),
        ("lossess=[]", "lossess"),
    ],
)
def test_settings_of_the_command_line_are_as_strict_as_a_file(catalogue, setting, path):
    faults = faults_of(catalogue, "percussion_small", setting)
    assert path in {f.path for f in faults}
    assert all(f.place.label == f"--set {setting}" for f in faults if f.path == path)


def test_a_bare_word_on_the_command_line_is_a_string(catalogue):
    recipe = resolve(read_recipe("percussion_small", ("defaults.activation=leaky_relu",)), catalogue)
    assert recipe.model.encoder.values["activation"].name == "leaky_relu"


def test_the_written_recipe_reads_back_as_the_same_recipe(catalogue, tmp_path):
    recipe = resolve(read_recipe("percussion"), catalogue)
    path = tmp_path / "again.toml"
    path.write_text(write_recipe(recipe))
    again = resolve(read_recipe(str(path)), catalogue)
    assert again.leaves() == recipe.leaves()
    assert identity(again, 0, "x") == identity(recipe, 0, "x")


def test_the_written_recipe_says_where_each_value_comes_from(catalogue, write):
    path = write("mine.toml", 'extends = "percussion"\n[model]\nn_samples = 4800\n')
    text = write_recipe(resolve(read_recipe(path), catalogue))
    [line] = [line for line in text.splitlines() if line.startswith("n_samples")]
    assert "mine.toml:3" in line
    [line] = [line for line in text.splitlines() if line.startswith("sample_rate")]
    assert "percussion.toml:" in line
    assert "default of soundstream" in text


def test_identity_ignores_the_order_of_keys_and_workers_but_no_value(catalogue, write):
    a = write("a.toml", 'extends = "percussion_small"\n[train]\nsteps = 7\nbatch_size = 3\n')
    b = write(
        "b.toml",
        'extends = "percussion_small"\n[train]\nbatch_size = 3\nsteps = 7\n[execution]\nthreads = 2\n',
    )
    c = write("c.toml", 'extends = "percussion_small"\n[train]\nbatch_size = 3\nsteps = 8\n')
    one, two, three = (identity(resolve(read_recipe(p), catalogue), 0, "data") for p in (a, b, c))
    assert one == two != three
    assert identity(resolve(read_recipe(a), catalogue), 1, "data") != one
    assert identity(resolve(read_recipe(a), catalogue), 0, "other data") != one


def test_recipes_that_extend_each_other_are_refused(catalogue, write):
    write("a.toml", 'extends = "b.toml"\n')
    path = write("b.toml", 'extends = "a.toml"\n')
    assert "circle" in faults_of(catalogue, path)[0].what


@pytest.mark.parametrize(
    "text",
    [
        "a = [" * 5000,
        "x" * 1_100_000,
        "a = 1\na = 2\n",
        "{json: true}",
        ".".join("k" * 2000) + " = 1",
        "a = " + "9" * 5000,
        "\0",
        "a = 2021-01-01\n",
    ],
    ids=["deep", "large", "twice", "json", "long key", "digits", "nul", "date"],
)
def test_a_file_that_is_no_recipe_is_one_clear_fault(catalogue, write, text):
    assert faults_of(catalogue, write("bad.toml", text))


def test_case_45_a_line_with_windows_ends_is_shown_without_them(catalogue, tmp_path):
    (tmp_path / "a.toml").write_bytes(b'extends = "percussion_small"\r\n[train]\r\nsteps = "x"\r\n')
    [fault] = faults_of(catalogue, str(tmp_path / "a.toml"))
    assert (fault.place.line, fault.place.column) == (3, 9)
    assert fault.place.text == 'steps = "x"'


def test_bytes_that_are_no_utf8_are_named_with_their_place(catalogue, tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'a = 1\nname = "caf\xe9"\n')
    [fault] = faults_of(catalogue, str(tmp_path / "latin.toml"))
    assert "0xe9" in fault.what
    assert fault.place.line == 2


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "torch.nn.Linear",
        "builtins:eval",
        "__class__",
        "flowvae_components.activations.snake:Snake",
        "${HOME}",
    ],
)
def test_a_recipe_cannot_name_code(catalogue, name):
    import sys

    before = set(sys.modules)
    faults = faults_of(catalogue, "percussion_small", f'defaults.activation="{name}"')
    assert any("no activation called" in f.what for f in faults)
    assert set(sys.modules) == before


PAIRS = """
extends = "percussion_small"
[ablation]
question = "?"
metric = "spectral_distance"
pairs = {pairs}
[ablation.vary]
"defaults.activation" = ["snake", "leaky_relu", "elu"]
"""


def test_pairs_of_arms_can_be_asked_for(catalogue, write):
    plan = plan_ablation(
        read_recipe(write("a.toml", PAIRS.format(pairs='[["leaky_relu", "elu"]]'))), catalogue
    )
    assert plan.recipe.ablation.pairs == (("leaky_relu", "elu"),)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ('[["leaky_relu", "ellu"]]', "there is no arm ellu"),
        ('[["elu", "elu"]]', "elu is compared with itself"),
        ('[["snake", "elu"]]', "snake is the baseline, with which every arm is compared anyway"),
        ('[["elu"]]', "is not an array of 2 (a string, a string)"),
    ],
)
def test_a_pair_that_cannot_be_is_told_with_its_line(catalogue, write, pairs, words):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(write("a.toml", PAIRS.format(pairs=pairs))), catalogue)
    [fault] = caught.value.faults
    assert words in fault.what
    assert (fault.path.split("[")[0], fault.place.line) == ("ablation.pairs", 6)


LEFT_OUT = """
extends = "percussion_small"
augmentations = {{ polarity = {{}} }}
[ablation]
question = "?"
metric = "spectral_distance"
{more}
"""


def test_one_of_each_part_of_a_table_is_left_out(catalogue, write):
    plan = plan_ablation(
        read_recipe(write("a.toml", LEFT_OUT.format(more='leave_one_out = "augmentations"'))), catalogue
    )
    whole = plan.arms[0].recipe.augmentations
    assert list(whole) == ["random_crop", "dequantize", "polarity"]  # phase_mangle is out in the recipe below
    assert [arm.name for arm in plan.arms] == ["baseline", *(f"without-{name}" for name in whole)]
    for name, arm in zip(whole, plan.arms[1:], strict=True):
        assert list(arm.recipe.augmentations) == [other for other in whole if other != name]
    # What is varied besides makes arms of its own.
    more = 'leave_one_out = "losses"\n[ablation.vary]\n"defaults.activation" = ["snake", "elu"]'
    plan = plan_ablation(read_recipe(write("b.toml", LEFT_OUT.format(more=more))), catalogue)
    assert {arm.name for arm in plan.arms} == {
        "baseline",
        "elu",
        "without-multi_scale_mel",
        "without-multi_resolution_stft",
        "without-rms_level",
    }


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("augmentatons", "the recipe has no table augmentatons"),
        ("adversarial.discriminators", "the recipe has no table"),
        ("model.bands", "model.bands holds 0 parts"),
    ],
)
def test_a_table_of_which_nothing_can_be_left_out_is_told(catalogue, write, table, words):
    text = LEFT_OUT.format(more=f'leave_one_out = "{table}"')
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(write("a.toml", text)), catalogue)
    [fault] = caught.value.faults
    assert words in fault.what
    assert fault.place.line == 7


CALLED = PAIRS.replace("pairs = {pairs}", "names = {{ {names} }}")


def test_arms_are_called_what_their_author_calls_them(catalogue, write):
    text = CALLED.format(names='snake = "as_shipped", elu = "smooth"').replace(
        "[ablation.vary]", 'pairs = [["smooth", "leaky_relu"]]\n[ablation.vary]'
    )
    plan = plan_ablation(read_recipe(write("a.toml", text)), catalogue)
    assert [arm.name for arm in plan.arms] == ["as_shipped", "leaky_relu", "smooth"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ('sneak = "a"', "there is no arm sneak"),
        ('elu = "Good One"', "names a folder"),
        ('elu = "leaky_relu"', "two arms would be called leaky_relu"),
        ("elu = 3", "takes words"),
    ],
)
def test_a_name_that_cannot_be_is_told(catalogue, write, names, words):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(write("a.toml", CALLED.format(names=names))), catalogue)
    assert words in caught.value.faults[0].what


def test_three_axes_with_two_alternatives_each_are_four_arms_or_eight_when_crossed(catalogue, write):
    text = """extends = "percussion_small"
[ablation]
metric = "spectral_distance"
seeds = 2
{cross}
[ablation.vary]
"defaults.activation" = ["snake", "leaky_relu"]
"defaults.upsampler" = ["transposed_conv", "resize_conv"]
"train.clip" = [10.0, "none"]
"""
    plan = plan_ablation(read_recipe(write("a.toml", text.format(cross=""))), catalogue)
    assert [arm.name for arm in plan.arms] == ["baseline", "leaky_relu", "resize_conv", "clip-none"]
    assert plan.arms[3].recipe.train.clip is None
    plan = plan_ablation(read_recipe(write("b.toml", text.format(cross="cross = true"))), catalogue)
    assert len(plan.arms) == 8


def test_an_arm_that_changes_nothing_is_a_fault(catalogue, write):
    text = 'extends = "ablation_snake"\n[ablation.vary]\n"defaults.activation" = ["snake", { use = "snake", alpha = 1.0 }]\n'
    assert any("same recipe" in f.what for f in faults_of(catalogue, write("a.toml", text)))


def test_the_primary_metric_must_be_measured_and_have_a_direction(catalogue):
    assert faults_of(catalogue, "ablation_snake", "ablation.metric=spectral_distanc")[0].suggestions
    assert "direction" in faults_of(catalogue, "ablation_snake", "ablation.metric=kl_nats")[0].what


def test_a_bomb_of_arms_is_refused_at_once(catalogue, write):
    many = str(list(range(1, 40)))
    text = f'extends = "ablation_snake"\n[ablation]\ncross = true\n[ablation.vary]\n"train.steps" = {many}\n"train.batch_size" = {many}\n'
    assert "at most 1000" in faults_of(catalogue, write("a.toml", text))[0].what


def test_a_loss_of_weight_0_is_inert(catalogue, write):
    text = 'extends = "percussion_small"\n[[losses]]\nuse = "multi_scale_mel"\n[[losses]]\nuse = "multi_resolution_stft"\nweight = 0.0\n'
    [fault] = faults_of(catalogue, write("a.toml", text))
    assert (fault.path, fault.place.line) == ("losses.multi_resolution_stft.weight", 6)


WHERE = {
    "nested": '[model.decoder]\nuse = "soundstream"\n[model.decoder.activation]\n{body}\n',
    "inline": '[model]\ndecoder = {{ use = "soundstream", activation = {{ {inline} }} }}\n',
    "default": "[defaults]\nactivation = {{ {inline} }}\n",
}
MISTAKES = {
    "unknown name": ('use = "snak"', 'no activation called "snak"', "snak"),
    "misspelt key": ('use = "snake"\nalhpa = 0.5', 'there is no key "alhpa"', "alhpa"),
    "wrong type": ('use = "snake"\nalpha = "many"', '"many" is not a number', '"many"'),
    "missing name": ("alpha = 0.5", "use is missing", ""),
    "other kind": ('use = "pqmf"', "pqmf is a bands", "pqmf"),
}


# A default without a name is laid over the base's, which has one: only a slot of its own can miss it.
PLACES = [
    (mistake, where)
    for mistake in MISTAKES
    for where in WHERE
    if (mistake, where) != ("missing name", "default")
]


@pytest.mark.parametrize("inherited", [False, True])
@pytest.mark.parametrize(("mistake", "where"), PLACES)
def test_every_mistake_is_shown_where_it_stands(catalogue, write, mistake, where, inherited):
    body, what, under = MISTAKES[mistake]
    text = 'extends = "percussion_small"\n' + WHERE[where].format(
        body=body, inline=", ".join(body.split("\n"))
    )
    if mistake == "missing name":
        # The base names a component there; only a recipe of its own can leave it out.
        text = text.replace('extends = "percussion_small"\n', "")
    path = write("a.toml", text)
    if inherited:
        path = write("b.toml", 'extends = "a.toml"\n')
    faults = [f for f in faults_of(catalogue, path) if what in f.what and "activation" in f.path]
    assert len(faults) == 1
    [fault] = faults
    assert fault.place.label.endswith("a.toml")
    line, caret = fault.place.excerpt()
    assert under in line[caret.index("^") :][: max(len(under), 1) + 2]
    assert fault.accepted


def test_a_newline_in_a_setting_cannot_write_a_line_of_its_own(catalogue, tmp_path):
    recipe = resolve(read_recipe("percussion_small", ("train.steps=6\ntrain.batch_size=3",)), catalogue)
    (tmp_path / "again.toml").write_text(write_recipe(recipe))
    assert resolve(read_recipe(str(tmp_path / "again.toml")), catalogue).leaves() == recipe.leaves()


def test_a_report_of_many_faults_stays_readable(catalogue, write):
    keys = "".join(f"key{i} = {i}\n" for i in range(3000))
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe(write("a.toml", f'extends = "percussion_small"\n[train]\n{keys}')), catalogue)
    text = "\n".join(caught.value.lines())
    assert "3000 faults" in text
    assert text.endswith("and 2950 more")
    assert len(text) < 100_000


def test_a_terminal_gets_no_control_characters_from_a_recipe(catalogue, write):
    faults = faults_of(catalogue, write("a.toml", 'extends = "percussion_small"\n"\\u001b[31mred" = 1\n'))
    assert "\x1b" not in "\n".join(line for fault in faults for line in fault.lines())


def test_what_a_recipe_varies_replaces_what_its_base_varied(catalogue, write):
    text = 'extends = "ablation_snake"\n[ablation.vary]\n"train.batch_size" = [2, 4]\n'
    plan = plan_ablation(read_recipe(write("a.toml", text)), catalogue)
    assert [arm.changes for arm in plan.arms] == [{}, {"train.batch_size": "4"}]


@pytest.mark.parametrize("count", ["100000001", "-100000001"])
def test_a_count_beyond_all_reason_is_refused_where_it_stands(catalogue, count):
    [fault] = faults_of(catalogue, "percussion_small", f"model.encoder.width={count}")
    assert fault.what == "is more than any count can be (100,000,000)"
    assert fault.path == "model.encoder.width"


def test_a_misspelt_value_is_told_although_every_arm_replaces_it(catalogue, write):
    path = write(
        "a.toml", 'extends = "ablation_snake"\n[defaults]\nactivation = "snak"\nupsampler = "resize_conv"\n'
    )
    [fault] = faults_of(catalogue, path)
    assert (fault.path, fault.place.line) == ("defaults.activation", 3)
    assert fault.suggestions[0].startswith("snake")


def test_a_setting_that_every_arm_replaces_is_a_fault(catalogue):
    [fault] = faults_of(catalogue, "ablation_snake", "defaults.activation=snake")
    assert fault.what == "has no effect: the ablation varies defaults.activation"
    assert fault.place.label == "--set defaults.activation=snake"


def test_a_setting_inside_of_a_scalar_is_blamed_on_the_setting(catalogue):
    [fault] = faults_of(catalogue, "percussion_small", "train.steps.x=4")
    assert fault.path == "train.steps"
    assert fault.place.label == "--set train.steps.x=4"


def test_no_other_file_of_this_machine_is_shown_by_a_recipe(catalogue, write, tmp_path):
    (tmp_path / "secret").write_text("the secret\n")
    [fault] = faults_of(catalogue, write("a.toml", f'extends = "{tmp_path / "secret"}"\n'))
    assert fault.what == "extends takes a file that ends in .toml"


@pytest.mark.parametrize(
    ("setting", "accepted"),
    [
        ("data.held_out=5", "a number, at least 0, at most 0.9, default 0.2"),
        ("data.slack_ms=-1", "a number, at least 0, at most 10000, default 10.0"),
        ("losses.multi_scale_mel.weight=-0.5", "a number, at least 0, default 1.0"),
        ("train.batch_size=0", "a whole number, at least 1, at most 65536"),
        ("model.n_samples=10", "a whole number, at least 64, at most 4194304"),
    ],
)
def test_a_value_beyond_its_limits_is_answered_with_them(catalogue, setting, accepted):
    [fault] = faults_of(catalogue, "percussion_small", setting)
    assert fault.what == f"{setting.partition('=')[2]} is out of range"
    assert fault.accepted == accepted


def test_one_component_twice_in_a_list_is_a_fault_that_says_how_to_write_it(catalogue):
    setting = 'evaluation.metrics=["si_sdr", "spectral_distance", { use = "si_sdr" }]'
    [fault] = faults_of(catalogue, "percussion_small", setting)
    assert (fault.what, fault.path) == ("has one component twice", "evaluation.metrics")
    assert '[evaluation.metrics.first] use = "si_sdr"' in fault.accepted


NAMED = """extends = "percussion_small"
[losses.long]
use = "multi_scale_mel"
n_ffts = [2048]
n_mels = [40]
[losses.multi_scale_mel]
weight = 15.0
"""


def test_parts_of_a_list_go_by_the_names_of_their_components(catalogue, write):
    listed = write(
        "a.toml",
        'extends = "percussion_small"\naugmentations = ["polarity", { use = "dequantize", bits = 12 }]\n',
    )
    recipe = resolve(read_recipe(listed), catalogue)
    assert list(recipe.augmentations) == ["polarity", "dequantize"]
    again = resolve(
        read_recipe(listed, ("augmentations.dequantize.bits=14", "augmentations.polarity=false")), catalogue
    )
    assert {name: part.values for name, part in again.augmentations.items()} == {"dequantize": {"bits": 14}}


def test_a_recipe_merges_parts_by_name_and_keeps_their_order(catalogue, write):
    recipe = resolve(read_recipe(write("a.toml", NAMED), ("losses.long.weight=3",)), catalogue)
    assert list(recipe.losses) == ["multi_scale_mel", "multi_resolution_stft", "rms_level", "long"]
    assert recipe.losses["multi_scale_mel"].extras["weight"] == 15.0
    assert recipe.losses["multi_scale_mel"].values["n_ffts"] == (2048, 256)
    assert (recipe.losses["long"].name, recipe.losses["long"].extras["weight"]) == ("multi_scale_mel", 3.0)


def test_another_component_under_a_name_replaces_what_was_there(catalogue, write):
    text = 'extends = "percussion_small"\n[losses]\nmulti_scale_mel = { use = "multi_resolution_stft" }\nmulti_resolution_stft = false\n'
    recipe = resolve(read_recipe(write("a.toml", text)), catalogue)
    replaced = recipe.losses["multi_scale_mel"]
    assert replaced.values["n_ffts"] == replaced.component.signature.parameters["n_ffts"].default
    assert {dropped.path for dropped in recipe.dropped} >= {"losses.multi_scale_mel.overlap"}


@pytest.mark.parametrize(
    ("setting", "path", "what"),
    [
        ("losses.0.weight=2", "losses.0", 'a part cannot be called "0"'),
        ("augmentations.polarity=false", "augmentations.polarity", "takes out nothing"),
        ("losses.use=multi_scale_mel", "losses.use", 'a part cannot be called "use"'),
        ('losses={ "a.b" = "multi_scale_mel" }', "losses.a.b", 'a part cannot be called "a.b"'),
        ("losses.multi_scale_mel=true", "losses.multi_scale_mel", "takes a component of kind loss"),
        ("losses.nothing={}", "losses.nothing", 'there is no loss called "nothing"'),
        ("losses=false", "losses", "takes components by name"),
        (
            "losses={ multi_scale_mel = false, multi_resolution_stft = false, rms_level = false }",
            "losses",
            "needs at least one loss",
        ),
    ],
)
def test_what_cannot_be_a_part_is_told(catalogue, setting, path, what):
    fault = faults_of(catalogue, "percussion_small", setting)[0]
    assert fault.path == path
    assert fault.what.startswith(what)


def test_a_number_is_no_name_in_a_list_either(catalogue, write):
    listed = write("a.toml", 'extends = "percussion_small"\naugmentations = ["polarity", "dequantize"]\n')
    with pytest.raises(RecipeError, match="by their names and not by a number: polarity, dequantize"):
        read_recipe(listed, ("augmentations.1.bits=3",))


def test_a_table_over_a_list_with_one_component_twice_says_how_to_write_it(write):
    text = 'extends = "percussion_small"\nlosses = ["multi_scale_mel", "multi_scale_mel"]\n'
    with pytest.raises(RecipeError, match=r"\[losses.first\] use"):
        read_recipe(write("a.toml", text), ("losses.multi_scale_mel.weight=2",))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("train.batch", "batch_size"),
        ("evaluation.clips", "audio_examples"),
        ("evaluation.samples", "prior_samples"),
    ],
)
def test_an_old_key_is_answered_with_its_new_name(catalogue, old, new):
    [fault] = faults_of(catalogue, "percussion_small", f"{old}=2")
    assert (fault.path, fault.accepted) == (old, f"{new} = ...")
    assert fault.what == f"{old.rpartition('.')[2]} is called {new} now"


def test_leaving_a_part_out_is_an_arm(catalogue, write):
    text = 'extends = "ablation_snake"\n[ablation.vary]\n"augmentations.dequantize" = ["dequantize", false]\n'
    plan = plan_ablation(read_recipe(write("a.toml", text)), catalogue)
    assert [arm.name for arm in plan.arms] == ["dequantize", "without-dequantize"]
    assert [list(arm.recipe.augmentations) for arm in plan.arms] == [
        ["random_crop", "dequantize"],
        ["random_crop"],
    ]


def test_two_metrics_of_one_component_have_figures_of_their_own(catalogue):
    settings = ('evaluation.metrics.late={ use = "tonal_artefact", tail = 0.5 }', "ablation.metric=late")
    recipe = plan_ablation(read_recipe("ablation_snake", settings), catalogue).recipe
    assert {"late", "tonal_artefact"} <= {*recipe.evaluation.metrics}


def test_the_caret_stands_under_wide_and_hidden_characters(catalogue, write):
    path = write(
        "b.toml", 'extends = "percussion_small"\ntrain = { "太鼓e\u0301" = 1, batch_size = "日本" }\n'
    )
    unknown, wrong = faults_of(catalogue, path)
    line, caret = wrong.place.excerpt()
    wide, combining = 2, 1
    assert caret == "      | " + " " * (line.index('"日') - len("    2 | ") + wide - combining) + "^" * 6
    line, caret = unknown.place.excerpt()
    assert caret.strip("| ") == "^" * 7


def test_the_example_of_named_parts_in_the_readme_is_in_order(catalogue, write, request):
    page = (request.config.rootpath / "README.md").read_text("utf-8")
    example = page.partition("<!-- named parts -->")[2].partition("```toml\n")[2].partition("```")[0]
    vary = '[ablation]\nmetric = "spectral_distance"\n[ablation.vary]\n"augmentations.random_crop" = ["random_crop", false]\n'
    plan = plan_ablation(read_recipe(write("a.toml", example + vary), ("losses.long.weight=3",)), catalogue)
    assert list(plan.recipe.losses) == ["multi_scale_mel", "multi_resolution_stft", "rms_level", "long"]
    assert plan.recipe.losses["long"].extras["weight"] == 3.0
    assert [list(arm.recipe.augmentations) for arm in plan.arms] == [["random_crop"], []]


def test_the_second_player_of_the_readme_is_in_order(catalogue, write, request):
    page = (request.config.rootpath / "README.md").read_text("utf-8")
    example = page.partition("## A second player")[2].partition("```toml\n")[2].partition("```")[0]
    recipe = plan_ablation(read_recipe(write("a.toml", example)), catalogue).recipe
    assert recipe.second_player.from_step == 750
    assert [*recipe.second_player.discriminators] == ["multi_period"]
    kinds = {c.name for c in catalogue.of_kind("discriminator")}
    assert all(name in page for name in kinds)
