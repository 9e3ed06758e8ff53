#!/bin/sh
# System call filters by --seccomp and by isolators: named sets, refusals, the 32-bit door, the programs on disk.
. "${0%/*}/lib.sh"
need_root
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"

filtered() { # SECCOMP ARGS...: inspect under a filter
	_s=$1
	shift
	run rkt run --net=none example.com/app --seccomp="$_s" -- "$@"
}

filtered mode=remove,errno=EXDEV,@systemd/mount,@systemd/raw-io try=mount try=chroot try=keyctl status
expect_status 0 "named sets in a remove-set"
is "a call of the set answers with the errno" "$(value try_mount)" EXDEV
is "so does another" "$(value try_chroot)" EXDEV
unlike "what is in no set is let through" "$(value try_keyctl)" 'EXDEV|EPERM'
is "one filter is loaded" "$(value seccomp)" 2
for set in @systemd/clock @systemd/network-io @systemd/obsolete @systemd/privileged @systemd/process @systemd/raw-io \
	@rkt/default-blacklist @docker/default-blacklist; do
	filtered mode=remove,errno=EPERM,$set exit=3
	case $set in
	@systemd/process) expect_status 3 "$set: a program that starts no other runs" ;;
	*) expect_status 3 "$set can be removed" ;;
	esac
done
filtered mode=remove,errno=EPERM,@systemd/clock try=settime
is "T26 @systemd/clock is about clocks" "$(value try_settime)" EPERM
for set in @rkt/default-whitelist @docker/default-whitelist; do
	filtered mode=retain,errno=ENODATA,$set try=mount try=clone3 try=tiocsti status
	expect_status 0 "$set runs a program"
	is "$set: what is not in it gets the errno" "$(value try_mount)" ENODATA
	is "$set: clone3 does not exist" "$(value try_clone3)" ENOSYS
	unlike "T26 $set: no typing into terminals" "$(value try_tiocsti)" '^(ok|0|EFAULT|ENOTTY)$'
done
filtered mode=retain,@systemd/default-whitelist exit=0
expect_status 159 "a white list without write kills by SIGSYS"
filtered mode=retain,@appc.io/empty exit=0
expect_status 159 "an empty retain-set denies everything"
run rkt run --net=none example.com/app --seccomp=mode=retain,@appc.io/all -- status
is "@appc.io/all is no filter" "$(value seccomp)" 0

for bad in mode=retain,@systemd/clok mode=remove,@made/up mode=retain,@appc.io/all,no_such_call mode=remove,@ \
	mode=remove,errno=EWHAT,chmod mode=remove,@appc.io/all; do
	fails_with "run: .*seccomp" "$bad is refused" rkt run --net=none example.com/app --seccomp=$bad
done

# what says how the list is meant: once, and with a value
for bad in mode=remove,mode=retain,chmod errno=EPERM,errno=EACCES,mode=remove,chmod mode=remove,errno=,chmod; do
	run rkt run --net=none example.com/app --seccomp=$bad -- exit=0
	expect_status 254 "$bad is refused"
	expect_stderr '^rkt: run: option --seccomp: ' "$bad: by name"
done

# the 32-bit door
for s in mode=remove,errno=EXDEV,chroot mode=retain,@rkt/default-whitelist; do
	filtered $s try=int80
	is "a call by 32-bit numbers does not exist, $s" "$(value try_int80)" ENOSYS
done
run rkt run --net=none example.com/app -- try=int80
is "nor under the default filter" "$(value try_int80)" ENOSYS

# an image asks for the same
IMAGE_APP='"isolators":[{"name":"os/linux/seccomp-remove-set","value":{"set":["@systemd/mount"],"errno":"EXDEV"}}]' make_image example.com/own
run rkt --insecure-options=image run --net=none "$image" -- try=mount
is "an isolator of the image is applied" "$(value try_mount)" EXDEV
run rkt --insecure-options=image run --net=none "$image" --seccomp=mode=remove,errno=ENODATA,mount -- try=mount
is "--seccomp replaces it" "$(value try_mount)" ENODATA

# compiled programs are kept, and what is kept is not trusted blindly
is "the folder is root's alone" "$(stat -c '%a %u' "$RKT_DIR/seccomp")" '700 0'
rm -rf "$RKT_DIR/seccomp"
filtered mode=remove,errno=EXDEV,mount try=mount
is "one policy, one file" "$(find "$RKT_DIR/seccomp" -type f | wc -l)" 1
file=$(find "$RKT_DIR/seccomp" -type f)
inode=$(stat -c %i "$file")
filtered mode=remove,errno=EXDEV,mount try=mount
is "the second start uses it" "$(stat -c %i "$file")" "$inode"
is "and it filters the same" "$(value try_mount)" EXDEV
# all instructions become "allow"
size=$(stat -c %s "$file")
dd if=/dev/zero of="$file" bs=1 count=16 seek=$((size - 16)) conv=notrunc 2>/dev/null
filtered mode=remove,errno=EXDEV,mount try=mount
is "a damaged one is not run" "$(value try_mount)" EXDEV
refute "it was written anew" test "$(stat -c %i "$file")" = "$inode"
chmod 777 "$RKT_DIR/seccomp"
inode=$(stat -c %i "$file")
filtered mode=remove,errno=EXDEV,chroot try=chroot
is "a folder that others may write is not used" "$(find "$RKT_DIR/seccomp" -type f | wc -l)" 1
is "the filter is compiled all the same" "$(value try_chroot)" EXDEV
rm -rf "$RKT_DIR/seccomp"
ln -s "$T/elsewhere" "$RKT_DIR/seccomp"
mkdir "$T/elsewhere"
filtered mode=remove,errno=EXDEV,chroot try=chroot
is "nor is a link" "$(find "$T/elsewhere" | wc -l)" 1
rm "$RKT_DIR/seccomp"
run rkt run --net=none example.com/app -- status
refute "the default filter needs no folder" test -e "$RKT_DIR/seccomp"
