"""Writes down how many flowers of which kind there are."""

import argparse
import csv
from collections import Counter
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--flowers", required=True)
parser.add_argument("--depth", type=int, default=3)
parser.add_argument("--seed", type=int)
parser.add_argument("--model", required=True)
given = parser.parse_args()

with open(given.flowers, newline="") as rows:
    kinds = Counter(row["kind"] for row in csv.DictReader(rows))
(Path(given.model) / "kinds.txt").write_text(str(kinds))
