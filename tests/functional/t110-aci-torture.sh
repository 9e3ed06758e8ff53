#!/bin/sh
# The torture list: hostile and odd archives, one point a case (tests/functional/torture/).
. "${0%/*}/lib.sh"
need_root
need python3
mkdir "$T/torture"
python3 "${0%/*}/torture/run.py" "$RKT_BUILD/lib/rkt/stage0/unpack" "$T/torture" >"$T/points" 2>"$T/err"
status=$?
check "the list has been run to its end" test "$status" -le 1
while IFS= read -r line; do
	case $line in
	'ok '*) ok "${line#ok }" ;;
	'not ok '*) not_ok "${line#not ok }" ;;
	*) echo "# $line" ;;
	esac
done <"$T/points"
check "and it is long" test "$points" -gt 100
