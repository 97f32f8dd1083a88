"""Split scikit-learn's breast cancer cases into those to learn from and those to be judged on."""

import argparse

import mlflow
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-share", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    args = parser.parse_args()

    cases = load_breast_cancer(as_frame=True).frame
    cases.columns = [column.replace(" ", "_") for column in cases.columns]
    # The data set calls benign 1. What we look for is the malignant tumour.
    cases["malignant"] = 1 - cases.pop("target")

    train, test = train_test_split(
        cases, test_size=args.test_share, random_state=args.seed, stratify=cases["malignant"]
    )
    train.to_csv(args.train, index=False)
    test.to_csv(args.test, index=False)

    mlflow.log_metrics({"train_cases": len(train), "test_cases": len(test)})
    print(
        f"{len(cases)} cases, {cases['malignant'].sum()} of them malignant: {len(train)} to learn from, {len(test)} to judge on"
    )


if __name__ == "__main__":
    main()
