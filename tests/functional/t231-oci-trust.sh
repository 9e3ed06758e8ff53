#!/bin/sh
# Signatures of images of registries, by a real registry and a lookaside over HTTP (threats.md T42-T44); what counts is in
# unit/test_ocisign.c, here is where it comes from.  Nothing is fetched.
. "${0%/*}/lib.sh"
need_root
need gpg openssl python3 docker-registry
mkdir -p "$T/registry" "$T/side" "$T/etc/registries.d"
port=5000
cat >"$T/registry.yml" <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $T/registry}}
http: {addr: 127.0.0.1:$port}
END
start docker-registry serve "$T/registry.yml"
registry_pid=$pid
check "a registry" wait_for 10 python3 -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/v2/')"
repo=127.0.0.1:$port/team/app
name=127.0.0.1_$port/team/app
A=$(printf '%064d' 0 | tr 0 a)
B=$(printf '%064d' 0 | tr 0 b)

verify() { run "$RKT_BUILD/tests/ocisign" "$T/data" "$T/etc" http "docker://$repo:v1" "$name" "$@"; }
refused() { # WHY WHAT DIGEST...
	_why=$1 _what=$2
	shift 2
	verify "$@"
	expect_status 1 "$_what"
	expect_stderr "$_why" "for that reason"
}
payload() { # TYPE HEX REFERENCE
	printf '{"critical":{"type":"%s","image":{"docker-manifest-digest":"sha256:%s"},"identity":{"docker-reference":"%s"}},"optional":null}' "$@"
}
new_key() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$T/$1.pem"
	openssl pkey -in "$T/$1.pem" -pubout -out "$T/$1.pub"
}
sign() { openssl dgst -sha256 -sign "$T/$1.pem" -out "$T/$2.$1" "$T/$2"; } # KEY PAYLOAD
cat >"$T/push.py" <<'END'
# push.py BASE TAG [PAYLOAD SIGNATURE]...: what `cosign sign` leaves in a registry.
import base64, hashlib, json, sys, urllib.request as u
base, tag = sys.argv[1:3]
def send(method, url, data, kind):
    return u.urlopen(u.Request(url, method=method, data=data, headers={'Content-Type': kind}))
def blob(data, kind, notes=None):
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    to = send('POST', base + '/blobs/uploads/', b'', 'text/plain').headers['Location']
    send('PUT', to + ('&' if '?' in to else '?') + 'digest=' + digest, data, 'application/octet-stream')
    return dict({'mediaType': kind, 'digest': digest, 'size': len(data)}, **({'annotations': notes} if notes else {}))
def layer(payload, signature):
    text = base64.b64encode(open(signature, 'rb').read()).decode()
    return blob(open(payload, 'rb').read(), 'application/vnd.dev.cosign.simplesigning.v1+json',
                {'dev.cosignproject.cosign/signature': text})
kind = 'application/vnd.oci.image.manifest.v1+json'
manifest = {'schemaVersion': 2, 'mediaType': kind, 'config': blob(b'{}', 'application/vnd.oci.image.config.v1+json'),
            'layers': [layer(p, s) for p, s in zip(sys.argv[3::2], sys.argv[4::2])]}
send('PUT', base + '/manifests/' + tag, json.dumps(manifest).encode(), kind)
END
push() { python3 "$T/push.py" "http://127.0.0.1:$port/v2/team/app" "sha256-$A.sig" "$@"; }

