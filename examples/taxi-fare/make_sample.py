"""Make data/taxi-sample.csv: invented rides with the columns, ranges and quirks of the public taxi data.

    python make_sample.py            # writes data/taxi-sample.csv, the same bytes every time

Nothing is taken from anybody's records. A fare is a base, so much per mile and per minute, and a night surcharge; like
the real file the sample also has a few rows that a careful prep step throws out (a fare of a cent, no distance).
"""

import argparse
import csv
import math
import random
from pathlib import Path

COLUMNS = [
    "", "cost", "distance", "dropoff_latitude", "dropoff_longitude", "passengers", "pickup_latitude",
    "pickup_longitude", "store_forward", "vendor", "pickup_weekday", "pickup_month", "pickup_monthday",
    "pickup_hour", "pickup_minute", "pickup_second", "dropoff_weekday", "dropoff_month", "dropoff_monthday",
    "dropoff_hour", "dropoff_minute", "dropoff_second",
]  # fmt: skip

BUSY_HOURS = [7, 8, 9, 16, 17, 18, 19]
MILES_PER_DEGREE = 69.0


def ride(number: int, draw: random.Random) -> dict[str, object]:
    """One ride on a day of January."""
    day = draw.randint(1, 30)
    weekday = (day + 4) % 7
    hour = draw.choice(BUSY_HOURS) if draw.random() < 0.4 else draw.randint(0, 23)
    start = hour * 3600 + draw.randint(0, 3599)

    distance = min(33.0, max(0.2, draw.lognormvariate(0.65, 0.8)))
    miles_per_hour = (9.5 if hour in BUSY_HOURS and weekday < 5 else 14.5) * draw.uniform(
        0.75, 1.35
    ) + distance / 2
    minutes = 60 * distance / miles_per_hour
    end = start + int(60 * minutes)

    latitude, longitude = draw.gauss(40.75, 0.04), draw.gauss(-73.955, 0.035)
    direction, crow = draw.uniform(0, 2 * math.pi), distance / 1.3 / MILES_PER_DEGREE
    night = 0.5 if hour >= 20 or hour < 6 else 0.0
    cost = 2.5 + 2.1 * distance + 0.42 * minutes + night
    cost = round(2 * cost * draw.uniform(0.96, 1.05)) / 2
    if draw.random() < 0.01:  # what a meter writes when it is switched off at once
        cost, distance = 0.01, 0.0

    later = end // 86400
    end %= 86400
    return {
        "": number,
        "cost": cost,
        "distance": round(distance, 2),
        "dropoff_latitude": round(latitude + crow * math.sin(direction), 6),
        "dropoff_longitude": round(longitude + crow * math.cos(direction) / 0.76, 6),
        "passengers": draw.choices([1, 2, 3, 4, 5, 6], [78, 10, 3, 1, 5, 3])[0],
        "pickup_latitude": round(latitude, 6),
        "pickup_longitude": round(longitude, 6),
        "store_forward": int(draw.random() < 0.005),
        "vendor": 2 if draw.random() < 0.66 else 1,
        "pickup_weekday": weekday,
        "pickup_month": 1,
        "pickup_monthday": day,
        "pickup_hour": start // 3600,
        "pickup_minute": start // 60 % 60,
        "pickup_second": start % 60,
        "dropoff_weekday": (weekday + later) % 7,
        "dropoff_month": 1,
        "dropoff_monthday": day + later,
        "dropoff_hour": end // 3600,
        "dropoff_minute": end // 60 % 60,
        "dropoff_second": end % 60,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rides", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=2016)
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "data" / "taxi-sample.csv")
    args = parser.parse_args()

    draw = random.Random(args.seed)
    args.to.parent.mkdir(parents=True, exist_ok=True)
    with args.to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(ride(number, draw) for number in range(args.rides))


if __name__ == "__main__":
    main()
