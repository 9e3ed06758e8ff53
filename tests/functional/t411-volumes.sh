#!/bin/sh
# Volumes that need more than a mount: filled from docker images, and who sees mounts that come later.
. "${0%/*}/lib.sh"
need_root
accept_unsigned

# ---- copy-up -------------------------------------------------------------------------------------

mkdir -p "$T/files/data/sub" "$T/files/ro"
echo one >"$T/files/data/one"
ln "$T/files/data/one" "$T/files/data/sub/same"
ln -s /etc/passwd "$T/files/data/link"
ln -s ../../../../../../etc "$T/files/data/up"
echo fixed >"$T/files/ro/file"
chown 7:8 "$T/files/data" "$T/files/data/one"
chmod 4711 "$T/files/data/one"
chmod 2750 "$T/files/data"
python3 -c 'import os, sys
os.setxattr(sys.argv[1], "user.note", b"kept")' "$T/files/data/one" 2>/dev/null || :
mounts='"mountPoints":[{"name":"volume-data","path":"/data"},{"name":"volume-ro","path":"/ro","readOnly":true},{"name":"volume-new","path":"/new"}]'
IMAGE_EXEC='["/bin/sh"]' IMAGE_APP=$mounts IMAGE_MORE='"annotations":[{"name":"appc.io/docker/repository","value":"library/x"}]' \
	make_image example.com/docker "$T/files"
rkt fetch "$image" >/dev/null 2>&1
IMAGE_EXEC='["/bin/sh"]' IMAGE_APP=$mounts make_image example.com/appc "$T/files"
rkt fetch "$image" >/dev/null 2>&1
# shellcheck disable=SC2016
look='stat -c "%n %u:%g:%a" /data /data/one; stat -c "links %h" /data/one; cat /data/one; stat -c "link %N" /data/link /data/up; cat /ro/file; echo x >/ro/new; echo x >/data/new && ls /data | wc -l; ls /new | wc -l'

for users in "" --private-users; do
	# shellcheck disable=SC2086
	run rkt run --net=none $users --uuid-file-save="$T/uuid" example.com/docker -- -c "$look"
	expect_status 0 "an image of docker's with volumes that nobody gave $users"
	expect_stdout '^/data 7:8:2750$' "the directory is as in the image $users"
	expect_stdout '^/data/one 7:8:4711$' "so are its files $users"
	expect_stdout '^links 2$' "and their hard links $users"
	expect_stdout "/etc/passwd" "links are links $users"
	expect_stdout '^fixed$' "a read-only one is filled, too $users"
	expect_stderr 'Read-only file system' "and then read-only $users"
	expect_stdout '^5$' "the other can be written $users"
	expect_stdout '^0$' "a directory that the image does not have is empty $users"
	is "what is written is in the volume $users" "$(find "$RKT_DIR/pods/run/$(cat "$T/uuid")/sharedVolumes" -name new -type f | wc -l)" 1
done
run rkt run --net=none example.com/appc -- -c 'ls -A /data | wc -l'
expect_stdout '^0$' "an image that is not docker's gets empty volumes"
run rkt run --net=none --volume=volume-data,kind=empty example.com/docker -- -c 'ls -A /data | wc -l'
expect_stdout '^0$' "and a volume that was given is as it was given"
is "the store is as it was" "$(find "$RKT_DIR/cas/tree" -path '*/data/new' | wc -l)" 0

# ---- mounts that come later ----------------------------------------------------------------------

cat >"$T/later" <<'END'
# in a mount namespace whose mounts are shared among themselves
set -e
mount -t tmpfs none "$1"
mount --make-shared "$1"
mkdir "$1/sub" "$1/a"
"$2" --dir="$3" --local-config="$4/etc" --system-config="$4/lib" --insecure-options=image run --net=none \
	--volume=v,kind=host,source="$1",propagation="$5" example.com/appc --mount=volume=v,target=/v --exec=/bin/sh -- -c '
	touch /v/up; while [ ! -e /v/go ]; do sleep 0.05; done; ls /v/sub' >"$4/seen" &
while [ ! -e "$1/up" ]; do sleep 0.05; done
mount -t tmpfs none "$1/sub"
touch "$1/sub/late" "$1/go"
wait $!
END
for how in slave private; do
	mkdir -p "$T/share"
	timeout 300 unshare -m --propagation private sh "$T/later" "$T/share" "$RKT" "$RKT_DIR" "$T" $how 2>"$T/err"
	is "propagation=$how: a mount of the host that came later" "$(cat "$T/seen")" "$([ $how = private ] || echo late)"
done
fails_with 'is not a propagation' "propagation=shared is refused" rkt run --net=none --volume=v,kind=host,source="$T",propagation=shared example.com/appc
