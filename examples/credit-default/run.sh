#!/usr/bin/env bash
# What a CI job does with this project. `ML="az ml" ./run.sh` does the same in the cloud.
#
#   ./run.sh                         with the sample
#   ./run.sh path/to/clients.xls     with other clients of the same columns
set -euo pipefail
ml=${ML:-penstock}
clients=${1:+$(cd "$(dirname "$1")" && pwd)/$(basename "$1")}
cd "$(dirname "$0")"

$ml environment create --file environment/environment.yml --only-show-errors -o none
$ml compute create -n cpu-cluster --type AmlCompute --min-instances 0 --max-instances 2 --size STANDARD_DS3_V2 -o none

overrides=()
if [ -n "$clients" ]; then
    version=$($ml data create --name credit-default-clients --type uri_file --path "$clients" --query version -o tsv)
    overrides=(--set "inputs.clients.path=azureml:credit-default-clients:$version")
fi

$ml job validate --file pipeline.yml --query result -o tsv
run_id=$($ml job create --file pipeline.yml ${overrides[@]+"${overrides[@]}"} --query name -o tsv)
if [ -z "$run_id" ]; then
    echo "the job was not created" >&2
    exit 3
fi

# The loop that CI templates have.
running=("Queued" "NotStarted" "Starting" "Preparing" "Running" "Finalizing")
status=$($ml job show -n "$run_id" --query status -o tsv)
echo "$run_id $status"
while [[ " ${running[*]} " == *" $status "* ]]; do
    sleep 3
    status=$($ml job show -n "$run_id" --query status -o tsv)
    echo "$run_id $status"
done
if [ "$status" != Completed ]; then
    $ml job stream -n "$run_id" || true
    exit 1
fi

$ml job download -n "$run_id" --all --download-path downloaded
find downloaded/named-outputs -type f | sort
$ml model show --name credit-default-model --label latest --query "{model: name, version: version, type: type}" -o table
