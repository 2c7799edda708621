"""``python -m deploy.webhook_secret URL``: print the signing secret of the webhook receiver at URL.

Reads the master secret from WEBHOOK_SIGNING_SECRET. While it rotates there are two, and two lines are printed. The
secret is the same for every URL with this scheme, host and port. Give it to the receiver only. It prints
no ``shared:`` secret, because other receivers have that one too.
"""

import argparse
import os
import sys

from shared.errors import ConfigurationError
from shared.webhook_secrets import MASTER_SECRET, derive, is_shared, origin_of


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.webhook_secret", description=__doc__)
    parser.add_argument("url", help="a URL of the receiver")
    url = parser.parse_args().url
    masters = [each for each in os.environ.get(MASTER_SECRET, "").split() if not is_shared(each)]
    if not masters:
        sys.exit(str(ConfigurationError.missing([MASTER_SECRET])))
    try:
        receiver = origin_of(url)
    except ValueError as error:
        sys.exit(f"{url}: {error}.")
    try:
        secrets = [derive(master, receiver) for master in masters]
    except ValueError:
        sys.exit(f"{MASTER_SECRET} is malformed. It must be whsec_ and base64.")
    print("\n".join(secrets))


if __name__ == "__main__":
    main()
