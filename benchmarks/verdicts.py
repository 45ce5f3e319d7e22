"""Which verdict `check` gives of random logs, without a fault and with one planted, as a table in Markdown.

Run as `python -m benchmarks.verdicts`, which takes about a minute.
"""

from __future__ import annotations

from typing import get_args

from kosine.checking.verdict import Kind
from tests.checking.logs import confusion


def main() -> None:
    kinds = get_args(Kind)
    print(f"| log | {' | '.join(kinds)} |")
    print(f"|---|{'---:|' * len(kinds)}")
    for made, counts in confusion().items():
        print(f"| {made} | {' | '.join(str(counts[kind] or '') for kind in kinds)} |")


if __name__ == "__main__":
    main()
