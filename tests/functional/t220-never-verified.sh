#!/bin/sh
# An image that was imported without verification stays one: whoever does not accept that is refused, until it is verified.
. "${0%/*}/lib.sh"
need_root
need gpg
make_key alice
make_image example.com/app
start_server
url=$server_url/app.aci
U=--insecure-options=image
run rkt $U fetch --full "$image"
id=$(out)
run rkt $U fetch "$url"
expect_status 0 "imported without verification, by path and URL"
printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"a","image":{"id":"%s"},"app":{"exec":["/bin/true"],"user":"0","group":"0"}}]}' \
	"$id" >"$T/pod.json"

# refused DESCRIPTION REGEX ARG...: without the option: one line, no pod; with it: taken.
refused() {
	_what=$1 _regex=$2
	shift 2
	rkt gc --grace-period=0s --expire-prepared=0s >/dev/null 2>&1
	fails_with "$_regex" "refused: $_what" rkt "$@"
	is "no pod stays: $_what" "$(find "$RKT_DIR/pods" -mindepth 2 -maxdepth 2)" ""
	run rkt $U "$@"
	expect_status 0 "accepted with the option: $_what"
}
never='without verification.*rkt trust, rkt fetch.*--insecure-options=image'
refused "run by name" "^rkt: run: .*example.com/app.*$never" run --net=none example.com/app --exec=/bin/true
refused "run by id" "$never" run --net=none "$id" --exec=/bin/true
refused "run by the beginning of an id" "$never" run --net=none "${id%????????????????}" --exec=/bin/true
refused "run by URL, no download" "$never" run --net=none --pull-policy=never "$url" --exec=/bin/true
refused "run by URL" 'app.aci.asc' run --net=none "$url" --exec=/bin/true
refused "run by path" 'app.aci.asc' run --net=none "$image" --exec=/bin/true
refused "run of a pod manifest" "$never" run --net=none --pod-manifest="$T/pod.json"
refused "prepare by name" "^rkt: prepare: .*$never" prepare example.com/app
refused "prepare by id" "$never" prepare "$id"
refused "fetch by name" "^rkt: fetch: .*$never" fetch --pull-policy=new example.com/app
refused "fetch by URL" 'app.aci.asc' fetch --pull-policy=new "$url"
uuid=$(rkt $U prepare example.com/app --exec=/bin/true)
run rkt run-prepared --net=none "$uuid"
expect_status 0 "what was accepted when the pod was prepared runs"

# a stage1 that nobody verified is refused alike
for how in --stage1-hash="$id" --stage1-name=example.com/app; do
	fails_with "^rkt: run: ${how%%=*}: .*$never" "a stage1 by ${how%%=*}" rkt run --net=none "$how" "$id"
	fails_with "is not a stage1" "which the option accepts: ${how%%=*}" rkt $U run --net=none "$how" "$id"
done
run rkt $U run --net=none --stage1-path="$RKT_BUILD/lib/rkt/stage1-images/stage1-fly.aci" example.com/app --exec=/bin/true
expect_status 0 "an installed stage1 image is imported"
fly=$(rkt image list --fields=id,name --full --no-legend | awk '/stage1-fly/ { print $1 }')

# the wrong key lifts nothing, the right one everything
sign_image "$image" alice
trust_key alice example.com/other
: >"$T/httpd.log"
fails_with 'not trusted for "example.com/app"' "a key of another name" rkt run --net=none "$url" --exec=/bin/true
refused "still, by name" "$never" run --net=none example.com/app --exec=/bin/true
trust_key alice example.com/app
run rkt run --net=none "$url" --exec=/bin/true
expect_status 0 "pull policy new fetches the URL again to verify it"
expect_stderr 'signature verified' "and does"
: >"$T/httpd.log"
run rkt run --net=none "$url" --exec=/bin/true
expect_status 0 "the second time"
is "nothing is asked for" "$(requests)" 0
for what in example.com/app "$id" --pod-manifest="$T/pod.json"; do
	run rkt run --net=none "$what"
	expect_status 0 "after that: ${what%%=*}"
done
run rkt run --net=none --stage1-hash="$fly" "$id" --exec=/bin/true
expect_status 0 "an installed stage1 image needs no signature, by hash either"
run rkt $U fetch "$image"
run rkt run --net=none "$id" --exec=/bin/true
expect_status 0 "the same bytes imported once more without a look stay verified"
