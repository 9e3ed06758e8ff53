#!/bin/sh
# Tokens: a real registry that wants them, and who is told which password on the way (formats.md section 13.2, threats.md T38).
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need docker-registry python3 busybox openssl
accept_unsigned
mkdir -p "$T/tls" "$T/etc/registries.d" "$T/etc/auth.d" "$T/home/.docker" "$T/bin"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
	-keyout "$T/tls/key.pem" -out "$T/tls/cert.pem" 2>/dev/null
: >"$T/rules"
: >"$T/realm.log"
start python3 "$TESTS/tokend.py" "$T/tls/cert.pem" "$T/tls/key.pem" "$T/realm.port" "$T/rules" "$T/realm.log"
check "a realm" wait_for 10 test -s "$T/realm.port"
realm=$(cat "$T/realm.port")
# shellcheck disable=SC2034 # of ocilib.sh
registry_tls=", tls: {certificate: $T/tls/cert.pem, key: $T/tls/key.pem}"
registry_at() { # REALM-URL [LINE]
	if [ -n "${registry_pid:-}" ]; then kill "$registry_pid" && wait "$registry_pid" 2>/dev/null; fi
	start_registry "auth: {token: {realm: '$1', service: tests, issuer: tests, rootcertbundle: $T/tls/cert.pem}}" "${2:-}" || return 1
	at=docker://$registry/team/app:v1
	printf '{"rktKind":"registry","rktVersion":"v1","registries":["%s"],"caFile":"%s/tls/cert.pem"}' "$registry" "$T" >"$T/etc/registries.d/r.json"
	rm -f "$T/etc/auth.d/a.json" "$T/home/.docker/config.json"
}
again() { # with the configuration as it is now
	kill "$registry_pid"
	wait "$registry_pid" 2>/dev/null
	serve_registry
}
login() { printf '{"rktKind":"dockerAuth","rktVersion":"v1","registries":["%s"],"credentials":{"user":"joe","password":"%s"}}' "$registry" "$1" >"$T/etc/auth.d/a.json"; }
docker_config() { printf '%s' "$1" >"$T/home/.docker/config.json"; }
fresh() {
	rm -rf "$RKT_DIR"
	: >"$T/realm.log"
	echo "$*" >"$T/rules"
}
# The registry names what it wants in any order.
asked() { sed "s/push,pull/pull,push/" "$T/realm.log"; }
HOME=$T/home
PATH=$T/bin:$PATH
export HOME PATH
unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR
check "a registry" registry_at "https://127.0.0.1:$realm/token"
make_images <<'END'
image = Image([Layer().dir('.').busybox('echo').bytes()] + [Layer().file(str(i), str(i)).bytes() for i in range(5)], Entrypoint=['/bin/echo', 'ran'])
write_layout(T + '/layout', {'v1': image})
END
run rkt fetch --full "oci:$T/layout"
id=$(out)

# ---- sending needs more than reading
refuses 'answered 401|refuses what it granted|does not accept' "nobody may send" rkt image push "$id" "$at"
is "which was asked for" "$(asked | grep -c "^GET repository:team/app:pull,push -\$" | sed "s/[1-9]/asked/")" asked
login secret
: >"$T/realm.log"
run rkt image push "$id" "$at"
expect_status 0 "joe may"
is "the password goes to the realm" "$(asked | sort -u | tr "\n" ";")" "GET repository:team/app:pull joe;GET repository:team/app:pull,push joe;"
rm "$T/etc/auth.d/a.json"

# ---- reading
fresh
run rkt run --net=none "$at"
is "a token for nobody in particular" "$(out)" ran
is "one for all blobs" "$(asked)" "GET repository:team/app:pull -"
fresh noanonymous
refuses 'does not accept the credentials' "a realm that wants a password" rkt fetch "$at"
login wrong
refuses 'does not accept the credentials' "another one" rkt fetch "$at"
refute "which is not told" grep -q wrong "$T/err"
login secret
run rkt fetch "$at"
expect_status 0 "the right one"
rm "$T/etc/auth.d/a.json"

