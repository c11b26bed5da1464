"""P11: operators that do work in a step, and numbers that the host fetches, the optimizers left out: counts, on any machine the same."""

from benchmarks.peers.alternating import Row, compared, missing, tell
from counted_steps import COUNTED
from peer_packages import is_there


def counts():
    for counted in COUNTED:
        what = f"{counted.what}: operators"
        if not is_there(counted.peer):
            yield missing("P11", what, counted.peer)
            continue
        ours, theirs = counted.ours(), counted.theirs()
        yield compared("P11", what, ours.total, theirs.total, 0.6)
        reads = ours.host_reads
        figures = [str(reads), str(theirs.host_reads)]
        yield Row("P11", f"{counted.what}: numbers that the host fetches", *figures, "", "0", reads == 0)


if __name__ == "__main__":
    tell("P11", __spec__.name, [], counts)
