#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# Bad input gets one clear line that names verb and object, exit 254, and leaves the data directory as it was.
. "${0%/*}/lib.sh"
need_root
need gpg python3
make_key alice
make_key mallory
make_image example.com/app
sign_image "$image" alice
trust_key alice example.com/app
run rkt fetch "$image"
expect_status 0 "a good image is there"

# Everything of the data directory but times: what bad input must not change.
snapshot() {
	(cd "$RKT_DIR" && find . -path ./locks -prune -o -printf '%p %y %s %m %U:%G %l\n' | sort)
}
before=$(snapshot)
# refused REGEX DESCRIPTION rkt-ARGS...: the rule of this file.
refused() {
	_re=$1 _what=$2
	shift 2
	run rkt "$@"
	# the warning that verification is off is no error; besides it there is one line
	sed -i '/^image: warning: image signature verification has been disabled$/d' "$T/err"
	if [ "$status" -eq 254 ] && [ "$(wc -l <"$T/err")" -eq 1 ] && grep -Eq -e "^rkt: $_verb: .*($_re)" "$T/err"; then ok "$_what"; else
		not_ok "$_what"
		diag "want status 254 and one line on stderr: /^rkt: $_verb: .*($_re)/"
	fi
	_now=$(snapshot)
	[ "$_now" = "$before" ] || {
		not_ok "$_what: the data directory is as it was"
		printf '%s\n' "$before" >"$T/before"
		printf '%s\n' "$_now" | diff "$T/before" - | head -n 5 | sed 's/^/# /'
		before=$_now
	}
}

# ---- images and signatures
_verb=fetch
IMAGE_VERSION=2.0.0 IMAGE_FILE=new.aci make_image example.com/app
new=$image
refused 'insecure-options=image' "an unsigned image" fetch "$new"
sign_image "$new" mallory
refused 'signature made by unknown entity' "a signature by an unknown key" fetch "$new"
trust_key mallory example.com/other
before=$(snapshot)
refused 'example.com/other' "a signature by a key of another scope" fetch "$new"
sign_image "$new" alice
cp "$new" "$T/images/bent.aci"
cp "$new.asc" "$T/images/bent.aci.asc"
printf X | dd of="$T/images/bent.aci" bs=1 seek=3000 conv=notrunc 2>/dev/null
refused 'bad signature|BAD|does not match' "a tampered image" fetch "$T/images/bent.aci"
head -c 5000 "$new" >"$T/images/short.aci"
refused 'truncated' "a truncated image" fetch --insecure-options=image "$T/images/short.aci"
echo garbage >"$T/images/bent.aci.asc"
refused 'signature' "a signature file without a signature" fetch "$T/images/bent.aci"
refused 'error opening signature file' "a missing --signature file" fetch "$new" --signature="$T/none"
echo text >"$T/images/text.aci"
refused 'unknown image filetype' "a file that is no image" fetch --insecure-options=image "$T/images/text.aci"
refused 'no/such.aci' "a missing file" fetch --insecure-options=image "$T/no/such.aci"

# expired and revoked keys
gpg --batch --quiet --faked-system-time 20200101T000000! --passphrase '' --quick-gen-key 'old <old@example.com>' ed25519 sign 1d 2>/dev/null
gpg --batch --quiet --faked-system-time 20200101T010000! --armor --local-user old@example.com --output "$T/old.asc" --detach-sign "$new" 2>/dev/null
gpg --batch --armor --export old@example.com >"$T/old.key"
trust_key old example.com/app
refused 'expired' "a signature by an expired key" fetch "$new" --signature="$T/old.asc"
make_key gone
gpg --batch --quiet --armor --local-user gone@example.com --output "$T/gone.asc" --detach-sign "$new"
rev=$(find "$GNUPGHOME/openpgp-revocs.d" -iname "$(fingerprint gone).rev")
sed -i 's/^:---/---/' "$rev"
gpg --batch --quiet --import "$rev" 2>/dev/null
gpg --batch --armor --export gone@example.com >"$T/gone.key"
trust_key gone example.com/app
refused 'revoked' "a signature by a revoked key" fetch "$new" --signature="$T/gone.asc"

# ---- manifests
evil() { # NAME MANIFEST: an image with that manifest text
	mkdir -p "$T/evil/rootfs"
	printf '%s' "$2" >"$T/evil/manifest"
	tar -C "$T/evil" -cf "$T/images/$1.aci" manifest rootfs
	rm -rf "$T/evil"
}
head='"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/x"'
evil twice "{$head,\"name\":\"example.com/y\"}"
refused 'duplicate' "T63 duplicate keys" fetch --insecure-options=image "$T/images/twice.aci"
evil deep "{$head,\"x\":$(python3 -c 'print("["*100000+"]"*100000)')}"
refused 'deep|depth|nest' "T63 100,000 levels" fetch --insecure-options=image "$T/images/deep.aci"
evil kind '{"acKind":"PodManifest","acVersion":"0.8.11","name":"example.com/x"}'
refused 'acKind|ImageManifest' "the wrong kind" fetch --insecure-options=image "$T/images/kind.aci"
evil type "{$head,\"app\":{\"exec\":\"/bin/sh\",\"user\":\"0\",\"group\":\"0\"}}"
refused '\.app\.exec' "a member of the wrong type" fetch --insecure-options=image "$T/images/type.aci"
evil trail "{$head} x"
refused 'manifest' "T63 trailing data" fetch --insecure-options=image "$T/images/trail.aci"
evil huge "{$head,\"n\":1e400}"
refused 'manifest' "T63 a number out of range" fetch --insecure-options=image "$T/images/huge.aci"

