"""Judge the model on rides that it has not seen, and say whether it should replace the newest registered one."""

import argparse
from pathlib import Path

import mlflow
import mlflow.sklearn
import pandas as pd
from mlflow.tracking import MlflowClient
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from train import FEATURES, TARGET


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prepared", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--evaluation", required=True)
    parser.add_argument("--deploy-flag", required=True)
    args = parser.parse_args()

    rides = pd.read_csv(Path(args.prepared) / "test.csv")
    predicted = mlflow.sklearn.load_model(args.model).predict(rides[FEATURES])
    mae = mean_absolute_error(rides[TARGET], predicted)
    mlflow.log_metrics(
        {
            "test_mae": mae,
            "test_rmse": mean_squared_error(rides[TARGET], predicted) ** 0.5,
            "test_r2": r2_score(rides[TARGET], predicted),
        }
    )

    lines = [f"this model: mean absolute error {mae:.4f}"]
    best = None
    for version in MlflowClient().search_model_versions(f"name='{args.model_name}'"):
        registered = mlflow.sklearn.load_model(f"models:/{args.model_name}/{version.version}")
        theirs = mean_absolute_error(rides[TARGET], registered.predict(rides[FEATURES]))
        lines.append(f"version {version.version}: mean absolute error {theirs:.4f}")
        best = theirs if best is None else min(best, theirs)
    deploy = best is None or mae < best
    lines.append("register it" if deploy else "keep what is registered")

    folder = Path(args.evaluation)
    (folder / "score.txt").write_text("\n".join(lines) + "\n")
    rides.assign(predicted=predicted)[[TARGET, "predicted"]].to_csv(folder / "predictions.csv", index=False)
    mlflow.log_artifact(str(folder / "score.txt"))
    mlflow.log_metric("deploy_flag", int(deploy))
    Path(args.deploy_flag).write_text(str(int(deploy)))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
