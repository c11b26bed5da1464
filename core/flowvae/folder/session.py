"""What TensorBoard is told of a run beside its figures: its arm and seed, what its arm is, and what decides."""

from pathlib import Path

from flowvae.errors import CheckpointError
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import Order
from flowvae.folder.tensorboard import Session


def session_of(run: Path) -> Session | None:
    """Of a run in the folder of its ablation; None where the records of either cannot be read."""
    try:
        order = Order.read_if_there(run)
        plan = Plan.read_if_there(run.absolute().parents[2])  # FOLDER/runs/ARM/seed-SEED
    except (CheckpointError, IndexError):
        return None
    arm = next((a for a in plan.arms if order and a.name == order.arm), None) if plan else None
    if order is None or plan is None or arm is None:
        return None
    baseline = plan.baseline.name if plan.baseline else "baseline"
    told: dict[str, str | float] = {"arm": order.arm, "seed": float(order.seed)}
    first = {**plan.factors, **plan.across}
    told |= {axis: arm.changes.get(axis, first.get(axis, (baseline,))[0]) for axis in plan.axes}
    names = [plan.metric, *(m.name for m in plan.metrics if m.name != plan.metric)]
    return Session(told, tuple(f"validation/metric/{name}" for name in names))
