"""Score the clients that were kept back, and measure."""

import argparse
import json
from pathlib import Path

import mlflow
import mlflow.sklearn
import pandas as pd
from sklearn.metrics import precision_score, recall_score, roc_auc_score


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--test", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--scored", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    args = parser.parse_args()

    clients = pd.read_csv(args.test)
    defaults = clients["defaults"].astype(int)
    probability = mlflow.sklearn.load_model(args.model).predict_proba(clients.drop(columns="defaults"))[:, 1]
    called = (probability >= args.threshold).astype(int)
    metrics = {
        "roc_auc": float(roc_auc_score(defaults, probability)),
        "precision": float(precision_score(defaults, called, zero_division=0)),
        "recall": float(recall_score(defaults, called)),
    }

    mlflow.log_metrics(metrics)
    mlflow.log_param("threshold", args.threshold)
    clients.assign(probability=probability).to_csv(args.scored / "scored.csv", index=False)
    args.metrics.write_text(json.dumps(metrics))
    print(metrics)


if __name__ == "__main__":
    main()
