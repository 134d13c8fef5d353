"""Derive src/htxsearch/text/districts.tsv from the map of communes that underthesea ships: scripts/derive_districts.py

The map (underthesea/address/data/mapping.json, from vietnamadminunits 1.0.4; Apache-2.0) lists the communes of
before 1 July 2025 with their district and province. Kept are the districts whose bare name belongs to one
province: Châu Thành is in ten, quận Bình Tân in Hồ Chí Minh and huyện Bình Tân in Vĩnh Long, so they tell
nothing. Names of provinces and numbered districts are left out too. Communes are not derived: the map has
only those left in 2025, after three rounds of mergers, so a name that is unique in it was not always so.
"""

import json
import re
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

from htxsearch.text.places import canonical_place, provinces

KINDS = re.compile(r"(?:Huyện|Quận|Thị xã|Thành phố) ")
TARGET = Path(__file__).parent.parent / "src/htxsearch/text/districts.tsv"
HEADER = """\
# district before 1 July 2025\tits province then; only names that one province has
# made by scripts/derive_districts.py from underthesea's address map (vietnamadminunits 1.0.4), Apache-2.0
"""


def districts(records: list[dict[str, str]]) -> dict[str, str]:
    """Return each district's bare name with its old province, where only one province has that name."""
    found: dict[str, set[str]] = defaultdict(set)
    for record in records:
        name = KINDS.sub("", record["old_district"], count=1)
        found[name].add(canonical_place(record["old_province"]))
    clear = {name: some.pop() for name, some in found.items() if len(some) == 1}
    return {name: clear[name] for name in sorted(clear) if name not in provinces() and not name.isdecimal()}


def main() -> None:
    """Write the table anew."""
    package = find_spec("underthesea")
    if package is None or package.origin is None:
        raise SystemExit("underthesea is not installed; run scripts/setup")
    data = json.loads((Path(package.origin).parent / "address/data/mapping.json").read_text("utf-8"))
    rows = districts(data["ward_mapping"])
    TARGET.write_text(HEADER + "".join(f"{name}\t{place}\n" for name, place in rows.items()), "utf-8")
    print(f"{TARGET.name}: {len(rows)} districts, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
