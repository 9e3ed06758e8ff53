#!/bin/sh
# --port on the command line: what it makes of a pod manifest, and what is refused before there is a pod.
. "${0%/*}/lib.sh"
need_root
need python3
IMAGE_FILE=web.aci IMAGE_APP='"ports":[{"name":"http","protocol":"tcp","port":80},{"name":"rtp","protocol":"udp","port":5000,"count":10}]' \
	make_image example.com/web
web=$image
IMAGE_FILE=dns.aci IMAGE_APP='"ports":[{"name":"53-tcp","protocol":"tcp","port":53},{"name":"53-udp","protocol":"udp","port":53},{"name":"http","protocol":"tcp","port":8053}]' \
	make_image example.com/dns
dns=$image
accept_unsigned
run rkt fetch --full "$web" "$dns"
id=$(sed -n 1p "$T/out")
json() { # EXPRESSION of j: checked against the last stdout
	python3 -c 'import json,sys; j=json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$T/out" "$1"
}
pods() { find "$RKT_DIR/pods" -mindepth 2 -maxdepth 2 | wc -l; }

# ---- what is in the manifest ----
run rkt prepare --port=http:127.0.0.1:8080/tcp example.com/web --port='5004:[::1]:6000' --port rtp:7000
expect_status 0 "prepare with three ports, one of them behind the image"
uuid=$(out)
run rkt cat-manifest "$uuid"
check "they are in the pod manifest" json '[(p["name"], p["hostPort"], p.get("hostIP"), "podPort" in p) for p in j["ports"]]==[("http",8080,"127.0.0.1",False),("rtp",6000,"::1",True),("rtp",7000,None,False)]'
check "a number of a range is that port alone" json 'j["ports"][1]["podPort"]=={"name":"rtp","protocol":"udp","port":5004,"count":1,"socketActivated":False}'

# ---- run-prepared looks too ----
for net in none host; do
	fails_with "^rkt: run-prepared: port \"http\": no port can be published with --net=$net\$" "run-prepared --net=$net of a pod with ports" \
		rkt run-prepared --net=$net "$uuid"
done
check "the pod is still prepared" test -d "$RKT_DIR/pods/prepared/$uuid"
run rkt prepare example.com/web --exec=/bin/true
run rkt run-prepared --net=none "$(out)"
expect_status 0 "a pod without ports runs without a network as before"

# ---- refused, and no pod is left ----
before=$(pods)
while read -r ports re; do
	# shellcheck disable=SC2046 # one word a port
	fails_with "^rkt: prepare: $re" "prepare with ports $ports" \
		rkt prepare $(echo "$ports" | tr ';' '\n' | sed 's/^/--port=/') example.com/web --name=web --- example.com/dns --name=dns
done <<-'END'
	http option --port: "http": NAME:.HOSTIP:.HOSTPORT./PROTO. expected
	http:0 option --port: "http:0": the host's port is not a number from 1 to 65535
	http:::1:80 option --port: "http:::1:80": an IPv6 address needs brackets
	smtp:25 option --port: port "smtp": no app declares it; there are: http .80/tcp of app "web"., rtp .5000-5009/udp of app "web"., 53-tcp
	http:80 option --port: port "http": ambiguous, since there are: http .80/tcp of app "web"., http .8053/tcp of app "dns".
	53:53 option --port: port "53": ambiguous
	80:80/udp option --port: port "80": no app declares it
	53-tcp:53/udp option --port: port "53-tcp": it is a port of tcp, not of udp
	rtp:65530 port "rtp": 10 ports from 65530 on end above 65535
	80:8080;8053:127.0.0.1:8080 ports "http" and "http" want the same port of the host, 8080/tcp
	rtp:6000;53/udp:6009 ports "rtp" and "53-udp" want the same port of the host, 6009/udp
END
run rkt prepare --port=53/udp:53 --port=53/tcp:53 example.com/web --name=web --- example.com/dns --name=dns
expect_status 0 "the same number of both protocols is no clash"
before=$((before + 1))
for net in none host default,none; do
	fails_with "^rkt: run: option --port: no port can be published with --net=(none|host)\$" "run --net=$net with a port" \
		rkt run --net=$net --port=http:8080 example.com/web
done
fails_with '^rkt: sandbox: option --port: no port can be published with --net=none$' "app sandbox --net=none with a port" \
	rkt app sandbox --net=none --port=web:tcp:80:0.0.0.0:8080
fails_with '^rkt: sandbox: option --port: "http:8080": NAME:PROTO:PODPORT:HOSTIP:HOSTPORT expected$' "app sandbox has another grammar" \
	rkt app sandbox --port=http:8080
fails_with '^rkt: sandbox: ports "a" and "b" want the same port of the host, 8080/tcp$' "in which ports clash as well" \
	rkt app sandbox --port=a:tcp:80::8080 --port='b:tcp:81:[::1]:8080'
is "nothing is left of any of them" "$(pods)" "$before"

# ---- a pod manifest of one's own ----
manifest() { # PORTS
	printf '{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"mine","image":{"id":"%s"}}],"ports":[%s]}\n' "$id" "$1" >"$T/pod.json"
}
manifest '{"name":"http","hostPort":8080}'
fails_with '^rkt: prepare: conflicting flags set with --pod-manifest' "--pod-manifest excludes --port" \
	rkt prepare --pod-manifest="$T/pod.json" --port=http:8080
run rkt prepare --pod-manifest="$T/pod.json"
expect_status 0 "its ports are those of the image"
fails_with '^rkt: run: port "http": no port can be published with --net=host$' "run --net=host with such a manifest" \
	rkt run --net=host --pod-manifest="$T/pod.json"
while read -r ports re; do
	manifest "$ports"
	fails_with "pod.json: $re" "a manifest with ports $ports" rkt prepare --pod-manifest="$T/pod.json"
done <<-'END'
	{"name":"smtp","hostPort":25} port "smtp": no app declares it; there are: http
	{"name":"http","hostPort":80},{"name":"x","hostPort":80,"podPort":{"name":"x","protocol":"tcp","port":1}} ports "http" and "x" want the same port
	{"name":"x","hostPort":80,"podPort":{"name":"x","protocol":"sctp","port":1}} port "x": protocol "sctp": only tcp and udp can be published
END

# ---- help ----
for verb in run prepare 'app sandbox'; do
	# shellcheck disable=SC2086
	run rkt $verb --help
	expect_stdout '--port=' "$verb --help tells of it"
done
run rkt run-prepared --help
refute "run-prepared has none" grep -q -e --port= "$T/out"
