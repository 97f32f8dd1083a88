"""Register the model, when the evaluation has found it better."""

import argparse
import json
from pathlib import Path

import mlflow
import mlflow.sklearn


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--deploy-flag", required=True)
    parser.add_argument("--model-info", required=True)
    args = parser.parse_args()

    if Path(args.deploy_flag).read_text().strip() != "1":
        print("the model is not registered: what is registered is as good")
        return

    with mlflow.start_run() as run:
        model = mlflow.sklearn.load_model(args.model)
        mlflow.sklearn.log_model(model, artifact_path="model", pip_requirements=["scikit-learn==1.7.2"])
        version = mlflow.register_model(f"runs:/{run.info.run_id}/model", args.model_name)
    (Path(args.model_info) / "model_info.json").write_text(
        json.dumps({"id": f"{args.model_name}:{version.version}"})
    )
    print(f"registered {args.model_name}:{version.version}")


if __name__ == "__main__":
    main()
