#!/bin/sh
# Moodride as it is installed: asks and checks the running services, whoever calls it.
export RUNTIME_DIRECTORY="${RUNTIME_DIRECTORY:-/run/moodride}"
export STATE_DIRECTORY="${STATE_DIRECTORY:-/var/lib/moodride}"
# onnxruntime's wheels report their use to their maker unless told not to.
export ORT_DISABLE_TELEMETRY=1
exec /opt/moodride/current/.venv/bin/moodride "$@"
