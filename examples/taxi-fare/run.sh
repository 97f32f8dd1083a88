#!/usr/bin/env bash
# What a CI job does with this project. `ML="az ml" ./run.sh` does the same in the cloud.
#
#   ./run.sh                      with the sample
#   ./run.sh path/to/rides.csv    with other rides of the same columns
set -euo pipefail
ml=${ML:-penstock}
rides=${1:+$(cd "$(dirname "$1")" && pwd)/$(basename "$1")}
cd "$(dirname "$0")"

$ml environment create -f environment.yml --version 1 --query id -o tsv
if [ -n "$rides" ]; then
    $ml data create --name taxi-fare-rides --type uri_file --path "$rides" --query id -o tsv
else
    $ml data create -f data.yml --version 1 --query id -o tsv
fi
$ml compute show --name cpu-cluster --query name -o tsv 2>/dev/null ||
    $ml compute create --name cpu-cluster --type amlcompute --min-instances 0 --max-instances 2 --query name -o tsv

job=$($ml job create -f pipeline.yml --query name -o tsv)
echo "job $job"

status=Queued
while true; do
    case "$status" in
        NotStarted | Queued | Preparing | Provisioning | Starting | Running | Finalizing | CancelRequested) sleep 2 ;;
        *) break ;;
    esac
    status=$($ml job show --name "$job" --query status -o tsv)
done
echo "$status"
[ "$status" = Completed ]

$ml job download --name "$job" --output-name evaluation --download-path downloaded
cat downloaded/named-outputs/evaluation/score.txt
$ml model list --name taxi-fare-model --query "[].{Name:name, Version:version}" -o table
