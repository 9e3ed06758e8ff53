#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# The life of pods by the verbs: prepare, run-prepared, list, status, cat-manifest, rm, gc; formats and exit codes.
. "${0%/*}/lib.sh"
need_root
need python3
tab=$(printf '\t')
IMAGE_EXEC='["/bin/true"]' make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_stdout '^sha512-[0-9a-f]{32}$' "fetch prints a short id"
run rkt fetch --full "$image"
expect_stdout '^sha512-[0-9a-f]{64}$' "fetch --full prints the whole one"
id=$(out)
json() { # EXPRESSION of j: checked against the last stdout
	python3 -c 'import json,sys; j=json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$T/out" "$1"
}

run rkt list
is "an empty list is its header" "$(out)" "UUID${tab}APP${tab}IMAGE NAME${tab}STATE${tab}CREATED${tab}STARTED${tab}NETWORKS"
run rkt list --no-legend
is "or one newline" "$(wc -c <"$T/out")" 1

# prepare
run rkt prepare example.com/app --name=one --- example.com/app --name=two
expect_status 0 "prepare"
uuid=$(out)
like "prints the UUID and nothing else" "$uuid" '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
short=$(printf %.8s "$uuid")
check "the pod is in prepared/" test -d "$RKT_DIR/pods/prepared/$uuid"
run rkt list --no-legend
like "list: state, first app" "$(out | sed -n 1p)" "^$short${tab}+one${tab}+example.com/app:1.0.0${tab}+prepared${tab}"
like "list: second app, pod columns blank" "$(out | sed -n 2p)" "^${tab}+two${tab}+example.com/app:1.0.0"
run rkt list --full --no-legend
like "list --full" "$(out | sed -n 1p)" "^$uuid${tab}.*${tab}sha512-[0-9a-f]{12}${tab}+prepared${tab}+[0-9]{4}-[0-9]{2}-[0-9]{2} "
run rkt list --format=json
check "list --format=json" json 'len(j)==1 and j[0]["state"]=="prepared" and j[0]["app_names"]==["one","two"] and isinstance(j[0]["created_at"],int)'
run rkt status "$short"
is "status by prefix: first line" "$(sed -n 1p "$T/out")" state=prepared
like "status: created" "$(sed -n 2p "$T/out")" '^created=[0-9]{4}-'
is "status: nothing more" "$(wc -l <"$T/out")" 2
run rkt status "$(echo "$short" | tr a-f A-F)"
expect_status 0 "prefixes ignore case"
run rkt cat-manifest "$uuid"
check "cat-manifest" json 'j["acKind"]=="PodManifest" and [a["name"] for a in j["apps"]]==["one","two"] and j["ports"]==[]'
expect_stdout "^${tab}\"apps\": \\[" "is indented by tabs"
run rkt cat-manifest --pretty-print=false "$uuid"
is "or one line" "$(wc -l <"$T/out")" 1

# run-prepared
run rkt run-prepared --net=none "$uuid"
expect_status 0 "run-prepared"
check "the pod is in run/" test -d "$RKT_DIR/pods/run/$uuid"
run rkt status "$uuid"
is "status after the end" "$(cut -d= -f1 "$T/out" | tr '\n' ' ')" "state created started networks pid exited app-one app-two "
expect_stdout '^exited=true$' "exited"
run rkt status --format=json "$uuid"
check "status json" json 'j["name"]=="'"$uuid"'" and j["state"]=="exited" and all(a["exit_code"]==0 and a["state"]=="exited" for a in j["apps"])'
fails_with 'prepared|exited' "it cannot run twice" rkt run-prepared --net=none "$uuid"
run rkt status --wait "$uuid"
expect_status 0 "status --wait of a finished pod returns"
run rkt stop "$uuid"
expect_status 0 "stop of a finished pod is a notice"

# uuid files
echo "  $uuid " >"$T/u"
for verb in status cat-manifest; do
	run rkt $verb --uuid-file="$T/u"
	expect_status 0 "$verb --uuid-file"
done
run rkt rm --uuid-file="$T/u"
is "rm prints the quoted UUID" "$(out)" "\"$uuid\""
refute "and the pod is gone" test -d "$RKT_DIR/pods/run/$uuid"

