# shellcheck shell=sh
# ocilib.sh — what the tests of OCI and docker images share, over lib.sh: a registry, images made by ocimake.py, how a stored image looks.

TESTS=$(cd "${0%/*}/../functional" && pwd)

# start_registry [YAML-LINE]...: Debian's registry on loopback; sets $registry (HOST:PORT) and $registry_pid.  Its requests are in $T/registry.log.
# The port is below those that the kernel gives to clients, so that none of ours has it; the test's network is its own.
registries=0
start_registry() {
	registries=$((registries + 1))
	registry=127.0.0.1:$((5000 + registries))
	registry_port=${registry#*:}
	mkdir -p "$T/registry"
	cat >"$T/registry.yml" <<-END
		version: 0.1
		log: {level: info, accesslog: {disabled: false}}
		storage: {filesystem: {rootdirectory: $T/registry}}
		http: {addr: $registry${registry_tls:-}}
	END
	printf '%s\n' "$@" >>"$T/registry.yml"
	serve_registry
}

# serve_registry: by the configuration as it is now.
serve_registry() {
	: >"$T/registry.log"
	docker-registry serve "$T/registry.yml" >>"$T/registry.log" 2>&1 </dev/null &
	registry_pid=$!
	pids="$pids $registry_pid"
	wait_for 10 python3 -c "import socket; socket.create_connection(('127.0.0.1', $registry_port))"
}

# refuses REGEX DESCRIPTION CMD...: as fails_with, below the lines about downloads.
refuses() {
	_re=$1 _d=$2
	shift 2
	run "$@"
	if [ "$status" -eq 254 ] && [ "$(grep -vc '^image: ' "$T/err")" -eq 1 ] && tail -n 1 "$T/err" | grep -Eq -e "$_re"; then ok "$_d"; else
		not_ok "$_d"
		diag "want status 254 and one line: /$_re/"
	fi
}

# The registry writes a request down after it was answered, and closes its end of a connection only then: when there is none, all
# is in the log.
log_complete() {
	wait_for 10 sh -c "! ss -tnH state established state close-wait state last-ack 'sport = :$registry_port' | grep -q ." ||
		diag "the registry still has connections"
}

# new_log: requests are counted from here on.
new_log() {
	log_complete
	: >"$T/registry.log"
}

# registry_asked REGEX: how many requests there were of that kind.
registry_asked() {
	log_complete
	grep -c -e "$1" "$T/registry.log"
}

# How many blobs the registry was asked for since the log was last emptied.
blobs_asked() { registry_asked '"GET /v2/[^ ]*/blobs/'; }

# make_images <<PYTHON: with ocimake's names; `registry` is the host.
make_images() { { echo "import sys; sys.path.insert(0, '$TESTS'); from ocimake import *; registry, T = '${registry:-}', '$T'"; cat; } | python3 -; }

# start_badreg LAYOUT: sets $registry; rules in $T/badreg.rules, requests in $T/badreg.log.
start_badreg() {
	rm -f "$T/badreg.port"
	: >"$T/badreg.rules"
	: >"$T/badreg.log"
	python3 "$TESTS/badreg.py" "$1" "$T/badreg.port" "$T/badreg.rules" "$T/badreg.log" >"$T/badreg.err" 2>&1 </dev/null &
	badreg_pid=$!
	pids="$pids $badreg_pid"
	wait_for 10 test -s "$T/badreg.port"
	registry=127.0.0.1:$(cat "$T/badreg.port")
}

# stored_trees ID: the trees of a stored image, top first, as overlayfs wants them.
stored_trees() {
	python3 - "$RKT_DIR/cas" "$1" <<-'END'
		import json, sys
		cas, image = sys.argv[1:]
		doc = json.load(open(cas + '/image/' + image))
		print(':'.join(cas + '/tree/' + l['tree'] + '/rootfs' for l in reversed(doc['layers'])))
	END
}

# stored_root ID: the tree whose root directory is the image's: a pod gets an upper layer that looks like it.
stored_root() {
	python3 - "$RKT_DIR/cas" "$1" <<-'END'
		import json, sys
		cas, image = sys.argv[1:]
		doc = json.load(open(cas + '/image/' + image))
		print(cas + '/tree/' + doc['layers'][doc['rootLayer']]['tree'] + '/rootfs')
	END
}

# stored_hash ID: what an overlay of its layers shows, a line for each file (treehash.py).
stored_hash() {
	mkdir -p "$T/mnt"
	python3 "$TESTS/treehash.py" "$(stored_root "$1")" | head -n 1
	unshare -m --propagation private sh -ec "
		case \$1 in
		*:*) mount -t overlay none -o ro,lowerdir=\"\$1\" '$T/mnt' ;;
		*) mount --bind \"\$1\" '$T/mnt' ;;
		esac
		python3 '$TESTS/treehash.py' '$T/mnt'" sh "$(stored_trees "$1")" | tail -n +2
}
