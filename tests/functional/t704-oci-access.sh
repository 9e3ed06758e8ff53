#!/bin/sh
# Who is let in and whom we believe: TLS, passwords, mirrors, and signatures on the way of a whole pull (threats.md T38, T42-T45).
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need docker-registry python3 busybox openssl skopeo gpg
mkdir -p "$T/tls" "$T/etc/registries.d" "$T/etc/auth.d"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
	-keyout "$T/tls/key.pem" -out "$T/tls/cert.pem" 2>/dev/null
# a password of htpasswd's kind that needs no tool of its own: bcrypt of "secret"
printf 'joe:%s\n' "$(python3 -W ignore -c 'import crypt; print(crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))')" >"$T/htpasswd"
# shellcheck disable=SC2034 # of ocilib.sh
registry_tls=", tls: {certificate: $T/tls/cert.pem, key: $T/tls/key.pem}"
check "a registry that wants TLS and a password" start_registry "auth: {htpasswd: {realm: tests, path: $T/htpasswd}}"
make_images <<'END'
import base64, ssl
https = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
opener = urllib.request.build_opener(https)
opener.addheaders = [('Authorization', 'Basic ' + base64.b64encode(b'joe:secret').decode())]
urllib.request.install_opener(opener)
image = Image([Layer().dir('.').busybox('echo').bytes()], Entrypoint=['/bin/echo', 'ran'])
push('https://%s/v2/team/app' % registry, 'v1', image)
write_layout(T + '/mirror', {'v1': image})
open(T + '/digest', 'w').write(digest(image.manifest())[7:])
END
at=docker://$registry/team/app:v1
name=127.0.0.1_${registry#*:}/team
digest=$(cat "$T/digest")
accept_unsigned
entry() { printf '{"rktKind":"registry","rktVersion":"v1","registries":["%s"]%s}' "$registry" "$1" >"$T/etc/registries.d/r.json"; }
login() { printf '{"rktKind":"dockerAuth","rktVersion":"v1","registries":["%s"],"credentials":{"user":"joe","password":"%s"}}' "$registry" "$1" >"$T/etc/auth.d/a.json"; }

# ---- TLS and passwords
refuses 'certificate|SSL' "a certificate that nobody knows" rkt fetch "$at"
entry ",\"caFile\":\"$T/tls/cert.pem\""
refuses 'asks for a user and a password' "no password" rkt fetch "$at"
login wrong
refuses 'answered 401|refused|credentials' "a wrong one" rkt fetch "$at"
refute "which is not told" grep -q wrong "$T/err"
login secret
run rkt fetch "$at"
expect_status 0 "the right one"
rm -rf "$RKT_DIR" "$T/etc/auth.d/a.json"
mkdir -p "$T/home/.docker"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf joe:secret | base64)" >"$T/home/.docker/config.json"
run env HOME="$T/home" DOCKER_CONFIG="$T/home/.docker" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none "$at"
is "the one that docker login has left" "$(out)" ran
login secret

# ---- mirrors
rm -rf "$RKT_DIR"
real=$registry
start_badreg "$T/mirror"
mirror=http://$registry registry=$real
entry ",\"caFile\":\"$T/tls/cert.pem\",\"mirrors\":[\"$mirror\"]"
new_log
run rkt fetch "$at"
expect_status 0 "by way of a mirror"
is "which is asked for all of it" "$(blobs_asked)" 0
refute "T38 and is not told who we are" grep -qi authorization "$T/badreg.log"
rm -rf "$RKT_DIR"
printf 'GET */blobs/* flip=1\n' >"$T/badreg.rules"
run rkt run --net=none "$at"
is "a mirror that lies is passed over" "$(out)" ran
rm -rf "$RKT_DIR"
kill "$badreg_pid"
run rkt run --net=none "$at"
is "and so is one that is down" "$(out)" ran
rm -rf "$RKT_DIR"
entry ",\"caFile\":\"$T/tls/cert.pem\""

