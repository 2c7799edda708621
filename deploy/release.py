"""``python -m deploy.release IMAGE_DIGEST > release.tfvars.json``: print a release as a variables file for Terraform.

A release is a set of hashes: of each bundle in ``dist/``, and of the publisher's image. An apply with this file and the
environment's file deploys exactly this release; an apply with an older release's file is a rollback.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from shared.topology import FUNCTIONS

DIST = Path(__file__).parents[1] / "dist"
REPOSITORY = "publisher"


def release(image_digest: str, dist: Path = DIST) -> dict[str, Any]:
    """The values of Terraform's ``bundle_hashes`` and ``publisher_image``.

    Raises ``FileNotFoundError`` for a missing bundle, ``ValueError`` for a malformed digest.
    """
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", image_digest):
        message = f"{image_digest!r} is not an image digest. Give sha256: and 64 hexadecimal digits."
        raise ValueError(message)
    return {
        "bundle_hashes": {name: _sha256(dist / f"{name}.zip") for name in FUNCTIONS},
        "publisher_image": {"digest": image_digest, "repository": REPOSITORY},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.release", description=__doc__)
    parser.add_argument("image_digest")
    digest: str = parser.parse_args().image_digest
    try:
        found = release(digest)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
