#!/bin/sh
# stage0's side of the contract: a stage1 image in the manner of rkt 1.30 (tests/contract/fake_stage1.c) writes
# down how it is called, for every interface version.
. "${0%/*}/lib.sh"
need_root
need gpg
make_image example.com/app
run rkt --insecure-options=image fetch "$image"
expect_status 0 "an app"

# stage1 VERSION: packs the fake one; sets $stage1
stage1() {
	rm -rf "$T/s1"
	mkdir -p "$T/s1/rootfs/rkt/status"
	for p in run enter gc stop; do cp "$RKT_BUILD/tests/fake_stage1" "$T/s1/rootfs/$p"; done
	cat >"$T/s1/manifest" <<-END
	{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/stage1-fake",
	"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"$(image_arch)"},{"name":"version","value":"$1"}],
	"annotations":[{"name":"coreos.com/rkt/stage1/run","value":"/run"},{"name":"coreos.com/rkt/stage1/enter","value":"/enter"},
	{"name":"coreos.com/rkt/stage1/gc","value":"/gc"},{"name":"coreos.com/rkt/stage1/stop","value":"/stop"}${2-}]}
	END
	stage1=$T/images/fake-$1.aci
	"$RKT_BUILD/bin/mkaci" "$T/s1" "$stage1"
}
rec() { sed -n "s|^$1=||p" "$P/record-run"; }
for version in 1 2 3 4 5 6; do
	stage1 1.0.$version ",{\"name\":\"coreos.com/rkt/stage1/interface-version\",\"value\":\"$version\"}"
	run rkt --insecure-options=image,capabilities,paths,seccomp run --net=none --hostname=hn --ipc=parent --stage1-path="$stage1" \
		--uuid-file-save="$T/u" example.com/app --name=app
	expect_status 0 "version $version: runs"
	P=$RKT_DIR/pods/run/$(cat "$T/u")
	args=$(rec arg | tr '\n' ' ')
	like "version $version: --net is passed" "$args" '(^| )--net=none '
	like "version $version: the UUID comes last" "$args" " $(cat "$T/u") \$"
	if [ $version -ge 2 ]; then like "version $version: --hostname" "$args" '--hostname=hn '; else
		unlike "version $version: no --hostname" "$args" hostname
		expect_stderr hostname "version $version: a warning says so"
	fi
	if [ $version -ge 3 ]; then
		like "version $version: insecure options" "$args" '--disable-capabilities-restriction.*--disable-paths.*--disable-seccomp'
	else unlike "version $version: no insecure options" "$args" disable; fi
	if [ $version -ge 6 ]; then like "version $version: --ipc" "$args" '--ipc=parent '; else
		unlike "version $version: no --ipc" "$args" ipc
	fi
done
is "the entrypoint is executed from stage1/rootfs" "$(rec argv0)" "$P/stage1/rootfs/run"
is "in the pod directory" "$(rec cwd)" "$P"
is "the lock is the pod directory's" "$(rec lock_is_pod)" yes
is "and held" "$(rec lock_is_held)" yes
check "the SELinux variables are set" grep -q '^env.RKT_SELINUX_CONTEXT=' "$P/record-run"
is "the app's manifest is in opt/stage2" "$(rec app_manifest)" yes
is "the app's root is mounted" "$(rec app_root)" yes
is "besides 0, 1, 2 only the lock is open" "$(sed -n "s/^fd\.\([3-9][0-9]*\)=.*/\1/p" "$P/record-run")" "$(sed -n "s/^env.RKT_LOCK_FD=//p" "$P/record-run")"
run rkt status "$(cat "$T/u")"
expect_stdout '^app-app=0$' "the status is read from the overlay's upper directory"
expect_stdout '^pid=[0-9]+$' "pid is read"
mkdir "$T/more"
echo 42 >"$T/more/exit"
IMAGE_FILE=ex.aci make_image example.com/exits "$T/more"
run rkt --insecure-options=image fetch "$image"
run rkt --insecure-options=image run --net=none --stage1-path="$stage1" --uuid-file-save="$T/u" example.com/exits --name=app
expect_status 42 "stage1's exit status is rkt's"
check "stage0's mounts are there until gc" grep -q "$(cat "$T/u")" /proc/self/mountinfo
stage1 2.0.0
run rkt --insecure-options=image run --net=none --stage1-path="$stage1" --uuid-file-save="$T/u" example.com/app --name=app
expect_status 0 "no interface-version means 1"
# without overlays the stage1 and the app are copies in the pod
run rkt --insecure-options=image run --net=none --no-overlay --stage1-path="$stage1" --uuid-file-save="$T/u" example.com/app --name=app
expect_status 0 "--no-overlay: runs"
P=$RKT_DIR/pods/run/$(cat "$T/u")
is "--no-overlay: the app's manifest is in opt/stage2" "$(rec app_manifest)" yes
is "--no-overlay: the app's root is there" "$(rec app_root)" yes
check "--no-overlay: as files of the pod" test -f "$P/stage1/rootfs/opt/stage2/app/rootfs/bin/busybox"
unlike "--no-overlay: nothing is mounted for it" "$(cat /proc/self/mountinfo)" "$(cat "$T/u")"
run rkt status "$(cat "$T/u")"
expect_stdout '^app-app=0$' "--no-overlay: the status is read from the copy"
fails_with 'signature' "an unsigned stage1 from anywhere is refused" rkt run --net=none --stage1-path="$stage1" example.com/app
make_key alice
sign_image "$T/images/app.aci" alice
trust_key alice example.com/app
run rkt fetch "$T/images/app.aci"
run rkt run --net=none --stage1-from-dir=stage1-ns.aci example.com/app -- exit=5
expect_status 5 "one of the installed images is not, and our packed flavor runs from the store"
run rkt gc --grace-period=0s
expect_status 0 "gc"
is "unmounts and deletes everything" "$(find "$RKT_DIR/pods" -mindepth 2 | wc -l):$(grep -c "$RKT_DIR" /proc/self/mountinfo)" 0:0
