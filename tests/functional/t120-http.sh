#!/bin/sh
# Fetching over HTTP: signatures beside, caching, resume, redirects, credentials, servers that lie.
. "${0%/*}/lib.sh"
need_root
need gpg openssl python3
make_key alice
make_image example.com/app
sign_image "$image" alice
trust_key alice example.com/app
start_server
url=$server_url/app.aci
rules() { printf '%s\n' "$@" >"$T/httpd.rules"; : >"$T/httpd.log"; }
fetch() { run rkt fetch "$@"; }
forget() { rkt image rm "$(rkt image list --fields=id --full --no-legend)" >/dev/null 2>&1; rm -rf "$RKT_DIR/cas/ref" "$RKT_DIR"/cas/tmp/*; mkdir -p "$RKT_DIR/cas/ref"; }

# ---- the ordinary way, and caching
fetch "$url"
expect_status 0 "a signed image"
expect_stderr 'signature verified' "is verified"
is "signature first, then image" "$(sed 's/ .*app/ app/' "$T/httpd.log" | cut -d' ' -f1,2 | tr '\n' ';' | sed 's/HEAD [^;]*;//')" "GET app.aci.asc;GET app.aci;"
: >"$T/httpd.log"
fetch "$url"
expect_status 0 "again, by the default policy update"
check "asks with the ETag" grep -q 'GET /app.aci 304 ' "$T/httpd.log"
: >"$T/httpd.log"
fetch --pull-policy=new "$url"
is "policy new does not ask at all" "$(requests)" 0
fetch --pull-policy=never "$url"
expect_status 0 "nor does never"
is "really" "$(requests)" 0
forget
rules '* age=3600'
fetch "$url"
: >"$T/httpd.log"
fetch "$url"
is "what is fresh by Cache-Control is not asked for" "$(requests)" 0
forget
fails_with 'not in the (local )?store|no image|policy' "never, and not there" rkt fetch --pull-policy=never "$url"

# ---- signatures
rules '/app.aci.asc status=404'
fails_with 'signature.*404|404.*signature|insecure-options=image' "no signature beside it" rkt fetch "$url"
is "then the image is not even asked for" "$(requests 'GET /app.aci ')" 0
rules '/app.aci.asc status=202 times=1'
fetch "$url"
expect_status 0 "202 for the signature: image first, then once more"
forget
rules
fetch "$url" --signature="$image.asc"
expect_status 0 "--signature names it"
is "and none is asked for" "$(requests 'asc')" 0
forget

# ---- resume
size=$(stat -c %s "$image")
half=$((size / 2))
rules "/app.aci drop=$half times=1"
fetch "$url"
expect_status 0 "a connection that breaks is taken up again"
forget
rules "/app.aci drop=$half"
run timeout 300 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" fetch "$url"
expect_status 0 "one that breaks again and again still gets there"
check "each time from where it broke" grep -Eq "GET /app.aci 206 .*range=bytes=[1-9]" "$T/httpd.log"
forget
rules "/app.aci rate=$((half / 5))"
start_rkt fetch "$url"
check "a part of it is there" wait_for 10 sh -c "find '$RKT_DIR/cas/tmp' -type f -size +16k | grep -q ."
kill -KILL "$pid"
wait "$pid" 2>/dev/null
rules
fetch "$url"
expect_status 0 "after a kill -9 the next fetch"
check "goes on from the bytes that were there" grep -Eq 'GET /app.aci 206 range=bytes=[1-9]' "$T/httpd.log"
forget
rules "/app.aci drop=$half norange times=2"
fetch "$url"
expect_status 0 "a server that ignores Range"
forget

# ---- lies
rules "/app.aci length=$((size * 2))"
fails_with 'app.aci' "a Content-Length that is too long" timeout 300 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" fetch "$url"
rules "/app.aci length=$half"
run timeout 300 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" fetch "$url"
refute "a Content-Length that is too short" test "$status" -eq 0
is "nothing was published" "$(find "$RKT_DIR/cas/tree" "$RKT_DIR/cas/image" -mindepth 1 | wc -l)" 0
for code in 403 404 500; do
	rules "/app.aci status=$code"
	fails_with "$code" "status $code is told" timeout 300 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" fetch "$url"
done
rules
stop_server
fails_with 'refused|connect' "a server that is not there" timeout 300 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" fetch "$url"

# ---- redirects and credentials (T37, R28): over TLS, since none travel without
make_cert
start_server "$T/images" --cert "$T/cert.pem" --key "$T/cert.key"
port1=$server_port
cp "$T/httpd.log" "$T/keep" 2>/dev/null
mkdir -p "$T/etc/auth.d"
printf '{"rktKind":"auth","rktVersion":"v1","domains":["127.0.0.1:%s"],"type":"basic","credentials":{"user":"bob","password":"secret"}}' "$port1" >"$T/etc/auth.d/b.json"
url=https://127.0.0.1:$port1/app.aci
fails_with 'certificate|SSL|TLS' "an unknown certificate is refused" rkt fetch "$url"
rules '*.aci* auth=bob:secret'
fetch --insecure-options=tls "$url"
run rkt --insecure-options=tls fetch "$url"
expect_status 0 "credentials of auth.d are sent over TLS"
forget
rules "/moved.aci* status=302 location=https://127.0.0.1:$port1/app.aci" '/moved.aci.asc status=302 location=/app.aci.asc' '/app.aci* auth=bob:secret'
run rkt --insecure-options=tls fetch "https://127.0.0.1:$port1/moved.aci"
expect_status 0 "and along a redirect on the same origin"
forget
rules "/away.aci status=302 location=https://localhost:$port1/app.aci" "/away.aci.asc status=302 location=https://localhost:$port1/app.aci.asc"
run rkt --insecure-options=tls fetch "https://127.0.0.1:$port1/away.aci"
check "T37 a redirect elsewhere was followed" grep -q 'host=localhost' "$T/httpd.log"
unlike "T37 without credentials" "$(grep host=localhost "$T/httpd.log")" 'auth=[^-]'
like "T37 which the first origin got" "$(grep -v host=localhost "$T/httpd.log" | head -n 1)" 'auth=Basic'
forget
for to in "http://127.0.0.1:$port1/app.aci" file:///etc/passwd gopher://127.0.0.1/x; do
	rules "/down.aci status=302 location=$to" "/down.aci.asc file=app.aci.asc"
	fails_with 'redirect|scheme|protocol' "T37 a redirect to ${to%%:*} is refused" rkt --insecure-options=tls fetch "https://127.0.0.1:$port1/down.aci"
done
rules '/loop.aci* status=302 location=/loop.aci'
fails_with 'redirect' "T37 a loop of redirects ends" rkt --insecure-options=tls fetch "https://127.0.0.1:$port1/loop.aci"
stop_server
start_server
printf '{"rktKind":"auth","rktVersion":"v1","domains":["127.0.0.1:%s"],"type":"basic","credentials":{"user":"bob","password":"secret"}}' "$server_port" >"$T/etc/auth.d/b.json"
rules
fetch "$server_url/app.aci"
expect_status 0 "plain http works"
unlike "and never carries credentials" "$(cat "$T/httpd.log")" 'auth=[^-]'
fetch "$server_url/app.aci"
unlike "no progress bar without a terminal" "$(err)" '\['
