import os
import subprocess
import sys
import tomllib

import pytest


def lay_out(project, site):
    """Makes a project known as pip would, without pip: its entry points in `site`, and the path that it needs."""
    about = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    info = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    entries = "".join(f"{n} = {v}\n" for n, v in about["entry-points"]["flowvae"].items())
    (info / "entry_points.txt").write_text(f"[flowvae]\n{entries}")
    return str(project / "src")


class Environment:
    """A Python in which some projects are installed."""

    def __init__(self, site, projects):
        self.path = [str(site), *(lay_out(project, site) for project in projects)]

    def python(self, *arguments, **options):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*self.path, *filter(None, sys.path)]),
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            **options,
        )

    def flowvae(self, *arguments):
        return self.python("-m", "flowvae.cli.main", *arguments)


@pytest.fixture(scope="session")
def environment_with(tmp_path_factory):
    return lambda *projects: Environment(tmp_path_factory.mktemp("site"), projects)
