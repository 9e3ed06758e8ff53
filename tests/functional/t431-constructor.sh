#!/bin/sh
# One constructor: under twelve policies, what enter (and app exec) starts is what the app is, seen from the host.
. "${0%/*}/lib.sh"
need_root
make_image example.com/app
accept_unsigned
rkt fetch "$image" >/dev/null 2>&1

# The lines of /proc/PID that say what a process may do.
portrait() {
	grep -E '^(Umask|Uid|Gid|Groups|NStgid|NSpid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|Seccomp_filters|SigIgn|SigBlk):' "/proc/$1/status" |
		sed -E 's/^(NStgid|NSpid):.*/\1 has '"$(awk '/^NSpid:/ { print NF - 1 }' "/proc/$1/status")"' levels/'
	sed 's/^/cgroup /' "/proc/$1/cgroup"
	for _ns in user mnt pid ipc uts net cgroup time; do
		# every process of the pod has a mount namespace of its own, cloned from the app's tree
		[ "$_ns" = mnt ] || echo "$_ns $(readlink "/proc/$1/ns/$_ns")"
	done
	sed 's/^/limit /' "/proc/$1/limits"
	echo "oom $(cat "/proc/$1/oom_score_adj")"
	echo "cwd $(readlink "/proc/$1/cwd")"
	echo "root $(stat -L -c %d:%i "/proc/$1/root/")"
	echo "environment $(tr '\0' '\n' <"/proc/$1/environ" | grep -vE '^(TERM|_)=' | sort | tr '\n' ' ')"
	for _fd in "/proc/$1/fd"/*; do
		[ "${_fd##*/}" -le 2 ] || echo "descriptor $_fd $(readlink "$_fd")"
	done
}

there() { [ -n "$(sleeper "$uuid" "$1")" ]; }

n=0
# policy NAME ARGS...: pod options before "--", options of the app after it.
policy() {
	_name=$1
	shift
	n=$((n + 1))
	_pod=
	while [ "$1" != -- ]; do
		_pod="$_pod $1"
		shift
	done
	shift
	rm -f "$T/uuid"
	# shellcheck disable=SC2086
	start_rkt run --uuid-file-save="$T/uuid" ${net:---net=none} $_pod example.com/app "$@" --exec=/bin/sleep -- "77${n}1"
	wait_for 10 test -s "$T/uuid"
	uuid=$(cat "$T/uuid")
	rkt status --wait-ready=100s "$uuid" >/dev/null 2>&1
	app=$(sleeper "$uuid" "77${n}1")
	# from a caller who is another one than that of run in everything that a process inherits
	sh -c 'umask 077; ulimit -S -n 555; ulimit -S -s 4096; trap "" USR1 QUIT; echo 300 >/proc/self/oom_score_adj; exec "$@"' - \
		"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" enter --app=app "$uuid" /bin/sleep "77${n}2" </dev/null >/dev/null 2>"$T/enter.err" 9<"$T/etc" &
	enter=$!
	pids="$pids $enter"
	wait_for 10 there "77${n}2"
	entered=$(sleeper "$uuid" "77${n}2")
	if [ -n "$app" ] && [ -n "$entered" ]; then
		portrait "$app" >"$T/app"
		portrait "$entered" >"$T/entered"
		if diff "$T/app" "$T/entered" >"$T/diff"; then ok "$_name"; else
			not_ok "$_name"
			diag "$(cat "$T/diff")"
		fi
	else
		not_ok "$_name"
		diag "app $app, entered $entered: $(cat "$T/enter.err" "$T/bg.err")"
	fi
	rkt stop --force "$uuid" >/dev/null 2>&1
	wait "$pid" 2>/dev/null || :
	check "$_name: what was entered ends with the pod" wait_for 5 sh -c "! kill -0 $enter 2>/dev/null"
}

policy "the default policy" --
policy "another user and group" -- --user=alice --group=alice
policy "supplementary groups and a working directory" -- --supplementary-gids=7,8,9 --working-dir=/etc
policy "capabilities retained" -- --caps-retain=CAP_NET_BIND_SERVICE,CAP_CHOWN
policy "capabilities removed, another user" -- --caps-remove=CAP_NET_RAW,CAP_MKNOD --user=1000 --group=1000
policy "a filter of its own" -- --seccomp=mode=remove,errno=EPERM,socket,ptrace
policy "a filter that retains" -- --seccomp=mode=retain,@rkt/default-whitelist
policy "no new privileges, read-only" -- --no-new-privileges=true --readonly-rootfs=true
policy "limits of memory and processes" -- --memory=64M --pids-limit=40 --cpu=500m --oom-score-adj=500
policy "resource limits" -- --rlimit=nofile=64:128 --rlimit=core=0:0
policy "a device, environment" --set-env=A=b -- --device=/dev/null --environment=C=d
policy "a user namespace" --private-users -- --user=alice --group=alice
net=--net=host policy "the host's network and ipc" --ipc=parent -- --caps-retain=CAP_NET_ADMIN
