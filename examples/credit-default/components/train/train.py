"""Train a forest and save it as an MLflow model."""

import argparse

import mlflow
import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature
from sklearn.ensemble import RandomForestClassifier


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True)
    parser.add_argument("--trees", type=int, required=True)
    parser.add_argument("--criterion", required=True)
    parser.add_argument("--balanced", choices=["True", "False"], required=True)
    parser.add_argument("--max-depth", type=int)
    parser.add_argument("--min-leaf", type=int, default=1)
    parser.add_argument("--model", required=True)
    args = parser.parse_args()

    clients = pd.read_csv(args.train)
    known, defaults = clients.drop(columns="defaults"), clients["defaults"].astype(int)
    model = RandomForestClassifier(
        n_estimators=args.trees,
        criterion=args.criterion,
        class_weight="balanced" if args.balanced == "True" else None,
        max_depth=args.max_depth,
        min_samples_leaf=args.min_leaf,
        random_state=0,
        n_jobs=2,
    )
    model.fit(known, defaults)

    mlflow.log_params({key: value for key, value in vars(args).items() if key not in {"train", "model"}})
    mlflow.sklearn.save_model(
        model,
        args.model,
        signature=infer_signature(known, model.predict(known)),
        pip_requirements=["scikit-learn==1.7.2"],
    )
    print(
        f"{args.trees} trees, {args.criterion}, depth {args.max_depth}, at least {args.min_leaf} clients in a leaf"
    )


if __name__ == "__main__":
    main()
