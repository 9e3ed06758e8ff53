#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# What an app sees: its own root, volumes, kernel file systems; and what it must not.
. "${0%/*}/lib.sh"
need_root
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"
sh_in() { # FLAGS... -- SCRIPT
	script=$1
	shift
	run rkt run --net=none "$@" --exec=/bin/sh -- -c "$script"
}

sh_in 'echo changed >/etc/new; cat /etc/new; ls /' example.com/app
expect_stdout '^changed$' "the root is writable"
sh_in 'cat /etc/new' example.com/app
expect_status 1 "and every pod starts from a clean one"
sh_in 'touch /x; echo $?' example.com/app --readonly-rootfs=true
expect_stdout '^1$' "--readonly-rootfs"

sh_in 'echo copied >/etc/new; cat /etc/new; stat -c %u:%a /home/alice /tmp' --no-overlay example.com/app
expect_stdout '^copied$' "--no-overlay: a copy of the image"
expect_stdout '^1000:755$' "with owners"
expect_stdout '^0:1777$' "and modes"

# volumes
mkdir -p "$T/vol/sub"
echo inside >"$T/vol/file"
sh_in 'cat /data/file; echo back >/data/out; stat -c %a /data' --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=/data
expect_stdout '^inside$' "a host volume is read"
is "and written" "$(cat "$T/vol/out")" back
sh_in 'touch /data/x || echo refused' --volume=v,kind=host,source="$T/vol",readOnly=true example.com/app --mount=volume=v,target=/data
expect_stdout '^refused$' "readOnly=true"
sh_in 'cat /etc/one' --volume=v,kind=host,source="$T/vol/file" example.com/app --mount=volume=v,target=/etc/one
expect_stdout '^inside$' "a file volume onto a new file"
sh_in 'stat -c %a:%u:%g /scratch; touch /scratch/ok && echo written' --volume=e,kind=empty,mode=0711,uid=5,gid=6 example.com/app --mount=volume=e,target=/scratch
expect_stdout '^711:5:6$' "an empty volume has mode and owner"
expect_stdout '^written$' "and is writable"
run rkt run --net=none --volume=e,kind=empty --mount=volume=e,target=/shared \
	example.com/app --name=one --exec=/bin/sh -- -c 'echo word >/shared/f' --- \
	example.com/app --name=two --exec=/bin/sh -- -c 'while [ ! -s /shared/f ]; do sleep 0.05; done; cat /shared/f'
expect_stdout '\] two\[[0-9]+\]: word$' "apps of a pod share an empty volume"
fails_with 'source|/no/such' "a missing source is named" rkt run --net=none --volume=v,kind=host,source=/no/such example.com/app --mount=volume=v,target=/data
fails_with 'nope' "a mount of an undeclared volume is refused" rkt run --net=none example.com/app --mount=volume=nope,target=/data
fails_with 'kind|bad' "a bad volume is refused" rkt run --net=none --volume=v,kind=bad example.com/app

# T52: targets stay inside
sh_in 'ls -d /etc/passwd' --volume=e,kind=empty example.com/app --mount=volume=e,target=/../../../inside
expect_status 0 "T52 a target with .. stays inside"
fails_with 'root' "T52 the root itself is refused" rkt run --net=none --volume=e,kind=empty example.com/app --mount=volume=e,target=/

# kernel file systems
sh_in 'for f in /proc/kcore /proc/keys /proc/timer_list; do wc -c <$f 2>/dev/null; done' example.com/app
unlike "masked files are empty" "$(out)" '[1-9]'
sh_in 'ls -A /sys/firmware /sys/fs | grep -v :' example.com/app
unlike "masked directories are empty" "$(out)" '[a-z]'
sh_in 'echo h >/proc/sysrq-trigger; echo 1 >/proc/sys/kernel/core_pattern; touch /sys/kernel/x' example.com/app
like "T26 kernel switches are read-only" "$(err)" 'Read-only|denied'
sh_in 'ls /dev' example.com/app
is "the devices" "$(tr '\n' ' ' <"$T/out")" "console fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "
for part in dev/zero dev/fd dev proc ''; do
	rm -rf "${RKT_DIR:?}/skeleton-1/$part"
	sh_in 'ls /dev; test -d /proc/self' example.com/app
	expect_status 0 "a pod runs where the skeleton has lost $part"
	is "with all devices, $part" "$(tr '\n' ' ' <"$T/out")" "console fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "
	is "and the skeleton is whole, $part" "$(find "$RKT_DIR/skeleton-1" | wc -l)" 19
