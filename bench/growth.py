"""``python -m bench.growth``: measures what becomes slower while the tables grow.

First requests (``growth_requests``), with 10,000 notifications and with 1,000,000; then a sweep's claim
(``growth_claims``).
"""

import json
import tempfile
from pathlib import Path

from bench import growth_claims, growth_requests
from bench.growth_claims import Claim
from bench.growth_requests import Growth
from local import postgres


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)  # so that PostgreSQL can reach it, which may run as another user
        with postgres.running(folder / "data", log=folder / "postgres.log") as server:
            requests = growth_requests.measure(server.url)
            _print_requests(requests)
            claims = growth_claims.measure(server.url)
            _print_claims(claims)
    ratios = {f"{growth.name}_over_small": round(growth.ratio, 2) for growth in requests}
    print(json.dumps({"bench": "growth", **ratios, **_claim_ratios(claims)}))


def _print_requests(requests: list[Growth]) -> None:
    small, large = growth_requests.TOTALS
    print(f"{'':>8} {f'{small:,} ms':>13} {f'{large:,} ms':>13} {'ratio':>6}   indexes")
    for growth in requests:
        indexes = ", ".join(growth.plan.indexes)
        print(f"{growth.name:>8} {growth.small:13.2f} {growth.large:13.2f} {growth.ratio:6.2f}   {indexes}")
        if growth.plan.scanned:
            print(f"{'':>8} reads as a whole: {', '.join(growth.plan.scanned)}")
    print()


def _print_claims(claims: list[tuple[int, Claim, Claim]]) -> None:
    print(f"{'':>12}   {'Postgres may vacuum':^19}   {'a transaction is open':^21}")
    print(f"{'deliveries':>12} {'lately ms':>10} {'complete ms':>12} {'lately ms':>10} {'complete ms':>12}")
    for total, vacuumed, held in claims:
        print(
            f"{total:12,} {vacuumed.lately:10.1f} {vacuumed.complete:12.1f} {held.lately:10.1f} {held.complete:12.1f}"
        )


def _claim_ratios(claims: list[tuple[int, Claim, Claim]]) -> dict[str, float]:
    (_, quiet, held), (_, last_quiet, last_held) = claims[0], claims[-1]
    return {
        "lately_over_empty": round(last_quiet.lately / quiet.lately, 2),
        "lately_over_empty_with_open_transaction": round(last_held.lately / held.lately, 2),
        "complete_over_empty_with_open_transaction": round(last_held.complete / held.complete, 2),
    }


if __name__ == "__main__":
    main()
