#!/bin/sh
# shellcheck disable=SC2086 # $net is empty or one word
# Paths that an app may use: Landlock, in flavor fly, where nothing else confines, and in ns.
. "${0%/*}/lib.sh"
need_root
accept_unsigned
make_image example.com/app
run rkt fetch "$image"
expect_status 0 "the image is there"
mkdir "$T/srv"
echo host >"$T/srv/file"

script='t() { if (eval "$2"); then echo "$1=yes"; else echo "$1=no"; fi; }
t read "read x </srv/file"; t write "echo x >/srv/new"; t append "echo x >>/srv/file"; t passwd "read x </etc/passwd"
t list "ls /etc"; t make "mkdir /srv/dir"; t tmp "echo x >/tmp/new"; t run "/bin/true"; t proc "read x </proc/self/status"; t devnull "echo x >/dev/null"'

for flavor in fly ns; do
	limited() { # FLAGS...
		run rkt run --stage1-name=coreos.com/rkt/stage1-$flavor $net --volume=s,kind=host,source="$T/srv" example.com/app \
			--mount=volume=s,target=/srv "$@" --exec=/bin/sh -- -c "$script"
	}
	case $flavor in fly) net= ;; ns) net=--net=none ;; esac
	rm -rf "$T/srv/new" "$T/srv/dir"
	limited --landlock=/bin:rx --landlock=/srv:r
	expect_status 0 "$flavor: an app with rules runs"
	for want in read=yes write=no append=no passwd=no list=no make=no tmp=no run=yes proc=no devnull=no; do
		is "$flavor: /bin:rx /srv:r, ${want%=*}" "$(value "${want%=*}")" "${want#*=}"
	done
	refute "$flavor: nothing was written" test -e "$T/srv/new"
	limited --landlock=/:rx --landlock=/srv:rw --landlock=/tmp:w --landlock=/dev/null:rw
	for want in read=yes write=yes append=yes passwd=yes list=yes make=yes tmp=yes run=yes proc=yes devnull=yes; do
		is "$flavor: /:rx /srv:rw, ${want%=*}" "$(value "${want%=*}")" "${want#*=}"
	done
	limited --landlock=/bin:rx --landlock=/srv:rw --user=alice
	is "$flavor: another user than root runs, too" "$(value run)" yes
	is "$flavor: and is limited" "$(value passwd)" no
	# what a right does not bring with it
	cp "$RKT_BUILD/tests/inspect" "$T/srv/program"
	run rkt run --stage1-name=coreos.com/rkt/stage1-$flavor $net --volume=s,kind=host,source="$T/srv" example.com/app \
		--mount=volume=s,target=/srv --landlock=/bin:rx --landlock=/srv:r --exec=/bin/inspect -- truncate=/srv/program truncate=/etc/passwd
	is "$flavor: who may read may not truncate" "$(grep -c '=EACCES$' "$T/out")" 2
	fails_with 'execute: /srv/program: Permission denied' "$flavor: nor execute, even if it may write" rkt run --stage1-name=coreos.com/rkt/stage1-$flavor $net \
		--volume=s,kind=host,source="$T/srv" example.com/app --mount=volume=s,target=/srv --landlock=/bin:rx --landlock=/srv:rw --exec=/srv/program -- exit=0
	rm -rf "$T/srv/new" "$T/srv/dir" "$T/srv/program"
	limited
	is "$flavor: without rules all is as ever" "$(value passwd)$(value tmp)$(value run)" yesyesyes
	limited --landlock=/srv:rwx
	expect_status 254 "$flavor: a program that may not be executed"
	expect_stderr 'execute.*Permission denied' "$flavor: is told"
	fails_with 'limit the paths: /nowhere: No such file' "$flavor: a path that is not there is refused" \
		rkt run --stage1-name=coreos.com/rkt/stage1-$flavor $net example.com/app --landlock=/:rx --landlock=/nowhere:r
done

# enter goes by the same rules
start_rkt run --stage1-name=coreos.com/rkt/stage1-fly --uuid-file-save="$T/uuid" --volume=s,kind=host,source="$T/srv" example.com/app \
	--mount=volume=s,target=/srv --landlock=/bin:rx --landlock=/srv:r --exec=/bin/sh -- -c 'echo up; while :; do /bin/sleep 1; done'
wait_for 10 grep -q up "$T/bg.out"
run rkt enter "$(cat "$T/uuid")" /bin/sh -c "$script"
is "T20 enter may what the app may" "$(value read)$(value run)" yesyes
is "T20 and no more" "$(value write)$(value passwd)$(value proc)" nonono
kill "$pid"
wait "$pid" 2>/dev/null

# an image may limit itself
IMAGE_APP='"isolators":[{"name":"rkt.io/landlock","value":[{"path":"/bin","access":"rx"}]}]' make_image example.com/own
run rkt fetch "$image"
run rkt run --net=none example.com/own --exec=/bin/sh -- -c "$script"
is "an isolator of the image is applied" "$(value run)$(value passwd)" yesno
for bad in bin:rx /bin:z /bin: :r; do
	fails_with 'option --landlock' "--landlock=$bad is refused" rkt run --net=none example.com/app --landlock=$bad
done
