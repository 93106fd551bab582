"""What the steps share: how a step talks to Baton, how state files are written, how a path becomes text.

A step reads its values from $BATON_INPUT, writes its result to $BATON_RESULT and leaves lists of files in
$BATON_RUN_DIR for the steps after it. State files are written whole and durable before the step ends, so that a step
which Baton recorded as done has left what it promised, also after a power failure; an attempt that is repeated
overwrites what an earlier one left.
"""

import json
import os
import stat
import sys
import time

MIN_IMAGES = 50
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 50_000_000

# Signatures of the formats that this example takes. Each is (format, offset, bytes); all of a format's rows must match.
SIGNATURES = {
    "PNG": [(0, b"\x89PNG\r\n\x1a\n")],
    "JPEG": [(0, b"\xff\xd8\xff")],
    "GIF": [(0, b"GIF8")],
    "WEBP": [(0, b"RIFF"), (8, b"WEBP")],
    "TIFF": [(0, b"II*\0")],
    "TIFF (big endian)": [(0, b"MM\0*")],
}

# What image folders often hold beside pictures made of pixels.
OTHERS = {"vector image (SVG)": b"<svg", "cursor file": b"Xcur"}


class StepFailed(Exception):
    """Ends the step with exit code 1; the message goes to the log and into the task's error."""


def run(name, body):
    """Runs one step: body(values) returns the result. Records when it started and ended for the report."""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    started = time.time()
    failure = None
    try:
        result = body(read_json(os.environ["BATON_INPUT"]))  # {} for a step without `with`
        write_json(os.environ["BATON_RESULT"], result)
    except (StepFailed, OSError) as error:
        failure = str(error)
        print(failure, file=sys.stderr)
    except BaseException as error:  # a bug, or an interruption: the traceback follows
        failure = repr(error)
        raise
    finally:
        record = {"step": name, "started": started, "ended": time.time(), "failure": failure}
        # One file per attempt. An attempt that was killed leaves none: nobody knows when it ended.
        task = os.environ["BATON_TASK_ID"].rpartition(".")[2]
        write_json(state_path(f"timing-{name}-{task}-{os.environ['BATON_ATTEMPT']}.json"), record)
    sys.exit(1 if failure else 0)


def state_path(name):
    return os.path.join(os.environ["BATON_RUN_DIR"], name)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_json(path, value):
    """Replaces the file as a whole; durable on return."""
    write_file(path, json.dumps(value, separators=(",", ":")).encode("ascii"))


def temporary_name(path):
    """Where the file is written before it gets its name: the same for all attempts of the task, so that what a killed
    attempt left is overwritten, and another for every other task."""
    return f"{path}.{os.environ['BATON_TASK_ID']}.tmp"


def write_file(path, content):
    temporary = temporary_name(path)
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    publish(temporary, path)


def publish(temporary, path):
    """Gives a finished, synced file its name."""
    os.replace(temporary, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# A path is bytes on disk and text in JSON. State files keep it exactly (undecodable bytes as lone surrogates, which
# only Python reads); what leaves the example (results, manifest, report) is shown readable and unambiguous.
def to_text(path):
    return path.decode("utf-8", "surrogateescape")


def to_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def shown(path):
    """For people and other programs: valid UTF-8, one line, reversible (backslash is doubled)."""
    text = path.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def signature(head):
    for name, rows in SIGNATURES.items():
        if all(head[offset:offset + len(magic)] == magic for offset, magic in rows):
            return name.partition(" ")[0]
    return None


def what_else(head):
    """Why a file without a known signature is not taken."""
    return next((name for name, mark in OTHERS.items() if mark in head), "unknown signature")


def source_folder(values):
    source = os.path.realpath(os.fsencode(values["source"]))
    if not os.path.isdir(source):
        raise StepFailed(f"source: {shown(source)} is not a folder")
    return source


def walk(source, on_error):
    """Yields (relative path, is_symlink) of everything in the folder that is not a folder, in order of bytes. Symbolic
    links are not followed. Folders that cannot be read go to on_error(relative path, reason)."""
    pending = [b""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(os.path.join(source, folder)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            on_error(folder or b".", f"unreadable folder ({error.strerror})")
            continue
        deeper = []
        for entry in found:
            relative = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                deeper.append(relative)
            else:
                yield relative, entry.is_symlink()
        pending.extend(reversed(deeper))


def read_regular(path):
    """The file's bytes, or StepFailed with the reason why they are not taken. Never blocks on a pipe or device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise StepFailed(f"unreadable ({error.strerror})") from error
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise StepFailed("not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise StepFailed(f"larger than {MAX_FILE_BYTES} bytes")
        try:
            return file.read()
        except OSError as error:
            raise StepFailed(f"unreadable ({error.strerror})") from error
