"""A run opens no connection: every Python process of it tells of each attempt."""

import os
import subprocess
import sys

import pytest

from conftest import TINY

pytestmark = pytest.mark.slow
WATCH = """
import sys, os
def tell(event, arguments):
    if event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto"} or (
        event in {"socket.connect", "socket.bind"} and isinstance(arguments[1], tuple)
    ):
        with open(os.environ["TOLD"], "a") as file:
            print(event, arguments[1:], file=file)
sys.addaudithook(tell)
with open(os.environ["TOLD"] + ".began", "a") as file:
    print(os.getpid(), file=file)
"""


def test_case_60_a_run_opens_no_connection(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WATCH)
    told = tmp_path / "told"
    environment = {
        **os.environ,
        "TOLD": str(told),
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *filter(None, sys.path)]),
    }

    def python(code, *arguments):
        command = [sys.executable, "-P", "-c", code, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
        )

    python("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))")
    assert "socket.connect" in told.read_text()
    told.unlink()
    settings = [f"--set={setting}" for setting in TINY]
    code = "import sys; from flowvae.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = python(code, "run", "percussion_small", "--out", "out", *settings)
    assert done.returncode == 0, done.stderr
    assert len({*(tmp_path / "told.began").read_text().split()}) >= 3
    assert not told.exists(), told.read_text()
