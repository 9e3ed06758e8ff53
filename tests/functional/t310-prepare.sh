#!/bin/sh
# rkt prepare as a caller sees it: what it prints, which options exclude each other, and that what fails leaves nothing.
. "${0%/*}/lib.sh"
need_root
need python3
IMAGE_EXEC='["/bin/env"]' make_image example.com/app
accept_unsigned
run rkt fetch --full "$image"
expect_status 0 "the image is there"
id=$(out)
pod_re='^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
json() { # EXPRESSION of j: checked against the last stdout
	python3 -c 'import json,sys; j=json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$T/out" "$1"
}
pods() { find "$RKT_DIR/pods" -mindepth 2 -maxdepth 2 | wc -l; }

# --quiet counts wherever it stands; rkt 1.30 saw it before the first image only
run rkt prepare --insecure-options=image "$image" --quiet
like "--quiet after the image: the UUID" "$(out)" "$pod_re"
is "and nothing else" "$(err)" ""

# what the options say is in the manifest, and the environment is the app's when it runs
printf '# two\n\nFROM_FILE=file\nBOTH=file\n' >"$T/env"
run rkt prepare --set-env-file="$T/env" --set-env=BOTH=set --volume=data,kind=host,source="$T",readOnly=true \
	--volume=scratch,kind=empty,mode=0700,uid=3 --mount=volume=data,target=/data example.com/app --mount=volume=scratch,target=/s
uuid=$(out)
run rkt cat-manifest "$uuid"
check "volumes" json '[(v["name"], v["kind"], v.get("readOnly"), v.get("mode"), v.get("uid")) for v in j["volumes"]]==[("data","host",True,None,None),("scratch","empty",None,"0700",3)]'
check "mounts: the app's, then the pod's" json '[m["path"] for m in j["apps"][0]["mounts"]]==["/s","/data"]'
run rkt run-prepared --net=none "$uuid"
expect_stdout '^(.*: )?FROM_FILE=file$' "--set-env-file reaches the app"
expect_stdout '^(.*: )?BOTH=set$' "--set-env is stronger"

# --no-overlay is decided here, not when it runs
run rkt prepare --no-overlay example.com/app --exec=/bin/cat -- /etc/passwd
uuid=$(out)
check "--no-overlay: a copy lies in the pod" test -s "$RKT_DIR/pods/prepared/$uuid/stage1/rootfs/opt/stage2/app/rootfs/etc/passwd"
run rkt run-prepared --net=none "$uuid"
expect_stdout 'alice:x:1000' "and is what runs"

# --pod-manifest
printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"mine","image":{"id":"%s"}}]}\n' "$id" >"$T/pod.json"
run rkt prepare --pod-manifest="$T/pod.json"
like "--pod-manifest" "$(out)" "$pod_re"
check "is the pod's, byte for byte" cmp "$T/pod.json" "$RKT_DIR/pods/prepared/$(out)/pod"
run rkt prepare --pod-manifest="$T/pod.json" --no-overlay
expect_status 0 "--no-overlay goes with it"

before=$(pods)
for flag in --volume=v,kind=empty --inherit-env --set-env=A=b --set-env-file="$T/env" --pull-policy=never --pull-policy=update example.com/app; do
	fails_with '^rkt: prepare: conflicting flags set with --pod-manifest' "--pod-manifest excludes $flag" \
		rkt prepare --pod-manifest="$T/pod.json" "$flag"
done
fails_with 'conflicting flags|dangling' "--pod-manifest excludes --mount" rkt prepare --pod-manifest="$T/pod.json" --mount=volume=v,target=/x
sed 's/"apps":.*/"apps":[]}/' "$T/pod.json" >"$T/none.json"
fails_with 'none\.json: no apps' "a pod manifest without apps" rkt prepare --pod-manifest="$T/none.json"
fails_with 'image or specify the pod manifest' "neither an image nor a manifest" rkt prepare

# bad values: refused, with the place
printf 'A=1\nB\n' >"$T/bad"
fails_with 'bad, line 2: NAME=VALUE expected' "--set-env-file: a line without =" rkt prepare --set-env-file="$T/bad" example.com/app
printf 'FROM_FILE=again\n' >"$T/again"
fails_with 'again, line 1: environment variable FROM_FILE is set twice' "--set-env-file: the same in two files" \
	rkt prepare --set-env-file="$T/env" --set-env-file="$T/again" example.com/app
fails_with 'absent: No such file' "--set-env-file: no file" rkt prepare --set-env-file="$T/absent" example.com/app
fails_with '"A" is given twice' "--set-env: the same twice" rkt prepare --set-env=A=1 --set-env=A=2 example.com/app
fails_with '"1A" is not a name' "--set-env: no name" rkt prepare --set-env=1A=1 example.com/app
fails_with 'volume "v" is given twice' "two volumes of one name" \
	rkt prepare --volume=v,kind=empty example.com/app --volume=v,kind=host,source=/srv
fails_with 'dangling mount' "a mount without its volume" rkt prepare example.com/app --mount=volume=v,target=/x
while read -r volume re; do
	fails_with "$re" "--volume=$volume" rkt prepare --volume="$volume" example.com/app
done <<-'END'
	v kind
	v,kind=empty,source=/x source
	v,kind=host source
	v,kind=host,source=/x,mode=0755 mode
	v,kind=empty,mode=0999 mode
	v,kind=empty,uid=-1 user.id
	v,kind=empty,Mode=0755 Mode
	v,kind=empty,kind=empty kind
	v,kind=empty,readOnly=maybe readOnly
	V,kind=empty AC.name
END
fails_with '"two" is not a valid|two apps are named' "two apps of one name" rkt prepare example.com/app --name=two --- example.com/app --name=two
fails_with 'only one stage1' "two stage1s" rkt prepare --stage1-name=stage1-ns --stage1-path=/x.aci example.com/app
run rkt prepare --store-only --no-store example.com/app # two more lines: both are deprecated
expect_status 254 "--store-only with --no-store"
expect_stderr 'exclude each other' "is told"
for flag in --net=none --hostname=h --interactive --ipc=private --uuid-file-save="$T/u"; do
	fails_with "unknown option \"${flag%%=*}\"" "prepare has no ${flag%%=*}" rkt prepare "$flag" example.com/app
done
is "none of these left a pod" "$(pods)" "$before"

# an image may go while a pod of it waits: its tree stays for the pod
uuid=$(rkt prepare example.com/app --exec=/bin/echo -- still here)
run rkt image rm "$id"
run rkt run-prepared --net=none "$uuid"
expect_stdout 'still here$' "a prepared pod outlives its image"

uuid=$(rkt prepare --private-users "$image" 2>/dev/null | tail -n 1)
fails_with '^rkt: run-prepared: check the pod: --private-users needs' "what stage1 refuses begins with the user's command, too" \
	rkt run-prepared --net=host "$uuid"
