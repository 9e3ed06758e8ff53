#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# What the table of options in stage1/README.md says of every option; and options that are about records, with who may read those.
. "${0%/*}/lib.sh"
need_root
need setpriv
accept_unsigned
IMAGE_APP='"userAnnotations":{"a":"1","b":"2"},"userLabels":{"l":"1"}' make_image example.com/app
run rkt fetch "$image"
expect_status 0 "the image is there"

# ---- the table ------------------------------------------------------------------------------------

here=${0%/*}
sed -n '/^## Every option/,/^## /p' "$here/../../stage1/README.md" | grep '^| ' | sed 's/\\|/,/g' >"$T/table"
check "there is a table" test "$(wc -l <"$T/table")" -ge 40
# Its first column and last column: options, tests.
sed 's/^| *\([^|]*[^| ]\) *|.*| *\([^|]*[^| ]\) *|$/\1\t\2/' "$T/table" >"$T/rows"
options() {
	for _verb in run run-prepared prepare enter attach 'app add' 'app sandbox' 'app exec' 'app start'; do
		# shellcheck disable=SC2086 # "app add" is two words
		"$RKT" $_verb --help | sed -n '/^OPTIONS:/,/^$/s/^\t--\([a-z0-9-]*\).*/\1/p'
	done | sort -u
}
options >"$T/options"
check "there are options" test "$(wc -l <"$T/options")" -ge 60
lost=
while read -r o; do
	cut -f 1 "$T/rows" | grep -qE -e "\`([^\`]* )?--${o}[\`=]" || lost="$lost --$o"
done <"$T/options"
is "every option has a row" "$lost" ""
lost=
while IFS='	' read -r what tests; do
	for o in $(echo "$what" | grep -oE -e '--[a-z][a-z0-9-]*'); do
		grep -qxF -e "${o#--}" "$T/options" || case $o in --cap-retain | --cap-remove) ;; *) lost="$lost $o(no option)" ;; esac
		used=
		for t in $(echo "$tests" | grep -oE '\bt[0-9]{3}\b'); do
			if grep -qE -e "$o\b" "$here/$t"-*.sh; then used=yes; fi
		done
		[ -n "$used" ] || lost="$lost $o($tests)"
	done
	for t in $(echo "$tests" | grep -oE '\bt[0-9]{3}\b'); do
		[ -e "$(echo "$here/$t"-*.sh)" ] || lost="$lost $t"
	done
	for t in $(echo "$tests" | grep -oE '\btest_[a-z_]+'); do
		[ -e "$here/../unit/$t.c" ] || lost="$lost $t"
	done
	echo "$tests" | grep -qE '\b(t[0-9]{3}|test_[a-z]+)\b' || [ "$what" = option ] || [ "$what" = --- ] || lost="$lost no test: $what"
done <"$T/rows"
is "and each row tests that use its options" "$lost" ""

# ---- records --------------------------------------------------------------------------------------

run rkt run --net=none --uuid-file-save="$T/uuid" example.com/app --user-annotation=c=3 --user-annotation='X Y=z=q' --user-label=m= -- exit=0
expect_status 0 "a pod with annotations and labels"
run rkt status "$(cat "$T/uuid")" --format=json
like "--user-annotation replaces the image's, values may hold anything" "$(out)" '"user_annotations":\{("X Y":"z=q","c":"3"|"c":"3","X Y":"z=q")\}'
like "--user-label too, and may be empty" "$(out)" '"user_labels":\{"m":""\}'
run rkt run --net=none --uuid-file-save="$T/uuid" example.com/app --name=other -- exit=0
run rkt app status "$(cat "$T/uuid")" --app=other --format=json
like "without them the image's stay; --name" "$(out)" '"name":"other".*"user_annotations":\{"a":"1","b":"2"\},"user_labels":\{"l":"1"\}'
for bad in --user-annotation=x --user-label==x --name=Not_A_Name --annotation=UPPER=x; do
	fails_with "^rkt: run: .*${bad%%=*}|${bad#*=}" "$bad is refused" rkt run --net=none example.com/app "$bad"
