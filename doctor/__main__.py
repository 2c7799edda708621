"""``python -m doctor [FILE]``: examine the deployment that FILE describes and print what is wrong with it.

Without FILE, examine the deployment that the environment describes if it sets GOOGLE_CLOUD_PROJECT, else the local
stack that runs now. The exit code is 0 if every check passed, 1 otherwise.
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
    parser.add_argument("file", type=Path, nargs="?", help="the variables of a deployment, one NAME=value per line")
    source = parser.parse_args().file or _default_source(os.environ)
    print(f"Examining {source or 'the deployment that the environment describes'}\n")
    verdicts: Counter[Verdict] = Counter()
    for finding in examine(source, os.environ):
        print(finding)
        verdicts[finding.verdict] += 1
    print("\n" + ", ".join(f"{verdicts[verdict]} {verdict.name.lower()}" for verdict in Verdict))
    sys.exit(1 if verdicts[Verdict.FAILED] else 0)


def _default_source(environ: Mapping[str, str]) -> Path | None:
    """The file that the local stack writes while it runs, or None to read the environment itself."""
    if environ.get("GOOGLE_CLOUD_PROJECT"):
        return None
    return Path(environ.get("HELIOGRAPH_STATE", ".local")) / "stack.env"


if __name__ == "__main__":
    main()