# ---- signatures
accept=
refuses 'insecure-options=image' "nobody is trusted" rkt fetch "$at"
openssl ecparam -name prime256v1 -genkey -noout -out "$T/ours.pem"
openssl pkey -in "$T/ours.pem" -pubout -out "$T/ours.pub"
run rkt trust --prefix="$name" --skip-fingerprint-review "$T/ours.pub"
expect_status 0 "a key is"
refuses 'has no signature' "T42 which has signed nothing" rkt fetch "$at"
is "and nothing of the image was fetched" "$(find "$RKT_DIR/cas/blob" -type f)" ""
cosign() { # DIGEST REPOSITORY
	printf '{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"sha256:%s"},"identity":{"docker-reference":"%s"}},"optional":null}' "$1" "$2" >"$T/payload"
	openssl dgst -sha256 -sign "$T/ours.pem" -out "$T/payload.sig" "$T/payload"
	make_images <<-'END'
		import base64, ssl
		opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))
		opener.addheaders = [('Authorization', 'Basic ' + base64.b64encode(b'joe:secret').decode())]
		urllib.request.install_opener(opener)
		data = open(T + '/payload', 'rb').read()
		text = base64.b64encode(open(T + '/payload.sig', 'rb').read()).decode()
		i = Image([data], how='plain')
		i.doc['layers'][0].update(mediaType='application/vnd.dev.cosign.simplesigning.v1+json',
		                          annotations={'dev.cosignproject.cosign/signature': text})
		push('https://%s/v2/team/app' % registry, 'sha256-' + open(T + '/digest').read() + '.sig', i)
	END
}
cosign "$(printf '%064d' 0)" "$registry/team/app"
refuses 'made for the image sha256:0000' "T44 a signature of something else" rkt fetch "$at"
cosign "$digest" "$registry/team/app"
run rkt run --net=none "$at"
is "a good one" "$(out)" ran
run rkt image list --full --fields=name,verified
expect_stdout "team/app:v1.*\(prefix $name by cosign\)" "image list says who vouches for it"
run rkt run --net=none --uuid-file-save="$T/uuid" "$at"
is "is remembered" "$(out)" ran
run rkt status "$(cat "$T/uuid")"
expect_stdout "^verified-app=[0-9a-f]{64} \\(prefix $name by cosign\\)\$" "and status says it of the pod"

# ---- the same by skopeo: an OpenPGP signature on a lookaside
make_key alice
mkdir -p "$T/skopeo.d" "$T/side" "$T/certs/$registry"
printf 'default-docker:\n  sigstore: file://%s/side\n  sigstore-staging: file://%s/side\n' "$T" "$T" >"$T/skopeo.d/default.yaml"
cp "$T/tls/cert.pem" "$T/certs/$registry/ca.crt"
run skopeo --insecure-policy --registries.d "$T/skopeo.d" copy -q --dest-creds joe:secret --dest-cert-dir "$T/certs/$registry" \
	--sign-by alice@example.com "oci:$T/mirror:v1" "docker://$registry/signed/app:v1"
expect_status 0 "skopeo sends and signs"
check "on the lookaside" sh -c "find '$T/side' -name signature-1 | grep -q signed/app"
signed=docker://$registry/signed/app:v1
side() { printf '{"rktKind":"lookaside","rktVersion":"v1","prefixes":["%s"],"url":"%s"}' "$registry" "$1" >"$T/etc/registries.d/side.json"; }
side "file://$T/side"
refuses 'no key is trusted' "T42 nobody trusts alice" rkt fetch "$signed"
trust_key alice "127.0.0.1_${registry#*:}/other"
refuses 'no key is trusted' "T42 a key of another scope" rkt fetch "$signed"
make_key mallory
trust_key mallory "127.0.0.1_${registry#*:}/signed"
refuses 'unknown entity|none of the keys' "T42 signed by another than who is trusted" rkt fetch "$signed"
trust_key alice "127.0.0.1_${registry#*:}/signed"
run rkt run --net=none "$signed"
is "T42 a signature of skopeo's by a key in scope" "$(out)" ran
run rkt image list --full --fields=name,verified
expect_stdout "signed/app:v1.*$(fingerprint alice) \(prefix 127.0.0.1_${registry#*:}/signed by simple signing\)" "image list says who"
at2=docker://$registry/signed/app:v2
skopeo --insecure-policy --registries.d "$T/skopeo.d" copy -q --dest-creds joe:secret --dest-cert-dir "$T/certs/$registry" "oci:$T/mirror:v1" "docker://$registry/signed/app:v2" 2>/dev/null
refuses 'made for .*:v1' "T44 a signature of v1 does not do for v2" rkt fetch "$at2"
mkdir -p "$T/side/signed/b@sha256=$digest"
cp "$(find "$T/side" -name signature-1 -path '*signed/app*')" "$T/side/signed/b@sha256=$digest/signature-1"
skopeo --insecure-policy copy -q --dest-creds joe:secret --dest-cert-dir "$T/certs/$registry" "oci:$T/mirror:v1" "docker://$registry/signed/b:v1" 2>/dev/null
refuses 'made for .*signed/app' "T44 one of image A does not do for B" rkt fetch "docker://$registry/signed/b:v1"

# ---- a registry that wants to see a certificate
kill "$registry_pid"
wait "$registry_pid" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=client -keyout "$T/tls/client.key" -out "$T/tls/client.pem" 2>/dev/null
# shellcheck disable=SC2034 # of ocilib.sh
registry_tls=", tls: {certificate: $T/tls/cert.pem, key: $T/tls/key.pem, clientcas: [$T/tls/client.pem]}"
check "a registry that wants a certificate" start_registry ""
accept_unsigned
at=docker://$registry/signed/app:v1
entry ",\"caFile\":\"$T/tls/cert.pem\""
# the registry may have hung up before its word about that is read
refuses 'certificate|SSL|alert|the peer|reset' "nobody without one is let in" rkt fetch "$at"
entry ",\"caFile\":\"$T/tls/cert.pem\",\"certFile\":\"$T/tls/client.pem\",\"keyFile\":\"$T/tls/client.key\""
rm -rf "$RKT_DIR"
run rkt run --net=none "$at"
is "the registry's own" "$(out)" ran
