#!/bin/sh
# shellcheck disable=SC2013,SC1003 # option names are words; tr wants a backslash
# Help, man pages and completion come from the same tables: every option is in all three, and every one acts.
. "${0%/*}/lib.sh"
run rkt
expect_status 2 "rkt alone"
run rkt --help
expect_status 0 "--help"
expect_stdout '^NAME:' "has sections"
verbs=$("$RKT" --help | sed -n '/^COMMANDS:/,/^$/p' | sed -n 's/^\t\([a-z][a-z -]*[a-z]\)\t.*/\1/p')
check "there are at least twenty commands" test "$(echo "$verbs" | wc -l)" -ge 18
"$RKT_BUILD/bin/gendoc" man "$T" || exit 1
"$RKT_BUILD/bin/gendoc" completion >"$T/completion"
check "the completion is shell" bash -n "$T/completion"
run rkt completion bash
check "rkt completion prints it" cmp "$T/out" "$T/completion"
fails_with 'bash' "other shells are refused" rkt completion fish

old_ifs=$IFS
IFS='
'
for verb in $verbs; do
	IFS=$old_ifs
	# shellcheck disable=SC2086 # "image list" is two words
	run rkt $verb --help
	expect_status 0 "$verb --help"
	page=$T/rkt-$(echo "$verb" | tr ' ' -).1
	check "$verb has a man page" test -s "$page"
	for o in $(sed -n '/^OPTIONS:/,/^$/s/^\t--\([a-z0-9-]*\).*/\1/p' "$T/out"); do
		grep -qF -e "$o" "$T/completion" || not_ok "$verb --$o is not in the completion"
		tr -d '\\' <"$page" | grep -qF -e "--$o" || not_ok "$verb --$o is not in the man page"
	done
	if command -v man >/dev/null 2>&1; then
		check "$verb: the page formats without complaint" sh -c "test -z \"\$(LC_ALL=C.UTF-8 man --warnings -l '$page' 2>&1 >/dev/null)\""
	fi
	# shellcheck disable=SC2086
	run rkt $verb --no-such-option
	expect_status 254 "$verb: an unknown option is refused"
	IFS='
'
done
IFS=$old_ifs
run rkt versoin
expect_status 254 "a misspelt command"
expect_stderr 'version' "gets a suggestion"
run rkt list --fromat=json
expect_stderr 'format' "and so does a misspelt option"
