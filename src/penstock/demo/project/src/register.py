"""Register the model as the new champion, when the evaluation says so."""

import argparse
import json
from pathlib import Path

import mlflow


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--evaluation", required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--registration", required=True)
    args = parser.parse_args()

    verdict = json.loads((Path(args.evaluation) / "evaluation.json").read_text())
    registration = {"name": args.model_name, "version": None, "reason": verdict["reason"]}
    if verdict["promote"]:
        saved = mlflow.models.get_model_info(args.model)
        logged = mlflow.sklearn.log_model(
            mlflow.sklearn.load_model(args.model),
            name="model",
            signature=saved.signature,
            registered_model_name=args.model_name,
            pip_requirements=str(Path(args.model) / "requirements.txt"),
        )
        registration["version"] = str(logged.registered_model_version)
        mlflow.MlflowClient().set_registered_model_alias(args.model_name, "champion", registration["version"])
        print(f"registered {args.model_name}:{registration['version']}, the new champion")
    else:
        print(f"not registered: {verdict['reason']}")
    Path(args.registration).write_text(json.dumps(registration, indent=2))


if __name__ == "__main__":
    main()
