#!/bin/sh
# What the store holds is compared with what was imported, and the first difference is told.
. "${0%/*}/lib.sh"
need_root
make_image example.com/app
run rkt --insecure-options=image fetch --full "$image"
expect_status 0 "an image"
id=$(out)
root=$RKT_DIR/cas/tree/$id/rootfs

run rkt image verify "$id"
expect_status 0 "is what was imported"
expect_stdout 'successfully verified checksum for image' "and that is said"
is "nothing stays in cas/tmp" "$(ls "$RKT_DIR/cas/tmp")" ""

# differs REGEX DESCRIPTION CMD...: after CMD in the tree, verify fails and names it; the tree is put back from a copy.
cp -a "$root" "$T/copy"
differs() {
	_re=$1 _d=$2
	shift 2
	(cd "$root" && "$@") || diag "cannot: $*"
	# The times of the directories would be told first.
	for _dir in bin etc; do touch -r "$T/copy/$_dir" "$root/$_dir"; done
	run rkt image verify "$id"
	if [ "$status" -eq 254 ] && cat "$T/out" "$T/err" | grep -Eq -e "$_re"; then ok "$_d"; else not_ok "$_d"; fi
	rm -rf "$root"
	cp -a "$T/copy" "$root"
}
differs 'etc/extra.*should not be there' "a file too many" touch etc/extra
differs 'etc/group.*missing' "a file too few" rm etc/group
differs 'etc/passwd.*mode' "another mode" chmod 600 etc/passwd
differs 'etc/passwd.*belongs' "another owner" chown 1000 etc/passwd
differs 'etc/passwd.*modification time' "another time" touch -d 2001-01-01 etc/passwd
differs 'bin/sh.*(points|time|bytes)' "another link" ln -sfn nowhere bin/sh
# shellcheck disable=SC2016 # for the shell inside
differs 'etc/passwd.*content' "other content of the same size and time" \
	sh -c 'touch -r etc/passwd ../../../../stamp; sed -i s/root:x/toor:x/ etc/passwd; touch -r ../../../../stamp etc/passwd; rm ../../../../stamp'
differs 'etc/passwd.*attributes' "an attribute too many" sh -c 'command -v setfattr >/dev/null && setfattr -n user.x -v 1 etc/passwd || python3 -c "import os; os.setxattr(\"etc/passwd\", \"user.x\", b\"1\")"'

run rkt image verify "$id"
expect_status 0 "put back, it is as it was"
blob=$(find "$RKT_DIR/cas/blob" -type f)
printf x >>"$blob"
run rkt image verify "$id"
expect_status 254 "a changed blob"
rm "$blob"
run rkt image verify "$id"
expect_status 254 "a missing blob"
check "is told" grep -rq 'blob is missing' "$T/out" "$T/err"
