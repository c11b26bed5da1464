"""At which steps a run is measured on held-out sounds: in full, and for its curves alone."""

from flowvae.recipe.tables import Recipe


def in_full(recipe: Recipe, done: int) -> bool:
    """Whether everything is measured after so many steps: before the first, every so often, and after the last."""
    return done == recipe.train.steps or done % recipe.evaluation.every == 0


def has_steps_between(recipe: Recipe) -> bool:
    """Whether full validations alone would leave a curve with too few points."""
    return -(-recipe.train.steps // recipe.evaluation.every) < recipe.evaluation.curve_points


def for_curves(recipe: Recipe, done: int) -> bool:
    """Whether a point of the curves is due: at the ends of equal parts of the run, whatever its length.

    Formula: the points are ceil(k * steps / curve_points), k = 1 .. curve_points.
    """
    if not has_steps_between(recipe):
        return False
    # Step s is the end of a part where a point lies in (s - 1, s].
    steps, points = recipe.train.steps, recipe.evaluation.curve_points
    return done > 0 and done * points // steps > (done - 1) * points // steps