done
is "nothing of it stays in a pod" "$(find "$RKT_DIR/pods" -maxdepth 3 -name 'skeleton*')" ""
sh_in 'busybox mknod /dev/sda b 8 0; busybox mknod /tmp/sda b 8 0; cat /dev/sda /tmp/sda; echo $?' example.com/app
expect_stdout '^1$' "a device node that an app makes opens nowhere"
like "because of nodev" "$(err)" 'denied'
run rkt run --net=none example.com/app -- fds
is "T17 an app has its three descriptors and no other" "$(grep -o '^fd\.[0-9]*' "$T/out" | tr '\n' ' ')" "fd.0 fd.1 fd.2 "
sh_in 'ls /proc/1/fd /proc/1/cwd/ /proc/1/root/; readlink /proc/1/exe; echo $?' example.com/app
unlike "T17 nothing of pid 1 can be looked into" "$(out)" 'init|a0'

# hostile images (T12, T13, T23)
attack() { # NAME COMMANDS: an image whose root COMMANDS have changed
	rm -rf "$T/evil"
	make_rootfs "$T/evil/rootfs"
	(cd "$T/evil/rootfs" && eval "$2")
	make_manifest "example.com/$1" >"$T/evil/manifest"
	"$RKT_BUILD/bin/mkaci" "$T/evil" "$T/images/$1.aci" || return 1
	run rkt fetch "$T/images/$1.aci"
}
mkdir -p "$T/canary"
echo secret >"$T/canary/file"
before=$(cd "$T/canary" && find . -printf '%p %y %m %T@\n' | sort)
for dir in dev proc sys; do
	attack "link-$dir" "rm -rf $dir && ln -s $T/canary $dir"
	attack "file-$dir" "rm -rf $dir && echo x >$dir"
	for kind in link file; do
		fails_with "/$dir is not a directory" "T12 /$dir as a $kind is refused where it would be mounted on" \
			rkt run --net=none "example.com/$kind-$dir" --readonly-rootfs=true
		sh_in "test -d /$dir && test ! -L /$dir && test ! -e /$dir/file && ls /dev/null /proc/self /sys/kernel >/dev/null; echo \$?" \
			"example.com/$kind-$dir"
		is "T12 /$dir as a $kind is hidden by ours" "$(out)" 0
	done
done
attack link-etc "rm -rf etc && ln -s $T/canary etc"
run rkt run --net=none example.com/link-etc -- status
expect_status 0 "T12 /etc as a link is left alone"
attack link-hosts "ln -sf ../../../../../..$T/canary/hosts etc/hosts; ln -s $T/canary/mtab etc/mtab; ln -s $T/canary/x etc/hostname"
run rkt run --net=none example.com/link-hosts -- status
expect_status 0 "T12 links in /etc are left alone"
attack link-vol "ln -s $T/canary data; ln -s / up"
run rkt run --net=none --volume=e,kind=empty example.com/link-vol --mount=volume=e,target=/data/x --exec=/bin/sh -- -c 'touch /data/x/here && ls /data'
is "T12 a target below a link is made in the image" "$(out)" x
attack link-null "rm -rf dev && mkdir dev && ln -s /proc/sys/kernel/core_pattern dev/null"
run rkt run --net=none example.com/link-null --exec=/bin/sh -- -c 'echo x >/proc/kcore; cat /proc/sys/kernel/core_pattern'
is "T13 core_pattern is the host's still" "$(out)" "$(cat /proc/sys/kernel/core_pattern)"
attack passwd-link "rm -f etc/passwd && ln -s /../../../etc/passwd etc/passwd"
fails_with '/etc/passwd: Too many levels of symbolic links' "T23 /etc/passwd as a link is not followed out" rkt run --net=none example.com/passwd-link --user=daemon
echo 'mallory:x:0:0:::' >"$T/mallory"
attack passwd-away "ln -sf ../../../../../../..$T/mallory etc/passwd"
fails_with '"mallory" user not found' "T23 nor is one that leads to a file of the host" rkt run --net=none example.com/passwd-away --user=mallory
attack passwd-fifo "rm -f etc/passwd && mkfifo etc/passwd"
fails_with '/etc/passwd is not a regular file' "T23 /etc/passwd as a FIFO does not block" timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/passwd-fifo --user=alice
is "the canary is untouched" "$(cd "$T/canary" && find . -printf '%p %y %m %T@\n' | sort)" "$before"
attack owners 'echo x >mine; chown 1001:1001 mine; ln -s mine link; chown -h 1000:100 link'
run rkt run --net=none example.com/owners --user=/link --group=/link -- status
is "a user by the owner of a link is the link's, not what it leads to" "$(value uid):$(value gid)" 1000:100
run rkt run --net=none example.com/owners --user=/mine --group=/mine -- status
is "and of a file the file's" "$(value uid):$(value gid)" 1001:1001
attack bare 'rm -rf dev etc proc sys tmp root home var'
run rkt run --net=none example.com/bare -- status
expect_status 0 "K an image without /etc, /dev, /proc, /sys, /tmp runs"
attack tight 'chmod 0700 .'
run rkt run --net=none example.com/tight -- status
expect_status 0 "K an image whose root has mode 0700 runs"
