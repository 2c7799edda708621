"""``python -m doctor [FILE]``: examine the deployment that FILE describes, and say what is wrong with it.

Without FILE: the deployment that the environment describes, if that names a project; else the local stack that runs.
Exit code 0 when nothing is wrong, 1 otherwise.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from doctor.examine import examine
from doctor.finding import Verdict


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m doctor", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="the variables of a deployment, NAME=value a line")
    source = parser.parse_args().file or _usual_source(os.environ)
    print(f"Examining {source or 'what the environment describes'}\n")
    verdicts: Counter[Verdict] = Counter()
    for finding in examine(source, os.environ):
        print(finding)
        verdicts[finding.verdict] += 1
    print("\n" + ", ".join(f"{verdicts[verdict]} {verdict.name.lower().replace('_', ' ')}" for verdict in Verdict))
    sys.exit(1 if verdicts[Verdict.WRONG] else 0)


def _usual_source(environ: Mapping[str, str]) -> Path | None:
    """The local stack's file (it is there while the stack runs), or None for the environment itself."""
    if environ.get("GOOGLE_CLOUD_PROJECT"):
        return None
    return Path(environ.get("HELIOGRAPH_STATE", ".local")) / "stack.env"


if __name__ == "__main__":
    main()
