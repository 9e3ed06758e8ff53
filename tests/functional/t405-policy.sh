#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# What an app is: identity, capabilities, filter, environment, working directory, namespaces.
. "${0%/*}/lib.sh"
need_root
need setpriv python3
IMAGE_APP='"workingDirectory":"/home/alice","environment":[{"name":"FROM_IMAGE","value":"yes"}]' make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"

inspect() { # FLAGS... : `inspect status env` in a pod
	run rkt run --net=none example.com/app "$@" -- status env
}

inspect
expect_status 0 "an app runs"
is "uid" "$(value uid)" 0
is "no supplementary groups" "$(value groups)" ""
is "bounding set is the default one" "$(value capbnd)" 00000000a80425fb
is "permitted set equals it" "$(value capprm)" 00000000a80425fb
is "inheritable set is empty" "$(value capinh)" 0000000000000000
is "ambient set is empty" "$(value capamb)" 0000000000000000
is "a filter is loaded" "$(value seccomp)" 2
is "root keeps setuid programs" "$(value nonewprivs)" 0
is "cwd is the image's" "$(value cwd)" /home/alice
like "the pid is the pod's" "$(value pid)" '^[0-9]{1,2}$'
is "it leads a session of its own" "$(value sid)" "$(value pid)"
expect_stdout 'FROM_IMAGE=yes' "the image's environment"
expect_stdout 'AC_APP_NAME=app' "the app's name in the environment"
expect_stdout 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "the default PATH"
expect_stdout 'container=rkt' "container=rkt"
unlike "nothing of the caller's environment" "$(out)" 'GNUPGHOME|RKT_'
like "the host name names the pod" "$(value hostname)" '^rkt-[0-9a-f-]{36}$'

inspect --user=alice --group=users
is "a user by name" "$(value uid)" 1000
is "a group by name" "$(value gid)" 100
is "other users have no capabilities" "$(value capeff)" 0000000000000000
is "and no_new_privs" "$(value nonewprivs)" 1
inspect --user=/home/alice --group=/home/alice --supplementary-gids=7,9
is "a user by the owner of a file" "$(value uid)" 1000
is "supplementary groups are exactly those" "$(value groups)" 7,9

# nothing comes in from the caller: groups, descriptors, keys
for flavor in ns fly; do
	case $flavor in ns) net=--net=none ;; fly) net=--net=host ;; esac
	ours() { # ACTIONS...
		run "$@" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run "$net" \
			--stage1-name=coreos.com/rkt/stage1-$flavor example.com/app --seccomp=mode=retain,@appc.io/all -- status fds keyring
	}
	ours setpriv --groups 4,24
	is "$flavor: no group of the caller's" "$(value groups)" ""
	ours sh -c 'trap "" USR1 QUIT CHLD; umask 077; exec "$@"' -
	is "$flavor: no signal that the caller ignores" "$(value sigign) $(value sigblk)" '0000000000000000 0000000000000000'
	is "$flavor: no umask of the caller's" "$(value umask)" 0022
	ours env 7<"$T/etc" 9>>"$T/seen"
	is "T17 $flavor: no descriptor of the caller's" "$(grep -o '^fd\.[0-9]*' "$T/out" | tr '\n' ' ')" "fd.0 fd.1 fd.2 "
	ours python3 -c 'import ctypes, os, platform, sys
key = {"x86_64": 250, "aarch64": 219}[platform.machine()]
call = ctypes.CDLL(None).syscall
call(key, 1, b"callers")
open(sys.argv[1], "w").write("%d" % call(key, 0, -3, 0))
os.execvp(sys.argv[2], sys.argv[2:])' "$T/keyring"
	like "$flavor: the caller has a keyring" "$(cat "$T/keyring")" '^[0-9]{2,}$'
	like "$flavor: so has the app" "$(value keyring)" '^[0-9]{2,}$'
	refute "$flavor: and it is another one" test "$(value keyring)" = "$(cat "$T/keyring")"
done

# T22: numbers are plain decimal
inspect --user=1
is "T22 user 1 is user 1" "$(value uid)" 1
for bad in 01 4294967295 4294967296 -1 ' 0' 0x0; do
	fails_with 'plain decimal|user not found' "T22 user \"$bad\" is refused" rkt run --net=none example.com/app --user="$bad"
done
fails_with '"mary" user not found' "an unknown user is named" rkt run --net=none example.com/app --user=mary
fails_with '"staff" group not found' "an unknown group is named" rkt run --net=none example.com/app --group=staff

# capabilities
inspect --caps-retain=CAP_NET_ADMIN,KILL
is "caps-retain is exact, both spellings" "$(value capbnd)" 0000000000001020
inspect --cap-retain=kill,cap_net_admin
is "the old spelling means the same, in either case" "$(value capbnd)" 0000000000001020
expect_stderr 'cap-retain.*caps-retain' "and tells the new one"
inspect --cap-remove=MKNOD
is "cap-remove" "$(value capbnd)" 00000000a00425fb
for bad in CAP_ CAP_KILL2 5 CAP_5 CAP_CAP_KILL 'CAP_KILL ' +all; do
	fails_with 'unknown capability' "capability \"$bad\" is refused" rkt run --net=none example.com/app --caps-remove="$bad"