# ---- cosign
new_key ours
new_key theirs
payload 'cosign container image signature' "$A" "$repo" >"$T/good"
payload 'cosign container image signature' "$B" "$repo" >"$T/other"
payload 'cosign container image signature' "$A" "127.0.0.1:$port/team/b" >"$T/moved"
head -c 100000 /dev/zero >"$T/big"
for f in good other moved; do sign ours "$f"; done
sign theirs good
refused "no key is trusted for \"$name\"" "no key in scope" "sha256:$A"
run rkt trust --prefix="127.0.0.1_$port/team" --skip-fingerprint-review "$T/ours.pub"
refused 'has no signature: asked for at the registry' "no signature" "sha256:$A"
push "$T/good" "$T/good.ours"
verify "sha256:$A"
expect_status 0 "a good one"
expect_stdout "^[0-9a-f]{64} prefix 127.0.0.1_$port/team by cosign\$" "says which key satisfied which rule"
verify "sha256:$B" "sha256:$A"
expect_status 0 "of the manifest that was picked from an index"
refused 'has no signature' "another image" "sha256:$B"
push "$T/good" "$T/good.theirs" "$T/other" "$T/other.ours" "$T/good" "$T/good.ours"
verify "sha256:$A"
expect_status 0 "a good one behind others"
push "$T/good" "$T/good.theirs"
refused 'none of the keys' "T43 only somebody else's" "sha256:$A"
push "$T/other" "$T/other.ours"
refused 'made for the image sha256:bbbb' "T44 of another digest" "sha256:$A"
push "$T/moved" "$T/moved.ours"
refused 'made for .*/team/b' "T44 of another repository" "sha256:$A"
push "$T/big" "$T/good.ours"
refused 'more than 65536 bytes' "a huge payload" "sha256:$A"
refute "is not even fetched" sh -c "ls '$T'/data/cas/tmp/dl-* 2>/dev/null"
push
refused 'has no signature' "an empty list" "sha256:$A"

# ---- simple signing
make_key alice
make_key mallory
payload 'atomic container signature' "$A" "$repo:v1" >"$T/simple"
payload 'atomic container signature' "$A" "$repo:v2" >"$T/v2"
at="$T/side/team/app@sha256=$A"
mkdir -p "$at"
lay() { gpg --batch --quiet --yes --local-user "$2@example.com" --output "$at/signature-$1" --sign "$T/$3"; }
start_server "$T/side"
aside() { printf '{"rktKind":"lookaside","rktVersion":"v1","prefixes":["127.0.0.1:%s"],"url":"%s"}' "$port" "$1" >"$T/etc/registries.d/x.json"; }
trust_key alice "127.0.0.1_$port"
refused 'no lookaside is configured' "nowhere to look" "sha256:$A"
aside "$server_url"
refused 'has no signature: asked for at the lookaside and in the registry' "nothing there" "sha256:$A"
lay 1 mallory simple
lay 2 alice v2
lay 3 alice simple
verify "sha256:$A"
expect_status 0 "the third of three counts"
expect_stdout "^$(fingerprint alice) prefix 127.0.0.1_$port by simple signing\$" "and is told from cosign's"
rm "$at/signature-3"
refused 'unknown entity' "without it" "sha256:$A"
lay 1 alice v2
refused 'made for .*:v2' "T44 a signature of another tag" "sha256:$A"
lay 1 alice simple
printf '/* status=500\n* status=500\n' >"$T/httpd.rules"
refused '500' "a lookaside that is broken is not one without signatures" "sha256:$A"
: >"$T/httpd.rules"
run "$RKT_BUILD/tests/ocisign" "$T/data" "$T/etc" "" "docker://$repo:v1" "$name" "sha256:$A"
expect_status 1 "plain http for signatures"
expect_stderr 'insecure-options=http' "only with the option"
stop_server
aside "file://$T/side"
verify "sha256:$A"
expect_status 0 "from a directory"
ln -sf /etc/passwd "$at/signature-1"
refused 'open the signature' "which holds no links" "sha256:$A"
run "$RKT_BUILD/tests/ocisign" "$T/data" "$T/etc" http "docker://$repo@sha256:$A" "$name" "sha256:$A"
expect_stdout "^sha256:$A pinned digest\$" "a pinned digest needs no signature"
run "$RKT_BUILD/tests/ocisign" "$T/data" "$T/etc" http "docker://$repo@sha256:$A" "$name" "sha256:$B"
expect_status 1 "but it must be that of what was got"
kill "$registry_pid"
