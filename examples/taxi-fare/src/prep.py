"""Throw out rides that cannot be true, and split the rest: to learn from, to choose by, to judge on."""

import argparse
from pathlib import Path

import mlflow
import pandas as pd


def believable(rides: pd.DataFrame) -> pd.DataFrame:
    """Rides with a fare, a distance, and both ends somewhere near the city."""
    near = rides["pickup_latitude"].between(40.4, 41.1) & rides["dropoff_latitude"].between(40.4, 41.1)
    near &= rides["pickup_longitude"].between(-74.4, -73.4) & rides["dropoff_longitude"].between(-74.4, -73.4)
    return rides[(rides["cost"] >= 2.5) & (rides["distance"] > 0) & near]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rides", required=True)
    parser.add_argument("--prepared", required=True)
    args = parser.parse_args()

    rides = pd.read_csv(args.rides, index_col=0)
    kept = believable(rides)
    shuffled = kept.sample(frac=1, random_state=3)
    first, second = int(len(shuffled) * 0.7), int(len(shuffled) * 0.85)
    parts = {"train": shuffled[:first], "val": shuffled[first:second], "test": shuffled[second:]}

    folder = Path(args.prepared)
    for name, part in parts.items():
        part.to_csv(folder / f"{name}.csv", index=False)
        mlflow.log_metric(f"{name}_size", len(part))
    print(
        f"{len(rides)} rides read, {len(rides) - len(kept)} thrown out,",
        {name: len(part) for name, part in parts.items()},
    )


if __name__ == "__main__":
    main()
