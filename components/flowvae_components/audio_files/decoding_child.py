"""The program that decodes: files come on standard input, samples go to standard output.

It runs in a process of its own, because a decoder that meets a damaged or a hostile file may crash, hang, shout
or ask for all of the memory. Once its imports are done it can open no file, socket or process any more.
Limits are checked on the header, before anything is decoded.
"""

import contextlib
import io
import json
import os
import resource
import signal
import sys
from typing import BinaryIO

import soundfile

MAX_SECONDS = 600
MAX_CHANNELS = 32
MIN_RATE, MAX_RATE = 1_000, 768_000
# Ten minutes of stereo at 48 kHz, 250 MB once decoded.
MAX_SAMPLES = 64_000_000
# The best that a codec does, on digital silence, is about a thousandth of a byte for each decoded one.
MAX_EXPANSION = 4_000
MAX_MEMORY = 2 << 30
UNKNOWN_LENGTH = 2**63 - 1


def refusal(sound: soundfile.SoundFile, n_bytes: int) -> str:
    """Why a header is not believed or not wanted; empty if it is fine."""
    frames = 0 if sound.frames == UNKNOWN_LENGTH else sound.frames
    if not 1 <= sound.channels <= MAX_CHANNELS:
        return f"{sound.channels} channels, at most {MAX_CHANNELS} are read"
    if not MIN_RATE <= sound.samplerate <= MAX_RATE:
        return f"a rate of {sound.samplerate} Hz, {MIN_RATE} to {MAX_RATE} Hz are read"
    if frames > MAX_SECONDS * sound.samplerate or frames * sound.channels > MAX_SAMPLES:
        return f"too long: {frames / sound.samplerate:.0f} s, at most {MAX_SECONDS} s are read"
    if frames * sound.channels * 4 > MAX_EXPANSION * n_bytes:
        return f"its header claims {frames} frames, more than {n_bytes} bytes can hold"
    return ""


def answer(content: bytes) -> tuple[dict[str, str | int], bytes]:
    """What one file holds: a description and its samples as interleaved 32-bit floats."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            reason = refusal(sound, len(content))
            if reason:
                return {"error": reason}, b""
            wanted = min(sound.frames, MAX_SECONDS * sound.samplerate, MAX_SAMPLES // sound.channels)
            audio = sound.read(wanted, dtype="float32", always_2d=True)
            description = {"rate": sound.samplerate, "channels": sound.channels, "frames": len(audio)}
            form = {"container": sound.format, "encoding": sound.subtype, "promised": sound.frames}
            return description | form, audio.tobytes()
    except soundfile.LibsndfileError as error:
        return {"error": f"cannot be decoded: {error.error_string.removeprefix('Error : ').strip(' .')}"}, b""
    except MemoryError:
        return {"error": "cannot be decoded: needs too much memory"}, b""
    except Exception as error:  # noqa: BLE001  (the library raises ValueError and others on damaged files)
        return {"error": f"cannot be decoded: {type(error).__name__}"}, b""


def confine() -> BinaryIO:
    """Gives up all that decoding does not need; returns the one way out."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    # The library itself prints: what it says must not get between the samples.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limits = {"CORE": 0, "FSIZE": 0, "NPROC": 0, "AS": MAX_MEMORY, "NOFILE": 0}
    for name, value in limits.items():
        # A system that lacks one of the limits still has the others, and the time limit.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    return results


def serve(seconds: float) -> None:
    """Answers one file after the other until standard input ends."""
    results = confine()
    results.write(b"ready\n")
    results.flush()
    while length := sys.stdin.buffer.read(8):
        content = sys.stdin.buffer.read(int.from_bytes(length, "little"))
        # The kernel ends this process in time, whatever the decoder is doing, and also when the parent is gone.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        description, samples = answer(content)
        signal.setitimer(signal.ITIMER_REAL, 0)
        results.write(json.dumps(description).encode() + b"\n")
        results.write(samples)
        results.flush()


if __name__ == "__main__":
    serve(float(sys.argv[1]))