# ---- the command line
_verb=run
refused 'bad volume|kind' "a bad volume" run --net=none --volume=v,kind=what example.com/app
refused 'absolute' "a relative volume source" run --net=none --volume=v,kind=host,source=data example.com/app
refused 'example.com/none' "an image that is not there" run --net=none --pull-policy=never example.com/none
refused 'no image IDs found' "an unknown image id" run --net=none sha512-00112233
refused 'pull-policy' "an unknown pull policy" run --net=none --pull-policy=sometimes example.com/app
refused 'insecure-options|unknown' "an unknown insecure option" --insecure-options=everything run --net=none example.com/app
refused 'two apps are named' "one name for two apps" run --net=none example.com/app example.com/app
refused 'set-env' "an environment variable without =" run --net=none --set-env=FOO example.com/app
refused 'manifest' "a missing pod manifest" run --net=none --pod-manifest="$T/none"
printf '{"acKind":"PodManifest","acVersion":"0.8.11","apps":[],"apps":[]}' >"$T/twice.json"
refused 'duplicate' "a pod manifest with duplicate keys" run --net=none --pod-manifest="$T/twice.json"
for verb in status stop rm cat-manifest enter run-prepared; do
	_verb=$verb
	more=
	[ $verb != enter ] || more=/bin/true
	refused 'no matches found for "deadbeef"' "$verb of an unknown UUID" $verb deadbeef $more
	refused 'UUID cannot be empty' "$verb of an empty UUID" $verb "" $more
done
run rkt run --no-such-flag example.com/app
expect_status 254 "an unknown flag"
expect_stderr 'no-such-flag' "is named"
is "in one line" "$(wc -l <"$T/err")" 1
is "and changes nothing" "$(snapshot)" "$before"
run rkt nonsense
expect_status 254 "an unknown command"

# an ambiguous UUID: seventeen pods have two with the same first digit
i=0
while [ $i -lt 17 ]; do
	run rkt prepare example.com/app
	out >>"$T/uuids"
	i=$((i + 1))
done
twin=$(cut -c1 "$T/uuids" | sort | uniq -d | head -n 1)
# the first pod of a data directory leaves the layer that all have
rkt run --net=none example.com/app --exec=/bin/true >/dev/null 2>&1
rkt gc --grace-period=0s >/dev/null 2>&1
before=$(snapshot)
_verb='status'
refused 'ambiguous' "an ambiguous UUID" status "$twin"

# what stage1 refuses leaves nothing either, even before gc
_verb=run
for args in "--caps-retain=CAP_BOGUS" "--group=nobody-here" "--user=nobody-here" "--exec=/no/such" "--working-dir=/no/such"; do
	# shellcheck disable=SC2086
	fails_with '^rkt: run: ' "run with $args" rkt run --net=none example.com/app $args
	is "leaves the data directory as it was" "$(snapshot)" "$before"
done

# ---- who, and where
chmod 755 "$T" "$RKT_DIR"
fails_with 'cannot run as unprivileged user' "not root" setpriv --reuid=65534 --regid=65534 --clear-groups \
	"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" run --net=none example.com/app
in_ns() { # SCRIPT: in a mount namespace of its own
	run unshare -m --propagation private sh -c "$1"
}
base="'$RKT' --local-config='$T/etc' --system-config='$T/lib'"
mkdir "$T/ro"
in_ns "mount -t tmpfs -o ro none '$T/ro' && $base --dir='$T/ro' run --net=none '$new'"
expect_status 254 "a data directory on a read-only file system"
expect_stderr '^rkt: run: .*Read-only file system' "says so"
is "in one line" "$(wc -l <"$T/err")" 1
in_ns "mount --bind '$RKT_DIR' '$RKT_DIR' && mount -o remount,bind,ro '$RKT_DIR' && $base --dir='$RKT_DIR' fetch '$new'"
expect_status 254 "fetch into a read-only store"
expect_stderr 'Read-only file system' "says so"
mkdir "$T/small"
in_ns "mount -t tmpfs -o size=1m none '$T/small' && $base --dir='$T/small' fetch '$new'; s=\$?; find '$T/small/cas/tree' '$T/small/cas/image' '$T/small/cas/blob' -type f | wc -l; exit \$s"
expect_status 254 "T32 a full disk"
expect_stderr '^rkt: fetch: .*No space left on device' "says so"
is "in one line" "$(wc -l <"$T/err")" 1
is "and publishes nothing" "$(out)" 0