# ---- from where docker and podman keep theirs
fresh noanonymous
docker_config "{\"auths\":{\"$registry\":{\"auth\":\"$(printf joe:secret | base64)\"}}}"
run rkt fetch "$at"
expect_status 0 "docker's file"
fresh noanonymous
docker_config "{\"auths\":{\"$registry\":{\"identitytoken\":\"joes-identity\"}}}"
run rkt fetch "$at"
expect_status 0 "an identity token"
is "is posted" "$(asked)" "POST repository:team/app:pull identity"
fresh noanonymous nopost
docker_config "{\"auths\":{\"$registry\":{\"identitytoken\":\"joes-identity\",\"username\":\"joe\",\"password\":\"secret\"}}}"
run rkt fetch "$at"
expect_status 0 "to a realm that knows only passwords"
is "the password is sent then" "$(asked | tr '\n' ';')" "POST repository:team/app:pull identity;GET repository:team/app:pull joe;"
printf '#!/bin/sh\ncat >"%s/helper.in"\necho "$*" >"%s/helper.args"\n%s\n' "$T" "$T" 'echo "{\"ServerURL\":\"x\",\"Username\":\"joe\",\"Secret\":\"secret\"}"' >"$T/bin/docker-credential-good"
printf '#!/bin/sh\ncat >/dev/null\n%s\n' 'echo "{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"joes-identity\"}"' >"$T/bin/docker-credential-token"
printf '#!/bin/sh\ncat >/dev/null\necho credentials not found in native keychain\nexit 1\n' >"$T/bin/docker-credential-none"
printf '#!/bin/sh\ncat >/dev/null\necho the keychain burns\nexit 1\n' >"$T/bin/docker-credential-broken"
chmod 755 "$T"/bin/*
for helper in good token; do
	fresh noanonymous
	docker_config "{\"credHelpers\":{\"$registry\":\"$helper\"}}"
	run rkt fetch "$at"
	expect_status 0 "a credential helper: $helper"
done
is "is asked for the registry" "$(cat "$T/helper.args"; cat "$T/helper.in")" "get
$registry"
fresh
docker_config '{"credsStore":"none"}'
run rkt fetch "$at"
expect_status 0 "one that knows nothing: nobody in particular"
fresh
docker_config '{"credsStore":"broken"}'
refuses 'the keychain burns|docker-credential-broken' "one that fails" rkt fetch "$at"
docker_config '{"credsStore":"../../bin/sh"}'
refuses 'helper' "one that is a path" rkt fetch "$at"
docker_config '{"credsStore":"absent"}'
refuses 'docker-credential-absent' "one that is not there" rkt fetch "$at"
rm "$T/home/.docker/config.json"

# ---- realms that misbehave
fresh empty
refuses 'refuses what it granted|answered 401' "T38 tokens that are never enough" rkt fetch "$at"
check "T38 are asked for three times at most" test "$(wc -l <"$T/realm.log")" -le 3
fresh ttl=999999999999
run rkt fetch "$at"
expect_status 0 "T38 a token that is said to live for ever"
fresh limit=2
run rkt fetch "$at"
expect_status 0 "a realm that wants us to wait"
is "is asked again" "$(asked | wc -l)" 3
for raw in '"{}"' '"not json"' '"{\"token\":\"a\\r\\nX-Evil: b\"}"' '"{\"token\":7}"'; do
	fresh "raw=$raw"
	refuses 'token' "an answer that is none: $raw" rkt fetch "$at"
done
login secret
check "a registry with a realm elsewhere" registry_at "https://localhost:$realm/token"
login secret
fresh
run rkt fetch "$at"
expect_status 0 "T38 a realm on another site gets no password"
is "only what everybody may send" "$(asked)" "GET repository:team/app:pull -"
expect_stderr 'credentials for .* are not sent to localhost' "and says so"
for bad in "http://192.0.2.1/token" "file:///etc/passwd" "https://joe:x@127.0.0.1/token" "ftp://127.0.0.1/"; do
	check "a registry with the realm $bad" registry_at "$bad"
	login secret
	refuses 'get a token|realm|URL' "T38 is not asked" rkt fetch "$at"
done

# ---- a registry that keeps its blobs elsewhere: the token does not go there
check "a registry that redirects" registry_at "https://127.0.0.1:$realm/token" "middleware: {storage: [{name: redirect, options: {baseurl: 'https://PLACE/'}}]}"
start_server "$T/registry" --cert "$T/tls/cert.pem" --key "$T/tls/key.pem"
sed -i "s/PLACE/127.0.0.1:$server_port/" "$T/registry.yml"
again
fresh
# shellcheck disable=SC2034 # of lib.sh
accept=--insecure-options=image,tls
run rkt run --net=none "$at"
is "T37 blobs come from where it leads" "$(out)" ran
check "T37 all of them" test "$(requests 'GET .*/data 200')" -ge 7
is "T37 and nobody there is told the token" "$(requests 'auth=[^-]')" 0