done
inspect --caps-remove=MKNOD,CAP_SYS_CHROOT
is "caps-remove subtracts" "$(value capbnd)" 00000000a00025fb
fails_with 'CAP_BOGUS' "an unknown capability is named" rkt run --net=none example.com/app --caps-retain=CAP_BOGUS
fails_with 'caps-re(tain|move)' "both at once are refused" rkt run --net=none example.com/app --caps-retain=CAP_KILL --caps-remove=CAP_MKNOD
run rkt --insecure-options=image,capabilities run --net=none example.com/app -- status
is "insecure capabilities: everything that rkt has" "$(value capeff)" "$(sed -n 's/^CapPrm:.//p' /proc/self/status)"

# system calls
run rkt run --net=none example.com/app -- try=mount try=unshare try=setns try=keyctl try=ptrace try=bpf try=reboot try=clone3 try=iouring try=tiocsti \
	try=clone_user try=tiocsti_high try=tioclinux
expect_status 0 "denied calls do not kill"
like "T26 setns is denied" "$(value try_setns)" 'EPERM|EACCES'
for c in mount unshare clone_user keyctl ptrace bpf reboot iouring; do
	is "T26 $c is denied" "$(value "try_$c")" EPERM
done
is "clone3 does not exist, so that libc falls back" "$(value try_clone3)" ENOSYS
for c in tiocsti tiocsti_high tioclinux; do
	is "T26 no typing into terminals: $c" "$(value "try_$c")" ENOSYS
done
run rkt run --net=none example.com/app --seccomp=mode=remove,errno=EACCES,sethostname,chmod --exec=/bin/chmod -- 755 /tmp
like "--seccomp mode=remove answers with its errno" "$(err)" 'Permission denied'
run rkt run --net=none example.com/app --seccomp=mode=remove,chmod,fchmodat --exec=/bin/chmod -- 755 /tmp
expect_status 159 "without errno the call kills: 128 + SIGSYS"
fails_with 'no_such_call' "an unknown call is named" rkt run --net=none example.com/app --seccomp=mode=retain,no_such_call
run rkt --insecure-options=image,seccomp run --net=none example.com/app -- status
is "insecure seccomp: no filter" "$(value seccomp)" 0

run rkt run --net=none example.com/app -- write=/proc/sysrq-trigger: write=/sys/fs/cgroup/cgroup.procs:0 \
	write=/sys/fs/cgroup/unified/cgroup.procs:0 write=/sys/fs/cgroup/memory/release_agent:/x write=/sys/kernel/uevent_helper: \
	write=/sys/kernel/mm/ksm/run: write=/proc/sys/kernel/core_pattern:
unlike "T26 no switch of the machine and no group of others is written" "$(grep '^write:' "$T/out")" '=0$'
is "T26 all of them were tried" "$(grep -c '^write:' "$T/out")" 7

# fly restricts nothing by itself, and what it is asked for
fly() { # FLAGS... ACTIONS...
	run rkt run --stage1-name=coreos.com/rkt/stage1-fly example.com/app "$@"
}
own=$(sed -n 's/^CapBnd:.//p' /proc/self/status)
fly -- status
is "fly: the capabilities of who runs rkt" "$(value capbnd)" "$own"
is "fly: no filter" "$(value seccomp)" 0
fly --caps-retain=KILL,CHOWN -- status
is "fly: caps-retain bounds" "$(value capbnd)" 0000000000000021
is "fly: and is what root has" "$(value capeff)" 0000000000000021
fly --caps-remove=MKNOD --user=alice -- status
is "fly: caps-remove subtracts from the default set" "$(value capbnd)" 00000000a00425fb
is "fly: another user has none of them" "$(value capprm)" 0000000000000000
fly --seccomp=mode=remove,errno=EXDEV,chroot -- status try=chroot
is "fly: a filter" "$(value try_chroot)" EXDEV
is "fly: which leaves capabilities alone" "$(value capeff)" "$(sed -n 's/^CapPrm:.//p' /proc/self/status)"
fly --seccomp=mode=remove,errno=EXDEV,chroot --user=alice -- status try=chroot
is "fly: of another user, too" "$(value try_chroot)" EXDEV
is "fly: who gets no rights by programs" "$(value nonewprivs)" 1
run rkt --insecure-options=image,capabilities,seccomp run --stage1-name=coreos.com/rkt/stage1-fly example.com/app --caps-retain=KILL \
	--seccomp=mode=remove,chroot -- status
