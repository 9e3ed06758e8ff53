#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# The transcript in README.md is what the programs print: its commands are run again and compared.
. "${0%/*}/lib.sh"
need_root
need gpg
top=$(cd "${0%/*}/../.." && pwd)

# Lines between "```console" and "```": commands after "# ", their output below.
awk '/^```console$/ { on = 1; next } /^```$/ { on = 0 } on' "$top/README.md" >"$T/transcript"
check "README.md has a transcript" test "$(grep -c '^# ' "$T/transcript")" -ge 6

# What differs from run to run, by its form.
normal() {
	sed -E -e 's/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/UUID/g' \
		-e 's/^[0-9a-f]{8}(\t)/SHORT\1/' -e 's/sha512-[0-9a-f]+/sha512-HEX/g' -e 's/[0-9a-fA-F]{40}/FINGERPRINT/g' \
		-e 's/([0-9A-F]{4} +){9}[0-9A-F]{4}/FINGERPRINT/' -e 's/kernel [^ ]+/kernel VERSION/' \
		-e 's/[0-9.]+[KM]iB/SIZE/' -e 's/\t(now|[0-9]+ (second|minute)s? ago)/ WHEN/g' -e 's/pid [0-9]+/pid N/' -e 's/[[:space:]]+/ /g'
}

mkdir -p "$T/desk/bin" "$T/desk/hello/rootfs/bin"
cd "$T/desk" || exit 1
cp "$(command -v busybox)" hello/rootfs/bin/busybox
for n in sh hostname id uname; do ln -s busybox hello/rootfs/bin/$n; done
IMAGE_EXEC='["/bin/sh","-c","echo I am $(id -un), pid $$ on $(hostname), kernel $(uname -r)"]' make_manifest example.com/hello >hello/manifest
mkdir hello/rootfs/etc
echo 'root:x:0:0:root:/:/bin/sh' >hello/rootfs/etc/passwd
printf '#!/bin/sh\nexec "%s" --dir="%s" --local-config="%s/etc" --system-config="%s/lib" "$@"\n' "$RKT" "$RKT_DIR" "$T" "$T" >bin/rkt
ln -s "$RKT_BUILD/bin/mkaci" bin/mkaci
chmod 755 bin/rkt
PATH=$T/desk/bin:$PATH
gpg --batch --quiet --passphrase '' --quick-gen-key 'Alice <alice@example.com>' ed25519 sign never 2>/dev/null
# The key's own line of gpg is not ours to print.
while IFS= read -r line; do
	case $line in
	'# '*)
		echo "$line"
		sh -c "${line#??}" 2>&1 </dev/null
		;;
	esac
done <"$T/transcript" | sed -E "s|$T/etc|/etc/rkt|g" >"$T/again"
normal <"$T/transcript" >"$T/want"
normal <"$T/again" >"$T/got"
check "the transcript of README.md is true" diff -u "$T/want" "$T/got"
cp "$T/again" "${RKT_README_KEEP:-/dev/null}" 2>/dev/null
cd / || exit 1
