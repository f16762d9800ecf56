"""A Gradescope autograder as one zip: setup.sh, run_autograder, the homework, and this very engine as a wheel.

The wheel is made of the files that are running now, so that what grades there is what was tried here; a package of the
same name on an index is never asked for.  Only its dependencies come from the index.
"""

from __future__ import annotations

import base64
import io
import tomllib
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import derive
from derive.errors import AuthorError
from derive.homework.model import Homework
from derive.homework.table import Table
from derive.problem.files import catalogue_folder, parse_toml

PACKAGE = Path(__file__).resolve().parent.parent
CHECKOUT = PACKAGE.parent
STAMP = (2020, 1, 1, 0, 0, 0)
EXTRA = "homework"
WHEEL = f"derive-{derive.__version__}-py3-none-any.whl"
TAGS = "Wheel-Version: 1.0\nGenerator: derive\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

SETUP = f"""#!/usr/bin/env bash
# Runs once, when the autograder's image is built: the engine in an environment of its own, with Python 3.11 or newer.
set -euo pipefail
root="${{AUTOGRADER_ROOT:-/autograder}}"
python=""
new_enough='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
for one in python3.13 python3.12 python3.11 python3; do
    if command -v "$one" >/dev/null && "$one" -c "$new_enough" 2>/dev/null; then
        python="$one"
        break
    fi
done
if [ -z "$python" ]; then
    apt-get update
    apt-get install -y python3.12 python3.12-venv || apt-get install -y python3.11 python3.11-venv
    python="$(command -v python3.12 || command -v python3.11)"
fi
"$python" -m venv "$root/derive"
"$root/derive/bin/python" -m pip install --quiet "$root/source/{WHEEL}[{EXTRA}]"
"$root/derive/bin/derive" homework check "$root/source/homework.toml"
"""

RUN = """#!/usr/bin/env bash
# Runs for each submission: grades the files in submission/ as one student's and writes results/results.json.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
status=0
"$root/derive/bin/derive" grade "$root/source/homework.toml" "$root/submission" \\
    --student submission --out "$work" || status=$?
if [ "$status" -eq 2 ] || [ ! -f "$work/gradescope/submission.json" ]; then
    echo "The submission could not be graded; a person must look." >&2
    exit 1
fi
mkdir -p "$root/results"
cp "$work/gradescope/submission.json" "$root/results/results.json"
"""


def autograder(homework: Homework) -> bytes:
    """The zip that Gradescope takes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", SETUP.encode(), True)
        _add(archive, "run_autograder", RUN.encode(), True)
        for name, content in _homework_files(homework):
            _add(archive, name, content)
        _add(archive, WHEEL, wheel())
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, executable: bool = False) -> None:
    """An entry that is the same in every run."""
    entry = zipfile.ZipInfo(name, STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    archive.writestr(entry, content)


def _homework_files(homework: Homework) -> Iterator[tuple[str, bytes]]:
    """The homework's file as homework.toml, and the problem files that it names, beside it as they stand here."""
    text = homework.path.read_text(encoding="utf-8-sig")
    yield "homework.toml", text.encode()
    folder = homework.path.parent
    names = sorted(set(_named_files(Table(parse_toml(text, str(homework.path))))))
    for name in names:
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or name in ("homework.toml", WHEEL):
            message = f"the problem file {name!r} must lie beside the homework, under another name than homework.toml"
            raise AuthorError(message, str(homework.path))
        yield path.as_posix(), (folder / path).read_bytes()


def _named_files(top: Table) -> Iterator[str]:
    questions = top.tables("questions")
    tables = [top, *questions, *(v for q in questions for v in q.tables("variants"))]
    for table in tables:
        given = table.data.get("problem")
        if isinstance(given, str) and given.endswith((".toml", ".json")):
            yield given


# ------------------------------------------------------------------------------------------------- the wheel


def wheel() -> bytes:
    """This engine as a wheel, with its catalogue and its commands."""
    info = f"derive-{derive.__version__}.dist-info"
    files = dict(_package_files())
    files[f"{info}/METADATA"] = _metadata().encode()
    files[f"{info}/WHEEL"] = TAGS.encode()
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nderive = derive.launch:main\n"
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            _add(archive, name, content)
    return out.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


def _package_files() -> Iterator[tuple[str, bytes]]:
    """What an installed package holds, from an installed one or from a checkout."""
    for path in sorted(PACKAGE.rglob("*")):
        place = path.relative_to(PACKAGE)
        if path.is_file() and "__pycache__" not in place.parts and place.parts[0] != "problems":
            yield f"derive/{place.as_posix()}", path.read_bytes()
    for path in sorted(catalogue_folder().rglob("*.toml")):
        yield f"derive/problems/{path.relative_to(catalogue_folder()).as_posix()}", path.read_bytes()
    if not (PACKAGE / "cli.py").is_file():
        yield "derive/cli.py", (CHECKOUT / "cli.py").read_bytes()


def _metadata() -> str:
    head = f"Metadata-Version: 2.1\nName: derive\nVersion: {derive.__version__}\nRequires-Python: >=3.11\n"
    return head + f"Provides-Extra: {EXTRA}\n" + "".join(f"Requires-Dist: {line}\n" for line in _requirements())


def _requirements() -> Iterator[str]:
    """What the package needs, from its checkout's pyproject.toml or from what is installed."""
    project = CHECKOUT / "pyproject.toml"
    if (CHECKOUT / "cli.py").is_file() and project.is_file():
        table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        yield from table["dependencies"]
        for line in table["optional-dependencies"][EXTRA]:
            need, _, marker = (part.strip() for part in line.partition(";"))
            yield f"{need}; ({marker}) and extra == '{EXTRA}'" if marker else f"{need}; extra == '{EXTRA}'"
        return
    for line in metadata.requires("derive") or ():
        if "extra ==" not in line or EXTRA in line:
            yield line
