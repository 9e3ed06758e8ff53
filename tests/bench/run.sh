#!/bin/sh
# make bench: what a start, a fetch, a list and a gc cost, beside crun, bwrap and podman where they are installed.
#
# ROUNDS (50) runs of each contestant, in turns; PODS (10000) for list and gc; SMALL (64) and BIG (512) MiB for
# fetch; WHAT=start,net,many,calls,links,memory,fetch,pull,pods picks;
# PULLS (3) turns of pull; MANY (200) for the starts at once.  Root.  Clocks on shared machines lie: compare columns of one run.
# shellcheck disable=SC2086 # contestants are command lines in variables, split on purpose

# All of it in a network namespace of our own, so that networks touch nobody's firewall. crun 1.8 refuses to run where the
# unified hierarchy of a hybrid set-up has a controller: in a mount namespace of our own it is shown one without; rkt needs no
# controller for this either. Networks of podman's leave their state in /run.
if [ -z "${RKT_BENCH_NS-}" ]; then
	# shellcheck disable=SC2016 # for the inner shell
	RKT_BENCH_NS=1 RKT_TEST_HOST=1 exec unshare -m -n --propagation private sh -c '
		none=/sys/fs/cgroup/unified/cgroup.controllers
		! grep -qs . $none || mount --bind /dev/null $none || exit
		ip link set lo up && mount -t tmpfs tmpfs /run && exec sh "$0" "$@"' "$0" "$@"
fi
. "${0%/*}/../functional/lib.sh"
need_root
accept_unsigned
ROUNDS=${ROUNDS:-50} PODS=${PODS:-10000} SMALL=${SMALL:-64} BIG=${BIG:-512}
WHAT=${WHAT:-start,net,many,calls,links,memory,fetch,pull,pods} PULLS=${PULLS:-3} MANY=${MANY:-200}

title() { printf '\n# %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
wanted() { case ,$WHAT, in *,"$1",*) ;; *) return 1 ;; esac; }
timer() { "$RKT_BUILD/tests/interleave" "$@"; }

# The same tree for everybody: what make_image packs.
IMAGE_EXEC='["/bin/true"]' make_image example.com/true
rkt fetch "$image" >"$T/out" || { cat "$T/err"; exit 1; }
id=$(rkt fetch --full "$image")
make_rootfs "$T/bundle/rootfs"

set_up_crun() {
	(cd "$T/bundle" && crun spec) || return 1
	sed -i -e 's/"terminal": true/"terminal": false/' -e 's|"sh"|"/bin/true"|' "$T/bundle/config.json"
}

set_up_podman() {
	(cd "$T/bundle/rootfs" && tar cf - .) | podman --root "$T/podman" --runroot "$T/podman.run" import -q - bench/true >/dev/null 2>"$T/podman.err"
}

cleanup() {
	! have podman || [ ! -d "$T/podman" ] || podman --root "$T/podman" --runroot "$T/podman.run" rmi -af
	umount "$T/podman/overlay" 2>/dev/null
	umount "$T/podman.run" 2>/dev/null
	return 0
}

rkt_true="$RKT --dir=$RKT_DIR --local-config=$T/etc --system-config=$T/lib $accept run --net=none $id"
crun_true="crun --cgroup-manager=cgroupfs run -b $T/bundle bench-$$"
bwrap_true="bwrap --ro-bind $T/bundle/rootfs / --proc /proc --dev /dev --tmpfs /tmp --unshare-all --die-with-parent /bin/true"
floor_true="$RKT_BUILD/tests/floor $T/bundle/rootfs $T/floor.tree /bin/true"
# podman raises limits of processes unless told; not every machine lets it.
podman="podman --root $T/podman --runroot $T/podman.run --cgroup-manager=cgroupfs run --rm --log-driver=none
	--ulimit=nofile=1024:1024 --ulimit=nproc=1000:1000"
podman_true="$podman --net=none bench/true /bin/true"

bench_start() {
	title "start to end of a cached one-app pod that runs true, $ROUNDS rounds in turns"
	set -- rkt $rkt_true
	if have crun && set_up_crun; then set -- "$@" --- crun $crun_true; fi
	if have bwrap; then set -- "$@" --- bwrap $bwrap_true; fi
	set -- "$@" --- floor $floor_true
	timer -n "$ROUNDS" -o "$T" "$@" | tee "$T/start"
	awk '$1 == "rkt" { r = $2; rm = $3 } $1 == "crun" { c = $2; cm = $3 }
		END { if (c) printf "rkt / crun: %.2f by median, %.2f by minimum\n", r / c, rm / cm }' "$T/start"
	if have podman && set_up_podman; then timer -n 5 -w 1 podman $podman_true | tail -n 1; fi
	rkt gc --grace-period=0s >/dev/null 2>&1
}

