#!/bin/sh
# A push that was killed: the next one sends the rest, if the registry says how much it has; notes about that which are old, wrong or rubbish.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need docker-registry python3 busybox
accept_unsigned
MB=1048576
make_images <<'END'
import random
random.seed(7)
base = Layer().dir('.').busybox('echo').bytes()
big = Layer().file('big', random.randbytes(24 << 20)).bytes()
write_layout(T + '/large', {'v1': Image([base, big], how='plain', Entrypoint=['/bin/echo', 'ran'])})
open(T + '/digest', 'w').write(digest(big))
open(T + '/size', 'w').write(str(len(big)))
write_layout(T + '/to', {})
END
big=$(cat "$T/digest") size=$(cat "$T/size")
run rkt fetch --full "oci:$T/large"
id=$(out)
tmp=$RKT_DIR/cas/tmp
there=$T/to/blobs/sha256/${big#sha256:}
passed() { cat "$T/wire.port.passed" 2>/dev/null || echo 0; }
note() { find "$tmp" -path '*/ul-*/note'; }
whole() { cmp "$there" "$T/large/blobs/sha256/${big#sha256:}"; }
# asked PATTERN: how many requests of the log.
asked() { grep -c "$1" "$T/badreg.log"; }
all_arrived() { [ "$(asked '^PATCH')" -eq "$(asked '^arrived')" ]; }
# stop_after BYTES, go: the wire.
stop_after() {
	rm -f "$T/wire.port.held"
	echo $(($(passed) + $1)) >"$T/wire.port.new"
	mv "$T/wire.port.new" "$T/wire.port.stop"
}
go() { rm -f "$T/wire.port.stop"; }
stopped() { wait_for 60 test -e "$T/wire.port.held"; }
wire() { # TO [PATCH]: holds the PATCHth; sets $registry to it
	rm -f "$T/wire.port"*
	start python3 "$TESTS/cutproxy.py" "${1#*:}" "$T/wire.port" up "hold=${2:-0}"
	wire_pid=$pid
	wait_for 10 test -s "$T/wire.port" || diag "no wire"
	registry=127.0.0.1:$(cat "$T/wire.port")
}
kill_push() {
	pkill -KILL -P "$push_pid"
	kill -KILL "$push_pid" 2>/dev/null
	wait "$push_pid" 2>/dev/null
}
# push_stopped_after BYTES NAME: a push through a wire that holds what follows them.
push_stopped_after() {
	stop_after "$1"
	start_rkt image push "$id" "docker://$registry/$2:v1"
	push_pid=$pid
	stopped || diag "the push was not stopped"
}
# killed_after BYTES: a push that was killed; what was on its way arrives.
killed_after() {
	push_stopped_after "$1" x
	kill_push
	wait_for 60 all_arrived
	go
}
# half_pushed: one that was killed in the second piece.
half_pushed() {
	: >"$T/badreg.log"
	killed_after $((18 * MB))
	rm -f "$there"
}

# ---- a registry that says how much of a piece it has
check "a registry" start_badreg "$T/to"
bad=$registry
wire "$bad"
half_pushed
arrived=$(tail -n 1 "$T/badreg.log" | sed 's/.* //')
check "half of it has arrived" test "$arrived" -gt $((16 * MB)) -a "$arrived" -lt "$size"
check "nothing is there" test ! -e "$there"
is "where it goes on is noted, for root alone" "$(stat -c '%a %U' "$(note)" "$(dirname "$(note)")" | tr '\n' ' ')" "600 root 700 root "
is "with the place, the blob and the address, no more" "$(python3 -c 'import json, sys; print(sorted(json.load(open(sys.argv[1])).items()))' "$(note)")" \
	"[('digest', '$big'), ('host', '$registry'), ('location', '/v2/x/blobs/uploads/$(sed -n 's|^arrived .*/\([0-9]*\) .*|\1|p' "$T/badreg.log" | tail -n 1)'), ('repository', 'x')]"
before=$(passed)
: >"$T/badreg.log"
run rkt image push "$id" "docker://$registry/x:v1"
expect_status 0 "the next push"
expect_stderr "^image: sha256:.*: going on after $arrived of $size bytes$" "says that it goes on"
is "from the byte after the last that has arrived" "$(grep -m 1 PATCH "$T/badreg.log" | sed 's/.* \([0-9]*\)-.*/\1/')" "$arrived"
check "sends the rest" test $(($(passed) - before)) -lt $((size - arrived + 65536))
check "which makes the whole of it" whole
is "and leaves no note" "$(note)" ""
rm -f "$there"

# ---- killed again and again, at any byte
: >"$T/badreg.log"
begin=$(passed)
for i in 1 2 3 4; do
	killed_after "$(python3 -c "import random; random.seed('kill $i'); print(random.randrange(3 * $MB, 6 * $MB))")"
done
run rkt image push "$id" "docker://$registry/x:v1"
expect_status 0 "killed four times, then left alone"
check "every byte was sent once" test $(($(passed) - begin)) -lt $((size + 131072))
check "all of it is there" whole
rm -f "$there"
is "in one upload" "$(grep 'PATCH ' "$T/badreg.log" | sed 's/.*uploads.\([0-9]*\) .*/\1/' | sort | uniq -c | sort -n | sed -n 's/ *[0-9]* //;$p' | wc -l)" 1

# ---- an upload that the registry has forgotten, of which it says what cannot be, or that is to go on at another place
for answer in status=404 status=400 status=500 range=99999999 range=junk "location=http://$bad/v2/x/blobs/uploads/1"; do
	half_pushed
	printf 'GET */blobs/uploads/* %s\n' "$answer" >"$T/badreg.rules"
	: >"$T/badreg.log"
	run rkt image push "$id" "docker://$registry/x:v1"
	printf '' >"$T/badreg.rules"
	is "answered $answer, all of it is sent anew" "$status $(grep -m 1 'PATCH' "$T/badreg.log" | sed 's/.* \([0-9]*\)-.*/\1/')" "0 0"
	check "$answer: the registry was asked" test "$(asked 'GET .*/uploads/')" -ge 1
	check "$answer: all of it is there" whole
	rm -f "$there"
done
half_pushed
printf 'GET */blobs/uploads/* range=%d\n' $((size - 1)) >"$T/badreg.rules"
: >"$T/badreg.log"
run rkt image push "$id" "docker://$registry/x:v1"
is "a registry that has less than it says" "$status $(asked 'PUT .*/uploads/')" "0 2"
check "gets all of it once more" whole
rm -f "$there"
printf '' >"$T/badreg.rules"

# ---- notes that are no good
half_pushed
wired=$registry registry=$bad
the_note=$tmp/ul-$(printf '%s/x@%s' "$bad" "$big" | sha256sum | sed 's/ .*//')/note
python3 - "$(note)" "$T/notes" "$bad" <<'END'
import json, os, sys
good = dict(json.load(open(sys.argv[1])), host=sys.argv[3])
os.mkdir(sys.argv[2])
def put(name, text):
    open(sys.argv[2] + '/' + name, 'w').write(text)
def but(**change):
    return json.dumps({k: v for k, v in {**good, **change}.items() if v is not None})
put('good', but())
put('empty', '')
put('no JSON', '\0\1' * 100)
put('no object', '["' + good['location'] + '"]')
put('no address', but(location=None))
put('a number', but(location=1))
put('another host', but(host='registry.example'))
put('another repository', but(repository='y'))
put('another blob', but(digest='sha256:' + 64 * '0'))
put('an URL', but(location='http://127.0.0.1:1' + good['location']))
put('a host', but(location='//127.0.0.1:1' + good['location']))
put('a host behind the host', but(location='@127.0.0.1:1' + good['location']))
put('a line of a header', but(location=good['location'] + ' HTTP/1.1\r\nX: y'))
put('too long', but(location=good['location'] + '?' + 8192 * 'x'))
put('far too long', but(location='/' + 100000 * 'x'))
END
for bad_note in "$T/notes/good" "$T/notes/"*; do
	[ -e "$bad_note" ] || continue
	[ -d "$(dirname "$the_note")" ] || mkdir -m 700 "$(dirname "$the_note")"
	cp "$bad_note" "$the_note"
	: >"$T/badreg.log"
	run rkt image push "$id" "docker://$registry/x:v1"
	if [ "${bad_note##*/}" = good ]; then
		check "what they are made of is good" test "$(asked 'GET .*/uploads/')" -eq 1
		rm -f "$there" "$bad_note"
		continue
	fi
	is "${bad_note##*/}: nobody is asked, all of it is sent" "$status $(asked 'GET .*/uploads/') $(grep -m 1 'PATCH' "$T/badreg.log" | sed 's/.* \([0-9]*\)-.*/\1/')" "0 0 0"
	check "${bad_note##*/}: it is there, the note is not" test -e "$there" -a ! -e "$the_note"
	rm -f "$there"
done
mkdir -m 700 "$(dirname "$the_note")"
echo secret >"$T/secret"
ln -s "$T/secret" "$the_note"
run rkt image push "$id" "docker://$registry/x:v1"
is "a link in its place is not followed" "$status $(cat "$T/secret")" "0 secret"
rm -rf "$there" "$tmp"/ul-*
registry=$wired

# ---- two at once
before=$(passed)
push_stopped_after $((8 * MB)) x
first=$push_pid
pkill -STOP -P "$first"
go
rkt image push "$id" "docker://$registry/x:v1" >"$T/out" 2>"$T/err" </dev/null &
second=$!
wait_for 60 grep -q waiting "$T/err"
pkill -CONT -P "$first"
wait "$second"
status=$?
expect_status 0 "a push beside one that sends the same"
expect_stderr "^image: another rkt is sending $big, waiting for it$" "waits for it"
expect_stderr '^image: sha256:.*: is there$' "and finds it there"
wait "$first"
is "the other one ends well, too" $? 0
check "every byte was sent once" test $(($(passed) - before)) -lt $((size + 65536))
check "all of it is there" whole
is "no note is left" "$(find "$tmp" -name 'ul-*')" ""
rm -f "$there"

# ---- gc
half_pushed
run rkt image gc
check "image gc leaves a new note" test -e "$(note)"
touch -d '2 days ago' "$(dirname "$(note)")"
run rkt image gc
is "and takes an old one" "$(find "$tmp" -name 'ul-*')" ""
kill "$wire_pid" "$badreg_pid"

# ---- a real registry: it keeps what came in whole pieces
check "a real registry" start_registry
real=$registry
there=$T/registry/docker/registry/v2/blobs/sha256/$(echo "${big#sha256:}" | cut -c1-2)/${big#sha256:}/data
wire "$real" 4
start_rkt image push "$id" "docker://$registry/x:v1"
push_pid=$pid
stopped
kill_push
before=$(passed)
run rkt image push "$id" "docker://$registry/x:v1"
expect_status 0 "killed when one piece was there"
expect_stderr "going on after $((16 * MB)) of $size bytes" "the next one goes on"
check "sends the rest" test $(($(passed) - before)) -lt $((size - 16 * MB + 65536))
check "which makes the whole of it" whole
kill "$wire_pid"
# in the middle of a piece: this registry ends the upload then
wire "$real"
push_stopped_after $((21 * MB)) y
kill_push
go
run rkt image push "$id" "docker://$registry/y:v1"
expect_status 0 "killed in the middle of a piece"
is "no note is left" "$(find "$tmp" -name 'ul-*')" ""
# asked to end in the middle of a piece: it comes to its end first
before=$(passed)
push_stopped_after $((21 * MB)) z
kill -TERM "$push_pid"
wait "$push_pid" 2>/dev/null
go
run rkt image push "$id" "docker://$registry/z:v1"
expect_status 0 "asked to end in the middle of a piece"
expect_stderr "going on after [1-9]" "the next one goes on"
check "every byte was sent once" test $(($(passed) - before)) -lt $((size + 4 * MB))
rm -rf "$RKT_DIR"
run rkt run --net=none "docker://$real/y:v1"
is "all is there" "$(out)" ran
