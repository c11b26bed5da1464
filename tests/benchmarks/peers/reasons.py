"""Why a goal is not met, as far as it was measured: by comparison and the beginning of what is compared."""

REASONS = {
    ("P1", "RAVE v2, step of the first phase, compiled"): (
        "three quarters of our step (2.6 of 3.4 s of a profile) are convolutions, the same calls with a compiler and without, so"
        " fusing all the rest perfectly would just reach the goal; it takes 0.95 of the time without it (7 rounds in turn, shared"
        " machine). Before leaky ReLU kept its result instead of a mask it took 1.36: torch 2.12 writes masks slowly on a CPU"
    ),
    ("P3", "DAC, step of the model alone"): (
        "4.9 to 5.3 of our 5.9 s are convolutions of the published sizes (a profile), which both sides hand to oneDNN: all that is ours"
        " to save is less than 1 s, and without any of it the ratio would be 0.75"
    ),
    ("P3", "DAC, step of both players"): (
        "to that come the codec's discriminators, the same convolutions on both sides; their activations are what is kept, too"
    ),
    ("P4", "snake, compiled"): (
        "the compiler fuses each side into one pass there and one back; both compute a sine there and a sine and a cosine back;"
        " what remains was not measured apart"
    ),
    ("P7", "a clip"): (
        "the goal supposed a loader of 1.6 ms a clip. RAVE's own, on its own database in memory, takes 0.06 ms here, a copy"
        " and a conversion; so does ours. With the all-pass filter both sides filter a second of sound once, and draw its noise"
    ),
    ("P8", "flowvae check"): (
        "20 ms above the goal; a recipe is read with its bases, every key is checked and a file named for each, where Hydra's empty"
        " application has nothing to check"
    ),
    ("P9", "the first step"): (
        "ours makes the sounds, builds every arm and lets it take a step before the run begins, in processes beside the"
        " command's own; theirs does none of it, and most of its time are imports. Without the probe a wrong arm would fail hours later"
    ),
    ("P11", "RAVE v2"): (
        "342 of our 1,090 (336 of theirs) are convolutions, weight norms and activations with their gradients; the other 748"
        " belong to the twenty spectral distances, 37 each, there and back"
    ),
    ("P11", "DAC"): (
        "58 snakes of 17 operators each, there and back, are 990 of our 1,652: without a kernel of its own or a compiler"
        " snake is no less, and on a CPU they pass through memory once, in blocks. Convolutions and weight norms are 244 on either side"
    ),
    ("P12", "share of the limit, percussion, snake"): "convolutions take 66 % of the step, snakes 22 % (a profile)",
    ("P12", "share of the limit, percussion, leaky ReLU"): (
        "convolutions take 77 % of the step, leaky ReLU 6 %, copies 5 % (a profile); the limit is that of convolutions alone"
    ),
}  # fmt: skip


def reason_of(name, what):
    """Why, or that nobody knows."""
    fitting = (text for (of, start), text in REASONS.items() if of == name and what.startswith(start))
    return next(fitting, "the cause is not known")


def reasons(rows):
    """A line for each cause of a goal that these rows miss, with all that it explains."""
    missed: dict[str, list[str]] = {}
    for row in rows:
        if row.get("met") is False:
            missed.setdefault(reason_of(row["id"], row["what"]), []).append(f"{row['id']}, {row['what']}")
    return [f"- {'; '.join(what)}: {text}" for text, what in missed.items()]
