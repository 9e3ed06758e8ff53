#!/bin/sh
# stage2's own start and C library: here, and compiled for arm64 and run under an emulator of user programs.
. "${0%/*}/lib.sh"
need_root
need clang aarch64-linux-gnu-ld qemu-aarch64 readelf
prlimit --core=0 --pid $$
src=$(cd "${0%/*}/../.." && pwd)
arm=$RKT_BUILD/arm64

# dies_by SIGNAL COMMAND...
dies_by() {
	want=$1
	shift
	run "$@"
	[ "$status" -eq $((128 + want)) ]
}

# parts KIND COMMAND...: libcbox, started like that
parts() {
	kind=$1 trap_signal=$2
	shift 2
	run env -i "$@"
	is "$kind: what the C library does" "$status,$(cat "$T/err")" 0,
	# a build with a sanitizer has no stack protector
	{ [ "$kind" != arm64 ] && sanitized; } ||
		check "$kind: what runs over the end of an array dies" dies_by "$trap_signal" "$@" smash
	check "$kind: what relocation has written cannot be written" dies_by 11 "$@" write-relro
}

case $(uname -m) in aarch64) trap_signal=5 ;; *) trap_signal=4 ;; esac
parts "this machine" $trap_signal "$RKT_BUILD/tests/libcbox"

# With the flags of everything else.  --target finds the linker, not the headers.
run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$src" B="$arm" CC='clang --target=aarch64-linux-gnu' SANITIZE= COVERAGE= \
	CPPFLAGS='-isystem /usr/aarch64-linux-gnu/include' "$arm/stage2/init" "$arm/stage2/launch" "$arm/tests/libcbox"
expect_status 0 "compiles and links without a warning"
parts "arm64" 5 qemu-aarch64 "$arm/tests/libcbox"

# Static, relocated to any address, nothing writable and executable; what becomes read-only ends where a page of 64 KiB ends, which no
# smaller page minds.
for p in init launch; do
	readelf -hldrW "$arm/stage2/$p" >"$T/elf"
	is "$p is for arm64" "$(sed -n 's/^ *Machine: *//p;s/^ *Type: *\([A-Z]*\).*/\1/p' "$T/elf" | tr '\n' ' ')" "DYN AArch64 "
	refute "$p needs neither interpreter nor library" grep -E 'INTERP|NEEDED' "$T/elf"
	is "$p is relocated by itself" "$(awk '$3 ~ /^R_/ { print $3 }' "$T/elf" | sort -u)" R_AARCH64_RELATIVE
	refute "$p has nothing that is writable and executable" grep -E '^ *(LOAD|GNU_STACK) .* (RWE|WE) ' "$T/elf"
	is "$p: the end of what becomes read-only" "$(awk '$1 == "GNU_RELRO" { print $3, $6 }' "$T/elf" |
		(read -r at size && echo $(((at + size) % 65536))))" 0
done
run qemu-aarch64 "$arm/stage2/init"
is "init without a plan" "$status,$(cat "$T/err")" "254,init: read the plan"
run qemu-aarch64 "$arm/stage2/launch" --tty=1
is "launch with an argument that it does not know" "$status,$(cat "$T/err")" "254,launch: --tty=1"

# Init's loop and launch up to execve, by messages and plans of this machine's programs.
RKT_ARM64=$arm/stage2 CK_TAP_LOG_FILE_NAME=$T/tap CK_VERBOSITY=silent "$RKT_BUILD/tests/podbox_arm64" 2>"$T/err"
while read -r line; do
	case $line in
	"ok "*) ok "arm64: ${line##*arm64:}" ;;
	"not ok "*) not_ok "arm64: ${line##*arm64:}" ;;
	esac
done <"$T/tap"
is "that was all of it" "$(grep -c '^ok' "$T/tap")" 5
