"""What a file claims to be: by its name, by its first bytes, and by the length in its header."""

# The endings of what libsndfile reads, and of audio that people expect to be read: the decoder then says why not.
_ENDINGS = {
    "WAV": ("wav", "wave", "bwf"),
    "RF64": ("rf64", "wav"),
    "W64": ("w64",),
    "AIFF": ("aif", "aiff", "aifc"),
    "FLAC": ("flac",),
    "OGG": ("ogg", "oga", "opus"),
    "MP3": ("mp3", "mp2", "mp1"),
    "AU": ("au", "snd"),
    "CAF": ("caf",),
    "VOC": ("voc",),
    "NIST": ("sph", "nist", "wav"),
    "IRCAM": ("sf", "ircam"),
    "SVX": ("8svx", "svx", "iff"),
    "PAF": ("paf",),
    "PVF": ("pvf",),
    "AVR": ("avr",),
    "MPC2K": ("snd", "mpc2k"),
    "WVE": ("wve",),
    "SDS": ("sds",),
    "XI": ("xi",),
    "": ("sd2", "m4a", "aac", "wma", "ac3", "ape", "wv", "mpc", "mka", "webm"),
}
_ALL_ENDINGS = frozenset(ending for endings in _ENDINGS.values() for ending in endings)

# MP3 has no magic number: the frame headers of layer III without emphasis on two-byte marks of text files.
_MAGIC = (
    (0, b"RIFF"),
    (0, b"RIFX"),
    (0, b"RF64"),
    (0, b"riff\x2e\x91\xcf\x11"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"ID3"),
    (0, b"\xff\xfb"),
    (0, b"\xff\xfa"),
    (0, b"\xff\xf3"),
    (0, b"\xff\xf2"),
    (8, b"AIFF"),
    (8, b"AIFC"),
    (8, b"8SVX"),
    (8, b"16SV"),
    (0, b".snd"),
    (0, b"caff"),
    (0, b"Creative Voice File"),
    (0, b"NIST_1A"),
    (0, b" paf"),
    (0, b"PVF1\n"),
    (0, b"2BIT"),
    (0, b"ALawSoundFile**"),
    (0, b"Extended Instrument:"),
)
_NOT_SOUND_IN_RIFF = (b"AVI ", b"WEBP", b"ACON")
N_MAGIC_BYTES = 20

_PCM_TAGS = (0x0001, 0x0003, 0xFFFE)
_CHUNK_HEADER = 8
_UNKNOWN_LENGTHS = (0, 0x7FFFFFFF, 0xFFFFFFFF)


def ending(name: str) -> str:
    """What follows the last dot of a file name, in small letters.

    Formula: "kits/Kick.WAV" -> "wav"; empty without a dot.
    Shapes: none.
    Units: none.
    Source: own.

    >>> ending("kits.v2/Kick.WAV"), ending("kits.v2/kick")
    ('wav', '')
    """
    stem, dot, last = name.rpartition("/")[2].rpartition(".")
    return last.lower() if dot and stem else ""


def named_like_audio(name: str) -> bool:
    """Whether a file is tried because of its name.

    Formula: the ending is one of an audio container.
    Shapes: none.
    Units: none.
    Source: the containers of libsndfile, libsndfile.github.io/libsndfile/formats.html.

    >>> named_like_audio("kick.WAV"), named_like_audio("drumkit.xml")
    (True, False)
    """
    return ending(name) in _ALL_ENDINGS


def starts_like_audio(head: bytes) -> bool:
    """Whether a file is tried because of its first bytes.

    Formula: one of the magic numbers stands at its place.
    Shapes: at least N_MAGIC_BYTES bytes where the file has them.
    Units: none.
    Source: the specifications of the containers.

    >>> starts_like_audio(b"RIFF....WAVEfmt "), starts_like_audio(b"RIFF....WEBPVP8 ")
    (True, False)
    """
    if head[:4] == b"RIFF" and head[8:12] in _NOT_SOUND_IN_RIFF:
        return False
    return any(head.startswith(magic, offset) for offset, magic in _MAGIC)


def misnamed(name: str, container: str) -> bool:
    """Whether a file is something else than its name says.

    Formula: the ending belongs to another container; one that is no container's says nothing.
    Shapes: none.
    Units: none.
    Source: own; WAVEX is libsndfile's name for a WAV file with an extended header.

    >>> misnamed("snare.wav", "AIFF"), misnamed("snare.wav", "WAVEX"), misnamed("snare", "AIFF")
    (True, False, False)
    """
    said = ending(name)
    return said in _ALL_ENDINGS and said not in _ENDINGS.get(container.replace("WAVEX", "WAV"), (said,))


def promised_frames(content: bytes) -> int | None:
    r"""The length that the header of a WAV or AIFF file promises: the decoder hides it when a file was cut.

    Formula: bytes of the data chunk / bytes of a frame (WAV), or the frame count of the COMM chunk (AIFF).
    Shapes: the whole file -> a count; None where the header does not say.
    Units: frames.
    Source: Microsoft and IBM 1991, Multimedia Programming Interface; Apple 1989, AIFF 1.3.

    >>> promised_frames(b"FORM\x00\x00\x00\x00AIFFCOMM\x00\x00\x00\x12\x00\x01\x00\x00\x00\x05")
    5
    """
    chunks = _chunks(content)
    if content[8:12] in {b"AIFF", b"AIFC"} and "COMM" in chunks:
        start, _ = chunks["COMM"]
        return int.from_bytes(content[start + 2 : start + 6], "big")
    if content[:4] == b"RIFF" and {"fmt ", "data"} <= chunks.keys():
        start, _ = chunks["fmt "]
        tag = int.from_bytes(content[start : start + 2], "little")
        frame = int.from_bytes(content[start + 12 : start + 14], "little")
        _, size = chunks["data"]
        return size // frame if tag in _PCM_TAGS and frame and size not in _UNKNOWN_LENGTHS else None
    return None


def with_length(content: bytes) -> tuple[bytes, str]:
    r"""A WAV file whose recorder never came to write the sizes, as one of unknown length; and a note where it is one.

    Formula: a data chunk of 0 bytes that is followed by more than another chunk's header becomes one of 2^32 - 1.
    Shapes: the bytes of a file -> as many.
    Units: bytes.
    Source: own; streams are written with that size, and the decoder reads them to their end.

    >>> with_length(b"RIFF\0\0\0\0WAVEfmt \0\0\0\0data\0\0\0\0" + bytes(range(20)))[1]
    'its header gives no length: read to the end'
    """
    start, size = _chunks(content).get("data", (0, 1)) if content[:4] == b"RIFF" else (0, 1)
    # What follows an empty chunk in order is another chunk, whose name is of letters.
    if size or len(content) <= start + _CHUNK_HEADER or content[start : start + 4].isalpha():
        return content, ""
    whole = content[: start - 4] + b"\xff" * 4 + content[start:]
    return whole, "its header gives no length: read to the end"


def _chunks(content: bytes) -> dict[str, tuple[int, int]]:
    """Where each chunk starts and how long it says that it is; the first one of a name."""
    found: dict[str, tuple[int, int]] = {}
    at = 12
    while content[:4] in {b"RIFF", b"FORM"} and at + 8 <= len(content) and len(found) < 64:
        size = int.from_bytes(content[at + 4 : at + 8], "little" if content[:4] == b"RIFF" else "big")
        found.setdefault(content[at : at + 4].decode("latin-1"), (at + 8, size))
        at += 8 + size + size % 2
    return found