bench_net() {
	title "the same with the default network, $((ROUNDS / 5)) rounds in turns"
	set -- rkt $RKT --dir=$RKT_DIR --local-config=$T/etc --system-config=$T/lib $accept run --net=default $id
	if have podman && set_up_podman; then set -- "$@" --- podman $podman bench/true /bin/true; fi
	mkdir -p "$T/times"
	timer -n "$((ROUNDS / 5))" -o "$T/times" "$@" | tee "$T/net"
	awk '$1 == "rkt" { r = $2 } $1 == "podman" { p = $2 } END { if (p) printf "rkt / podman: %.2f by median\n", r / p }' "$T/net"
	rkt gc --grace-period=0s >/dev/null 2>&1
}

# together COMMAND...: MANY of it at once, each with the words of $more and a number behind it where $more is set.
# Prints milliseconds and failures.
together() {
	: >"$T/bad"
	began=$(date +%s%N)
	i=0
	while [ $i -lt "$MANY" ]; do
		{ "$@" ${more:+"$more$i"} >/dev/null 2>&1 </dev/null || echo bad >>"$T/bad"; } &
		many_pids="$many_pids $!"
		i=$((i + 1))
	done
	for p in $many_pids; do wait "$p"; done
	many_pids=
	printf '%10d %8d\n' $((($(date +%s%N) - began) / 1000000)) "$(wc -l <"$T/bad")"
}

bench_many() {
	title "$MANY starts at once, twice in turns"
	printf '%-10s %10s %8s\n' "" "all ms" failed
	many_pids=
	for _turn in 1 2; do
		printf '%-10s ' rkt
		more='' together $rkt_true
		if have crun && { [ -e "$T/bundle/config.json" ] || set_up_crun; }; then
			printf '%-10s ' crun
			more=many-$$- together crun --cgroup-manager=cgroupfs run -b "$T/bundle"
		fi
	done
	rkt gc --grace-period=0s >/dev/null 2>&1
}

# Calls and execs of one command and everything it starts.
count_calls() {
	name=$1
	shift
	strace -f -qq -c -o "$T/calls" "$@" >/dev/null 2>&1 </dev/null
	calls=$(awk '$NF == "total" { print $4 }' "$T/calls")
	strace -f -qq -e trace=execve,execveat -o "$T/execs" "$@" >/dev/null 2>&1 </dev/null
	execs=$(grep -cE 'exec(ve|veat)\(.*= 0$' "$T/execs")
	strace -f -qq -e trace=clone,clone3,fork,vfork -o "$T/forks" "$@" >/dev/null 2>&1 </dev/null
	forks=$(grep -cE '(clone3?|v?fork)(\(| resumed).*= [1-9][0-9]*' "$T/forks")
	printf '%-10s %8s %8s %8s\n' "$name" "$calls" "$execs" "$forks"
}

bench_calls() {
	title "system calls, execs and processes of that run, everything included"
	have strace || { echo "no strace"; return; }
	printf '%-10s %8s %8s %8s\n' "" calls execs forks
	count_calls rkt $rkt_true
	if have crun && { [ -e "$T/bundle/config.json" ] || set_up_crun; }; then count_calls crun $crun_true; fi
	if have bwrap; then count_calls bwrap $bwrap_true; fi
	count_calls floor $floor_true
	rkt gc --grace-period=0s >/dev/null 2>&1
}

bench_links() {
	title "libraries of rkt"
	ldd "$RKT"
}