is "fly: insecure capabilities and seccomp lift it" "$(value capbnd) $(value seccomp)" "$own 0"
fails_with 'CAP_BOGUS' "fly: an unknown capability is named" rkt run --stage1-name=coreos.com/rkt/stage1-fly example.com/app --caps-retain=CAP_BOGUS
run rkt run --net=none --stage1-name=coreos.com/rkt/stage1-fly example.com/app -- status
expect_stderr "flavor fly has the host's network: --net=none ignored" "fly: says that it cannot do without a network"

# environment: --environment beats --set-env beats --set-env-file beats the image
printf '# comment\nA=file\nB=file\nFROM_IMAGE=file\n' >"$T/envfile"
run rkt run --net=none --set-env-file="$T/envfile" --set-env=B=set --set-env=C=set example.com/app --environment=C=app -- env
expect_stdout 'A=file$' "a file sets"
expect_stdout 'B=set$' "--set-env beats the file"
expect_stdout 'C=app$' "--environment beats --set-env"
expect_stdout 'FROM_IMAGE=file$' "the file beats the image"
export OUTER=seen FROM_IMAGE=outer
run rkt run --net=none --inherit-env example.com/app -- env
expect_stdout 'OUTER=seen$' "--inherit-env passes names on"
expect_stdout 'FROM_IMAGE=yes$' "but not over the image's"
unset OUTER FROM_IMAGE

# working directory
inspect --working-dir=/var/tmp
is "--working-dir" "$(value cwd)" /var/tmp
fails_with '/nowhere' "a missing working directory is named" rkt run --net=none example.com/app --working-dir=/nowhere
for dir in /proc/self/fd/7 /proc/1/cwd /proc/1/root /proc/self/cwd; do
	fails_with "$dir" "T16 working directory $dir is refused" rkt run --net=none example.com/app --working-dir=$dir
done

# programs
run rkt run --net=none example.com/app --exec=echo -- found
expect_stdout '^found$' "a bare word is searched in PATH"
run rkt run --net=none example.com/app --working-dir=/bin --exec=./echo -- relative
expect_stdout '^relative$' "a relative path starts at the working directory"
fails_with 'Unable to open "/no/such": No such file or directory' "a missing program is named" rkt run --net=none example.com/app --exec=/no/such
fails_with '/etc/passwd' "a file that is no program is named" rkt run --net=none example.com/app --exec=/etc/passwd

# names, resources
run rkt run --net=none --hostname=my.host example.com/app --exec=hostname
expect_stdout '^my.host$' "--hostname"
run rkt run --net=none --hostname= example.com/app --exec=sh -- -c 'hostname; cat /etc/hostname; head -n 1 /etc/hosts'
is "an empty one is the pod's own, in /etc too" "$(grep -c 'rkt-[0-9a-f-]\{36\}$' "$T/out")" 3
newline=$(printf 'a\n192.0.2.1 evil')
for bad in "$newline" 'a b' -x .x ../x a/b "$(printf '%65s' x | tr ' ' x)"; do
	run rkt run --net=none --hostname="$bad" example.com/app --exec=hostname
	expect_status 254 "host name \"$bad\" is refused"
	expect_stderr '^rkt: run: option --hostname: ".*" is not a host name$' "host name \"$bad\": by name"
done
run rkt run --stage1-name=coreos.com/rkt/stage1-fly --hostname=not.mine example.com/app --exec=sh -- -c 'hostname; cat /etc/hostname; head -n 1 /etc/hosts'
is "fly: the host's name, in /etc too" "$(grep -c "$(hostname)\$" "$T/out")" 3
run rkt run --net=none example.com/app --oom-score-adj=77 --exec=cat -- /proc/self/oom_score_adj
expect_stdout '^77$' "--oom-score-adj"
run rkt run --net=none example.com/app --memory=64Mi --exec=cat -- /proc/self/cgroup
expect_stdout 'memory.*/rkt-[0-9a-f-]{36}/app-app$|^0::.*/rkt-[0-9a-f-]{36}/app-app$' "a memory limit has its group"
fails_with 'memory' "a memory limit below a page is refused" rkt run --net=none example.com/app --memory=16m

# networks
run rkt run --net=none example.com/app --exec=sh -- -c 'ls /sys/class/net; cat /proc/net/dev | grep -c :'
expect_stdout '^lo$' "--net=none has a loopback interface"
expect_stdout '^1$' "and nothing else"
ns=$(readlink /proc/self/ns/net)
run rkt run --net=host example.com/app -- status
is "--net=host is the caller's" "$(value ns_net)" "$ns"
fails_with 'network "mynet" is not configured' "a network that nobody has configured (t540 has the others)" rkt run --net=mynet example.com/app
run rkt run --net=none --ipc=parent example.com/app -- status
ns=$(readlink /proc/self/ns/ipc)
is "--ipc=parent is the caller's" "$(value ns_ipc)" "$ns"
fails_with 'ipc' "an unknown --ipc is refused" rkt run --net=none --ipc=shared example.com/app
