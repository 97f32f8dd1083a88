"""Read the clients, give the columns plain names, and split."""

import argparse
from pathlib import Path

import mlflow
import pandas as pd
from sklearn.model_selection import train_test_split


def read(path: Path) -> pd.DataFrame:
    """The public file is Excel, our sample CSV; in both the second line names the columns."""
    if path.suffix.lower() in {".xls", ".xlsx"}:
        return pd.read_excel(path, header=1, index_col=0)
    return pd.read_csv(path, header=1, index_col=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=Path, required=True)
    parser.add_argument("--test-share", type=float, required=True)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    args = parser.parse_args()

    clients = read(args.clients).rename(columns={"default payment next month": "defaults"}).astype(float)
    if args.sample is not None:
        clients = clients.sample(args.sample, random_state=5)
    train, test = train_test_split(
        clients, test_size=args.test_share, random_state=5, stratify=clients["defaults"]
    )
    train.to_csv(args.train, index=False)
    test.to_csv(args.test, index=False)

    mlflow.log_metrics({"clients": len(clients), "default_share": clients["defaults"].mean()})
    print(
        f"{len(clients)} clients, {clients['defaults'].mean():.1%} of them default; {len(test)} are kept to judge on"
    )


if __name__ == "__main__":
    main()