done
fails_with 'two apps are named "app"' "a name given twice" rkt run --net=none example.com/app example.com/app
run rkt run --stage1-url="file://$RKT_BUILD/lib/rkt/stage1-images/stage1-fly.aci" --uuid-file-save="$T/uuid" example.com/app -- exit=7
expect_status 7 "--stage1-url"
is "is the flavor that ran" "$(readlink "$RKT_DIR/pods/run/$(cat "$T/uuid")/flavor")" fly
fails_with 'stage1-url: "nowhere" is neither' "what is no URL is refused" rkt run --net=none --stage1-url=nowhere example.com/app

# ---- who may read what a pod knows ----------------------------------------------------------------

rm "$T/uuid"
secret=--environment=TOKEN=hunter2
start_rkt run --net=none --uuid-file-save="$T/uuid" --volume=e,kind=empty,mode=0700 example.com/app $secret --stdin=stream --mount=volume=e,target=/e --exec=/bin/sleep -- 600
wait_for 10 test -s "$T/uuid"
check "a pod with a secret in its environment" wait_for 10 rkt status --wait-ready=10s "$(cat "$T/uuid")"
uuid=$(cat "$T/uuid")
dir=$RKT_DIR/pods/run/$uuid
is "its directory is closed to others" "$(stat -c %A "$dir" | cut -c 8-)" ---
is "what builds its processes is root's alone" "$(stat -c '%a %U' "$dir/plan")" '600 root'
is "so is the door to its streams" "$(stat -c '%a %U' "$dir/attach")" '600 root'
is "and what holds the secret nobody else may read" "$(grep -lsr hunter2 "$dir" | xargs stat -c '%A' | cut -c 8- | sort -u)" ---
init=$(cut -d ' ' -f 1 "/proc/$pid/task/$pid/children")
like "the root of the pod's first process can be written by nobody" "$(grep ' - tmpfs ' "/proc/$init/mountinfo" | head -n 1)" ' / / ro,nosuid,nodev'
record=$(readlink "$dir/pid-start")
ln -sfn "${record% *} 00000000-0000-4000-8000-000000000000" "$dir/pid-start"
fails_with 'have gone|not running' "T36 a supervisor of another boot is none, even if number and start agree" rkt enter "$uuid" /bin/true
ln -sfn "$record" "$dir/pid-start"
run rkt enter "$uuid" /bin/true
expect_status 0 "and is the one when the boot agrees"
chmod 711 "$T"
run setpriv --reuid=65534 --regid=65534 --clear-groups cat "$dir/plan" "$dir/pod" "$dir/pod-created"
is "not even the way there is open" "$(wc -c <"$T/out")" 0
kill "$pid"
wait "$pid" 2>/dev/null
start_rkt app sandbox --net=none --uuid-file-save="$T/uuid2"
wait_for 10 test -s "$T/uuid2"
check "a mutable pod" wait_for 10 rkt status --wait-ready=10s "$(cat "$T/uuid2")"
uuid=$(cat "$T/uuid2")
dir=$RKT_DIR/pods/run/$uuid
run rkt app add "$uuid" example.com/app $secret --exec=/bin/sleep -- 600
run rkt app start "$uuid" --app=app
expect_status 0 "with an app that has a secret"
is "each plan is root's alone" "$(stat -c '%a %U' "$dir/plan" "$dir/plans" "$dir/plans/app" | tr '\n' ' ')" '600 root 700 root 600 root '
is "so is the door to its supervisor" "$(stat -c '%a %U' "$dir/control")" '600 root'
is "nobody else may read the secret" "$(grep -lsr hunter2 "$dir" | xargs stat -c '%A' | cut -c 8- | sort -u)" ---
run rkt stop --force "$uuid"
wait "$pid" 2>/dev/null || :
