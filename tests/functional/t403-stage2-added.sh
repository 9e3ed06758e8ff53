#!/bin/sh
# What init takes for a plan of an app that is added, and what it does not.
if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
RKT_BUILD=${RKT_BUILD:-build}
export RKT_BUILD
CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent exec "$RKT_BUILD/tests/podbox_added"
