"""One round of all measurements in a fresh process, as JSON on standard output."""

from __future__ import annotations

import json
import sys

from benchmarks import catalogue, compare, depth


def main() -> None:
    """Measure everything once; `--quick` leaves out the deepest networks."""
    quick = "--quick" in sys.argv
    depths, scalars = ((10, 20), (1, 2)) if quick else (depth.DEPTHS, depth.SCALAR_DEPTHS)
    found = {
        "depth": depth.measured(depths, scalars),
        "catalogue": catalogue.measured(),
        "losses": compare.compared(),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
