"""Train a forest that predicts the fare."""

import argparse
import os
from pathlib import Path

import mlflow
import mlflow.sklearn
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error, r2_score

TARGET = "cost"
FEATURES = [
    "distance", "dropoff_latitude", "dropoff_longitude", "passengers", "pickup_latitude", "pickup_longitude",
    "pickup_weekday", "pickup_hour", "pickup_minute", "store_forward", "vendor",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prepared", required=True)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--max-depth", type=int, default=None)
    parser.add_argument("--model", required=True)
    args = parser.parse_args()

    train = pd.read_csv(Path(args.prepared) / "train.csv")
    val = pd.read_csv(Path(args.prepared) / "val.csv")

    mlflow.log_params({"trees": args.trees, "max_depth": args.max_depth, "features": len(FEATURES)})
    mlflow.set_tag("label", os.environ.get("RUN_LABEL", ""))
    model = RandomForestRegressor(n_estimators=args.trees, max_depth=args.max_depth, random_state=1, n_jobs=2)
    model.fit(train[FEATURES], train[TARGET])

    predicted = model.predict(val[FEATURES])
    mlflow.log_metrics(
        {"val_mae": mean_absolute_error(val[TARGET], predicted), "val_r2": r2_score(val[TARGET], predicted)}
    )
    for name, weight in sorted(
        zip(FEATURES, model.feature_importances_, strict=False), key=lambda pair: -pair[1]
    )[:3]:
        print(f"{name:<20} {weight:.3f}")

    mlflow.sklearn.save_model(model, args.model, pip_requirements=["scikit-learn==1.7.2"])


if __name__ == "__main__":
    main()