# Private memory, in KiB, of the processes of ours while one app sleeps.
bench_memory() {
	title "memory while an app runs: private KiB, resident KiB"
	start_rkt run --net=none "$id" --exec=/bin/sleep -- 30
	wait_for 10 sh -c "cat /proc/$pid/task/*/children | grep -q ." && sleep 0.5
	for p in $pid $(cat /proc/"$pid"/task/*/children); do
		awk -v p="$p" '/^Private/ { s += $2 } /^Rss/ { r = $2 } END { printf "%-28s %8d %8d\n", p, s, r }' \
			/proc/"$p"/smaps_rollup | sed "s|^$p|$(tr '\0' ' ' </proc/"$p"/cmdline | sed 's| .*||; s|.*/||')|"
	done
	kill "$pid"
	wait "$pid" 2>/dev/null
	rkt gc --grace-period=0s >/dev/null 2>&1
}

big_image() {
	mkdir -p "$T/payload"
	head -c "$1"M /dev/urandom >"$T/payload/blob"
	IMAGE_FILE=big$1.aci make_image example.com/big"$1" "$T/payload"
	rm -rf "$T/payload"
}

bench_fetch() {
	title "fetch over HTTP on loopback: the peak must not grow with the image"
	start_server
	for m in $SMALL $BIG; do
		big_image "$m"
		timer -n 1 -w 0 "fetch of $m MiB" "$RKT" --dir="$T/data$m" --local-config="$T/etc" --system-config="$T/lib" \
			--insecure-options=image fetch "$server_url/big$m.aci" | if [ "$m" = "$SMALL" ]; then cat; else tail -n 1; fi
		rm -rf "$T/data$m" "$T/images/big$m.aci"
	done
}

# Three layers, 370 MB and 30,000 files unpacked; and one that shares two of them.
pull_images() {
	python3 - "${0%/*}/../functional" "$registry" <<-'END'
		import random, sys
		sys.path.insert(0, sys.argv[1])
		from ocimake import *
		random.seed(7)
		words = [bytes(random.choices(b'abcdefghijklmnopqrstuvwxyz', k=random.randint(2, 9))) for _ in range(4000)]
		pool = [b' '.join(random.choices(words, k=40000)) for _ in range(20)]
		def content(n):
		    p = random.choice(pool)
		    at = random.randrange(len(p) - 1000)
		    return (random.randbytes(n // 4) + (p[at:] + p) * (n // len(p) + 2))[:n]
		def layer(k, dirs):
		    l = Layer().dir('.')
		    for d in range(dirs):
		        l.dir('l%d-%d' % (k, d))
		        for f in range(100):
		            l.file('l%d-%d/%d' % (k, d, f), content(int(random.expovariate(1 / 11600))))
		    return l.bytes()
		a, b, c, d = (layer(k, n) for k, n in enumerate((120, 100, 80, 80)))
		push('http://%s/v2/bench/a' % sys.argv[2], '1', Image([a, b, c]))
		push('http://%s/v2/bench/b' % sys.argv[2], '1', Image([a, b, d]))
	END
}

# once NAME COMMAND...: milliseconds, own and children's, and the peak of resident memory of any of them.
once() {
	name=$1
	shift
	sync
	timer -n 1 -w 0 "$name" "$@" | tail -n 1
}

# New directories each time: ext4 is slow where many files were deleted a moment ago.
bench_pull() {
	title "docker://: from a registry on loopback and an empty store to runnable, PULLS=$PULLS times in turns"
	have docker-registry || { echo "no docker-registry"; return; }
	# shellcheck source=tests/functional/ocilib.sh
	. "${0%/*}/../functional/ocilib.sh"
	start_registry "" # no further lines
	pull_images
	n=0
	while [ $n -lt "$PULLS" ]; do
		n=$((n + 1))
		mkdir -p "$T/pull$n"
		once rkt "$RKT" --dir="$T/pull$n/rkt" --local-config="$T/etc" --system-config="$T/lib" \
			--insecure-options=image,http fetch "docker://$registry/bench/a:1"
		if have podman; then
			once podman podman --root "$T/pull$n/podman" --runroot "$T/pull$n/run" --storage-driver=overlay pull -q \
				--tls-verify=false "docker://$registry/bench/a:1"
		fi
		if have skopeo && have umoci; then
			once skopeo+umoci sh -c "skopeo copy -q --src-tls-verify=false docker://$registry/bench/a:1 oci:$T/pull$n/oci:1 &&
				umoci unpack --image $T/pull$n/oci:1 $T/pull$n/bundle"
		fi
	done
	: >"$T/registry.log"
	once "rkt, second image" "$RKT" --dir="$T/pull1/rkt" --local-config="$T/etc" --system-config="$T/lib" \
		--insecure-options=image,http fetch "docker://$registry/bench/b:1"
	echo "blobs it asked for, config included: $(blobs_asked)"
}

bench_pods() {
	title "list and gc of $PODS exited pods"
	rkt run --net=none "$id" >/dev/null 2>&1
	one=$(find "$RKT_DIR"/pods/run -mindepth 1 -maxdepth 1 | head -n 1)
	[ -n "$one" ] || { echo "no pod"; return; }
	i=1
	while [ $i -lt "$PODS" ]; do
		cp -a "$one" "$(printf '%s/%08x-0000-4000-8000-%012x' "${one%/*}" $i $i)"
		i=$((i + 1))
	done
	timer -n 5 -w 1 "list of $PODS" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" list
	timer -n 1 -w 0 "gc of $PODS" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" gc --grace-period=0s | tail -n 1
}

for part in start net many calls links memory fetch pull pods; do
	if wanted $part; then bench_$part; fi
done
