#!/usr/bin/env bash
# deploy/upload.sh FUNCTION PROJECT: upload dist/FUNCTION.zip to the bucket under its hash, unless the object exists.
set -euo pipefail
function=${1:?usage: deploy/upload.sh FUNCTION PROJECT}
project=${2:?usage: deploy/upload.sh FUNCTION PROJECT}
sha256=$(sha256sum "dist/$function.zip" | cut -d ' ' -f 1)
gcloud storage cp --no-clobber "dist/$function.zip" "gs://$project-heliograph-bundles/functions/$function/$sha256.zip"
