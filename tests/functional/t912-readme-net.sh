#!/bin/sh
# The transcript about networks in README.md is what the programs print, as t910 for the first one; on a host of its own.
. "${0%/*}/hostlib.sh"
. "${0%/*}/lib.sh"
need curl nft ip iptables
top=$(cd "${0%/*}/../.." && pwd)
awk '/^```console net$/ { on = 1; next } /^```$/ { on = 0 } on' "$top/README.md" >"$T/transcript"
check "README.md has a transcript" test "$(grep -c '^# ' "$T/transcript")" -ge 10

mkdir -p "$T/desk/bin" "$T/extra/www" "$T/extra/bin" "$T/etc/net.d"
cd "$T/desk" || exit 1
echo "hello from a pod" >"$T/extra/www/index.html"
for f in httpd ip; do ln -s busybox "$T/extra/bin/$f"; done
IMAGE_EXEC='["/bin/httpd","-f","-p","80","-h","/www"]' IMAGE_APP='"ports":[{"name":"web","protocol":"tcp","port":80}]' make_image example.com/web "$T/extra"
awk '/^# cat .*conflist/ { on = 1; next } /^# / { on = 0 } on' "$T/transcript" >"$T/etc/net.d/10-lan.conflist"
sed -i "s|\"host-local\"|\"host-local\", \"dataDir\": \"$T/leases\"|" "$T/etc/net.d/10-lan.conflist"
printf '#!/bin/sh\nexec "%s" --dir="%s" --local-config="%s/etc" --system-config="%s/lib" --insecure-options=image "$@" 2>/dev/null\n' "$RKT" "$RKT_DIR" "$T" "$T" >bin/rkt
chmod 755 bin/rkt
PATH=$T/desk/bin:$PATH
bin/rkt fetch "$image" >/dev/null

# What differs from run to run, by its form.
normal() {
	sed -E -e 's/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/UUID/g' -e 's/^[0-9a-f]{8}(\t)/SHORT\1/' \
		-e 's/(\t)[0-9a-f]{8}$/\1SHORT/' -e 's/\t(now|[0-9]+ (second|minute)s? ago)/ WHEN/g' -e 's/[[:space:]]+/ /g'
}
while IFS= read -r line; do
	case $line in
	'# '*' &')
		echo "$line"
		line=${line#??}
		sh -c "exec ${line% &}" >/dev/null 2>&1 </dev/null &
		pids="$pids $!"
		wait_for 10 curl -s http://127.0.0.1:8080/
		;;
	'# '*)
		echo "$line"
		sh -c "$(echo "${line#??}" | sed "s|/etc/rkt|$T/etc|g")" 2>&1 </dev/null | sed -e "s|$T/etc|/etc/rkt|g" -e "s|, \"dataDir\": \"$T/leases\"||"
		;;
	esac
done <"$T/transcript" >"$T/again"
normal <"$T/transcript" >"$T/want"
normal <"$T/again" >"$T/got"
check "the transcript of README.md is true" diff -u "$T/want" "$T/got"
cp "$T/again" "${RKT_README_KEEP:-/dev/null}" 2>/dev/null
cd / || exit 1
