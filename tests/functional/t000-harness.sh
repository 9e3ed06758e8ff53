#!/bin/sh
# The harness itself: the server on loopback does what its rules say, keys sign, inspect answers.
. "${0%/*}/lib.sh"
need gpg curl

make_key alice
echo hello >"$T/images/x"
check "a key signs a file" sign_image "$T/images/x" alice
check "the signature is good" gpg --verify "$T/images/x.asc" "$T/images/x"
echo changed >>"$T/images/x"
refute "and bad after a change" gpg --verify "$T/images/x.asc" "$T/images/x"
like "a fingerprint has 40 digits" "$(fingerprint alice)" '^[0-9a-f]{40}$'

head -c 300000 /dev/zero >"$T/images/f"
cat >"$T/httpd.rules" <<-END
	/once file=/f drop=1000 times=1
	/once file=/f
	/auth file=/f auth=u:p
	/moved status=302 location=/f
END
start_server
run curl -s "$server_url/f"
check "the server serves a file" cmp "$T/out" "$T/images/f"
run curl -s "$server_url/once"
is "it drops the connection once" "$(wc -c <"$T/out")" 1000
run curl -s "$server_url/once"
is "and then no more" "$(wc -c <"$T/out")" 300000
cp "$T/httpd.rules" "$T/rules.again"
cp "$T/rules.again" "$T/httpd.rules"
run curl -s "$server_url/once"
is "but for rules that are written anew" "$(wc -c <"$T/out")" 1000
run curl -s -o /dev/null -w '%{http_code}' "$server_url/auth"
expect_stdout 401 "it wants a password"
run curl -s -u u:p "$server_url/auth"
is "and takes the right one" "$(wc -c <"$T/out")" 300000
run curl -sL -r 299990- "$server_url/moved"
is "it redirects and serves ranges" "$(wc -c <"$T/out")" 10
is "it logs every request" "$(requests)" 8
is "with the password" "$(requests 'GET /auth 200 .*auth=Basic dTpw ')" 1

run "$RKT_BUILD/tests/inspect" status exit=3
expect_status 3 "inspect ends as told"
is "inspect knows its user" "$(value uid)" "$(id -u)"
