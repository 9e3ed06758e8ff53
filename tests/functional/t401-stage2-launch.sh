#!/bin/sh
# What the launcher makes of a process: identity, rights, filter, root, working directory, descriptors.
if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
RKT_BUILD=${RKT_BUILD:-build}
export RKT_BUILD
CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent exec "$RKT_BUILD/tests/podbox_launch"
