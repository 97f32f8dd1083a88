"""Register the model when it is good enough to be of use."""

import argparse
import json
import sys
from pathlib import Path

import mlflow
import mlflow.sklearn


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--least-roc-auc", type=float, required=True)
    args = parser.parse_args()

    reached = json.loads(args.metrics.read_text())["roc_auc"]
    if reached < args.least_roc_auc:
        print(f"not registered: ROC AUC {reached:.3f} is below {args.least_roc_auc}", file=sys.stderr)
        return 1
    mlflow.sklearn.log_model(
        mlflow.sklearn.load_model(args.model),
        artifact_path="model",
        registered_model_name=args.model_name,
        pip_requirements=["scikit-learn==1.7.2"],
    )
    print(f"registered {args.model_name}, ROC AUC {reached:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
