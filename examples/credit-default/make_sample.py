"""Make data/credit-sample.csv: invented clients with the columns and codes of the public credit default data.

    python make_sample.py            # writes data/credit-sample.csv, the same bytes every time

Nothing is taken from anybody's records. A client has a habit (pays in full, pays the minimum, falls behind) that shapes
six months of delays, bills and payments; who falls behind is likelier to default. As in the public file, the first line
numbers the columns (X1 ... X23, Y) and the second one names them.
"""

import argparse
import csv
import random
from pathlib import Path

MONTHS = range(1, 7)
COLUMNS = [
    "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE",
    "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6",
    *(f"BILL_AMT{month}" for month in MONTHS),
    *(f"PAY_AMT{month}" for month in MONTHS),
    "default payment next month",
]  # fmt: skip

# How often a habit is met, and what a month of it looks like: months of delay and the share of the bill that is paid.
HABITS = {
    "pays in full": (0.40, [-2, -1, -1], 1.0),
    "pays the minimum": (0.42, [0, 0, 0, 0, 1], 0.06),
    "falls behind": (0.18, [1, 2, 2, 2, 3], 0.02),
}


def client(draw: random.Random) -> list[int]:
    """One client: who they are, six months, and whether they default in the seventh."""
    limit = 10_000 * max(1, min(70, round(draw.lognormvariate(2.5, 0.8))))
    habit = draw.choices(list(HABITS), [share for share, _, _ in HABITS.values()])[0]
    _, delays, paid_share = HABITS[habit]

    delay = [draw.choice(delays) for _ in MONTHS]
    balance = limit * draw.uniform(0.02, 0.3 if habit == "pays in full" else 0.9)
    bills, paid = [], []
    for late in delay:
        bills.append(round(balance))
        payment = 0 if late >= 2 and draw.random() < 0.6 else balance * paid_share * draw.uniform(0.6, 1.4)
        paid.append(max(0, round(payment)))
        balance = max(0.0, balance * draw.uniform(0.85, 1.02) - payment / 8)

    risk = (
        0.08
        + 0.17 * (delay[0] > 0)
        + 0.13 * max(0, delay[0] - 1)
        + 0.04 * sum(late > 0 for late in delay[1:])
    )
    risk += 0.05 * (bills[0] > 0.8 * limit) - 0.03 * (limit > 200_000)
    defaults = int(draw.random() < min(0.95, max(0.02, risk)))
    person = [
        draw.choices([1, 2], [0.4, 0.6])[0],
        draw.choices([1, 2, 3, 4], [0.36, 0.46, 0.16, 0.02])[0],
        draw.choices([1, 2, 3], [0.45, 0.53, 0.02])[0],
        min(75, max(21, round(draw.gauss(35, 9)))),
    ]
    return [limit, *person, *delay, *bills, *paid, defaults]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=900)
    parser.add_argument("--seed", type=int, default=2005)
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "data" / "credit-sample.csv")
    args = parser.parse_args()

    draw = random.Random(args.seed)
    args.to.parent.mkdir(parents=True, exist_ok=True)
    with args.to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *(f"X{number}" for number in range(1, len(COLUMNS))), "Y"])
        writer.writerow(["ID", *COLUMNS])
        for number in range(1, args.clients + 1):
            writer.writerow([number, *client(draw)])


if __name__ == "__main__":
    main()