# two that want the same prepared pod: one wins, the other is told at once
uuid=$(rkt prepare example.com/app --exec=/bin/sleep -- 600)
start_rkt run-prepared --net=none "$uuid"
wait_for 10 test -d "$RKT_DIR/pods/run/$uuid"
run timeout 50 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" run-prepared --net=none "$uuid"
expect_status 254 "the second run-prepared is refused, without waiting"
fails_with 'running' "rm of a running pod is refused" rkt rm "$uuid"
run rkt status --wait=300ms "$uuid"
expect_status 254 "status --wait with a time limit"
is "prints nothing then" "$(out)" ""
run rkt gc --grace-period=0s
check "gc leaves a running pod alone" test -d "$RKT_DIR/pods/run/$uuid"
start rkt status --wait "$uuid"
waiter=$pid
run rkt stop --force "$uuid"
check "status --wait returns when the pod ends" wait_for 10 sh -c "! kill -0 $waiter"

# gc
run rkt gc --mark-only
expect_stderr "gc: moving pod \"$uuid\" to garbage" "gc --mark-only marks"
check "and deletes nothing" test -d "$RKT_DIR/pods/exited-garbage/$uuid"
run rkt status "$uuid"
expect_stdout '^state=exited garbage$' "its state"
run rkt gc --grace-period=1h
check "grace is kept" test -d "$RKT_DIR/pods/exited-garbage/$uuid"
run rkt gc --grace-period=0s
expect_stdout "^Garbage collecting pod \"$uuid\"$" "without grace it goes"
is "completely" "$(find "$RKT_DIR/pods" -mindepth 2 | wc -l)" 0
uuid=$(rkt prepare example.com/app)
run rkt gc
check "a prepared pod is not expired" test -d "$RKT_DIR/pods/prepared/$uuid"
run rkt gc --expire-prepared=0s
is "--expire-prepared" "$(find "$RKT_DIR/pods" -mindepth 2 | wc -l)" 0

# a pod manifest of one's own
cat >"$T/pod.json" <<END
{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"mine","image":{"id":"$(printf %.20s "$id")"},
"app":{"exec":["/bin/sh","-c","cat /etc/hostname; exit 6"],"user":"0","group":"0"}}]}
END
run rkt run --net=none --hostname=h1 --pod-manifest="$T/pod.json" --uuid-file-save="$T/u"
expect_status 6 "--pod-manifest runs"
run rkt cat-manifest --uuid-file="$T/u"
check "and is shown" json 'j["apps"][0]["name"]=="mine"'
fails_with 'conflicting flags set with --pod-manifest' "it excludes images" rkt run --net=none --pod-manifest="$T/pod.json" example.com/app

# arguments
run rkt run --net=none example.com/app --exec=/bin/echo -- a '' --flag 'b c' --- example.com/app --name=x --exec=/bin/echo -- second
expect_stdout ': a  --flag b c$' "arguments arrive unchanged, empty ones too"
expect_stdout '\] x\[[0-9]+\]: second$' "--- starts the next image"
run rkt --net=none run example.com/app --exec=/bin/echo -- late
expect_stdout '^late$' "flags of the command may come before it"
run rkt ru --net=none example.com/app
expect_status 254 "an ambiguous prefix of a command"
run rkt cat "$(cat "$T/u")"
expect_status 0 "an unambiguous one"
mv "$image" "$T/x"
fails_with '\.aci' "a path must end in .aci" rkt run --net=none --insecure-options=image "$T/x"

# images
run rkt image list --no-legend
like "image list" "$(out)" "^$(printf %.19s "$id")${tab}+example.com/app:1.0.0${tab}+[0-9.]+[KM]iB${tab}"
run rkt image list --fields=id,name --full --no-legend
is "with fields" "$(out)" "$id${tab}example.com/app:1.0.0"
run rkt image list --format=json
check "image list json" json 'j[0]["id"]=="'"$id"'" and j[0]["size"]>100000 and j[0]["import_time"]>10**18'
run rkt image cat-manifest example.com/app
check "image cat-manifest" json 'j["name"]=="example.com/app"'
run rkt image verify example.com/app
expect_stdout 'successfully verified checksum for image' "image verify"
echo bent >>"$RKT_DIR/cas/tree/$id/rootfs/etc/passwd"
run rkt image verify example.com/app
unlike "T46 image verify sees a changed file" "$(out)" 'successfully verified'
rkt gc --grace-period=0s >/dev/null 2>&1
run rkt image rm "$(printf %.20s "$id")"
expect_stdout "successfully removed aci for image: \"$id\"" "image rm"
expect_stderr '1 image\(s\) successfully removed' "counts"
fails_with 'no image IDs found|not found' "and cannot be repeated" rkt image rm "$id"
is "nothing of the image is left" "$(find "$RKT_DIR/cas" -type f | wc -l)" 0
