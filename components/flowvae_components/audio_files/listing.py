"""Which files lie below a folder, in an order and under names that no file system changes."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a link to a folder",
}
SAME_FILE = "the same file as"
_PLAIN_WORDS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "a link that leads nowhere, or gone since",
    errno.ELOOP: "a link that leads nowhere",
    errno.ENAMETOOLONG: "its path is too long",
}


@dataclass(frozen=True)
class Listed:
    """One entry below the folder: `problem` is empty where it can be opened."""

    relative: bytes
    name: str
    path: bytes
    problem: str


def shown(relative: bytes) -> str:
    r"""A file name as text that every terminal, page and log can carry, different for different names.

    Formula: what is neither UTF-8 nor printable becomes a backslash escape, and so does the backslash itself.
    Shapes: any number of bytes -> text.
    Units: none.
    Source: own.

    >>> print(shown(b"kick \xff\n.wav"))
    kick \xff\n.wav
    """
    doubled = relative.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in doubled
    )


def in_plain_words(error: OSError) -> str:
    """Why the system refused a file, without its path.

    Formula: a sentence for the usual causes, else the system's own.
    Shapes: none.
    Units: none.
    Source: own.

    >>> in_plain_words(PermissionError(13, "Permission denied"))
    'permission denied'
    """
    said = error.strerror or type(error).__name__
    return _PLAIN_WORDS.get(error.errno or 0, said[0].lower() + said[1:])


def list_files(root: bytes) -> list[Listed]:
    """Every file below a folder, hidden ones left out, each real file openable once.

    Links to files are followed, links to folders are not. An unreadable folder is an entry with a problem.

    Formula: order by the bytes of the relative path; of two names of one file the first is the file.
    Shapes: none.
    Units: none.
    Source: own.

    >>> list_files(b"/proc/self/no-such-folder")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: b'/proc/self/no-such-folder'
    """
    os.scandir(root).close()
    first_names: dict[tuple[int, int], str] = {}
    return [_examined(root, relative, problem, first_names) for relative, problem in sorted(_walk(root))]


def _walk(root: bytes) -> Iterator[tuple[bytes, str]]:
    # A stack and not recursion: folders may be nested deeper than Python's own stack.
    folders = [b""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(root + b"/" + folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(b".")]
        except OSError as error:
            yield folder.removesuffix(b"/"), in_plain_words(error)
            continue
        for entry in visible:
            if entry.is_dir(follow_symlinks=False):
                folders.append(folder + entry.name + b"/")
            else:
                yield folder + entry.name, ""


def _examined(root: bytes, relative: bytes, problem: str, first_names: dict[tuple[int, int], str]) -> Listed:
    path, name = root + b"/" + relative, shown(relative)
    if not problem:
        try:
            status = os.stat(path)  # noqa: PTH116  (names may be any bytes)
        except OSError as error:
            problem = in_plain_words(error)
        else:
            if not stat.S_ISREG(status.st_mode):
                problem = f"not a file but {_SPECIAL.get(stat.S_IFMT(status.st_mode), 'something else')}"
            else:
                first = first_names.setdefault((status.st_dev, status.st_ino), name)
                problem = "" if first == name else f"{SAME_FILE} {first}"
    return Listed(relative, name, path, problem)
