#!/bin/sh
# Images of a real registry: fetch, run, what is asked of the network and what not, single flight.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need docker-registry python3 busybox zstd gzip skopeo
accept_unsigned
check "a registry" start_registry
make_images <<'END'
base = Layer().dir('.').busybox('sh', 'echo', 'cat', 'id', 'ls', 'env', 'pwd', 'sleep').dir('etc').file(
    'etc/passwd', 'root:x:0:0::/:/bin/sh\nweb:x:33:50::/srv:/bin/sh\n').file('etc/group', 'root:x:0:\nweb:x:44:\nmore:x:60:a,web\nown:x:50:\n').dir('srv').bytes()
two = Layer().dir('srv').file('srv/page', 'one\n').bytes()
three = Layer().file('srv/more', 'three\n').bytes()
other = Layer().dir('srv').file('srv/page', 'two\n').bytes()
app = dict(Entrypoint=['/bin/echo', 'says'], Cmd=['hello'], Env=['PATH=/bin', 'A=b c'], WorkingDir='/srv', Labels={'l': 'v'})
push('http://%s/v2/team/app' % registry, 'v1', Image([base, two], **app))
push('http://%s/v2/team/app' % registry, 'v2', Image([base, two, three], **app))
push('http://%s/v2/team/app' % registry, 'moving', Image([base, two], **app))
push('http://%s/v2/team/user' % registry, 'latest', Image([base], User='web', Entrypoint=['/bin/id']))
push('http://%s/v2/team/volume' % registry, 'latest', Image([base, two], Volumes={'/srv': {}}, Entrypoint=['/bin/cat', '/srv/page']))
push('http://%s/v2/team/signal' % registry, 'latest', Image([base], StopSignal='SIGUSR1', Entrypoint=['/bin/sh', '-c', 'trap "echo asked; exit 3" USR1; echo up; while :; do sleep 0.1; done']))
push('http://%s/v2/team/bare' % registry, 'latest', Image([base]))
push('http://%s/v2/team/zstd' % registry, 'latest', Image([base, two], how='zstd -q', media=KINDS['layer'] + '+zstd', **app))
push('http://%s/v2/team/plain' % registry, 'latest', Image([base, two], how='plain', **app))
from ocimake import pack
frames = lambda b: pack(b[:5000], 'zstd -q') + bytes.fromhex('502a4d18') + b'\x04\0\0\0skip' + pack(b[5000:], 'zstd -q')
push('http://%s/v2/team/zstd-frames' % registry, 'latest', Image([base, two], how=frames, media=KINDS['layer'] + '+zstd', **app))
push('http://%s/v2/team/gzip-members' % registry, 'latest', Image([base, two], how=lambda b: pack(b[:5000], 'gzip') + pack(b[5000:], 'gzip'), **app))
push('http://%s/v2/team/trailing' % registry, 'latest', Image([base + b'x' * 512, two], how=lambda b: pack(b, 'gzip') + b'more', diff_ids=[digest(base + b'x' * 512), digest(two)], **app))
push('http://%s/v2/team/health' % registry, 'latest', Image([base], Entrypoint=['/bin/echo'], ExposedPorts={'8080/tcp': {}}, Labels={'l': 'v'}, Healthcheck={'Test': ['CMD', 'curl', 'x'], 'Interval': 5}))
docker_kind = Image([base, two], **app)
docker_kind.doc.update(mediaType='application/vnd.docker.distribution.manifest.v2+json')
docker_kind.doc['config']['mediaType'] = 'application/vnd.docker.container.image.v1+json'
for l in docker_kind.doc['layers']:
    l['mediaType'] = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
push('http://%s/v2/team/list' % registry, 'latest', Index(docker_kind, more={'mediaType': 'application/vnd.docker.distribution.manifest.list.v2+json'}))
arm = Image([base, other], arch='arm64', **app)
here = Image([base, two], **app)
push('http://%s/v2/team/multi' % registry, 'latest', Index(arm, here))
push('http://%s/v2/team/foreign' % registry, 'latest', Index(arm))
nested = Index(Index(Index(here)))
push('http://%s/v2/team/nested' % registry, 'latest', nested)
push('http://%s/v2/team/deep' % registry, 'latest', Index(Index(Index(nested))))
many = [base] + [Layer().file('srv/n', str(i)).file('srv/%d' % i, str(i)).bytes() for i in range(499)]
push('http://%s/v2/team/many' % registry, 'latest', Image(many, how='plain', Entrypoint=['/bin/cat', '/srv/n', '/srv/0', '/srv/498']))
push('http://%s/v2/team/twice' % registry, 'latest', Image([base, two, other, two], Entrypoint=['/bin/cat', '/srv/page']))
open(T + '/digest', 'w').write(digest(Image([base, two], **app).manifest()))
END
in_pod() { rkt run --net=none "$@"; }
at=docker://$registry/team

# ---- fetch and run
new_log
run rkt fetch --full "$at/app:v1"
expect_status 0 "fetch"
expect_stdout "^sha256-$(cut -c8- "$T/digest")\$" "prints the digest of the manifest as the id"
is "config and two layers" "$(blobs_asked)" 3
run in_pod "$at/app:v1"
expect_status 0 "run"
is "entrypoint and command" "$(out)" "says hello"
is "from the store" "$(blobs_asked)" 3
run in_pod "$at/app:v1" -- good bye
is "arguments stand in for the command" "$(out)" "says good bye"
run in_pod "$at/app:v1" --exec /bin/echo
is "--exec drops both" "$(out)" ""
run in_pod "$at/app:v1" --exec /bin/sh -- -c 'pwd; cat page; echo "$A"'
is "working directory, files and environment" "$(out | tr '\n' ' ')" "/srv one b c "
run in_pod "$at/user"
is "the groups of a user without one are those of its files" "$(out)" "uid=33(web) gid=50(own) groups=60(more)"
run in_pod "$at/user" --exec /bin/sh -- -c 'echo $HOME'
is "and so is its home" "$(out)" /srv
run in_pod "$at/user" --user=33 --group=44
is "unless somebody says otherwise" "$(out)" "uid=33(web) gid=44(web)"
run in_pod "$at/user" --user=33:44
is "in the words of docker, too" "$(out)" "uid=33(web) gid=44(web)"
run in_pod "$at/user" --user=1234
is "a user that the image does not know is in group 0" "$(out)" "uid=1234 gid=0(root)"
run in_pod "$at/user" --user=0 --group=44
is "a group beside the user" "$(out)" "uid=0(root) gid=44(web)"
run in_pod "$at/app:v1" --user=1234: --exec /bin/sh -- -c 'id -u; id -g'
is "a colon and nothing is no group" "$(out | tr '\n' ' ')" "1234 0 "
refuses 'has a group, and so has' "two groups" in_pod "$at/user" --user=33:44 --group=50
refuses 'the name of the user or group is empty' "a group and no user" in_pod "$at/user" --user=:44
run in_pod "$at/volume"
is "a volume that nobody gave has what the image has there" "$(out)" one
start_rkt run --net=none --uuid-file-save="$T/uuid" "$at/signal"
check "an app with a signal of its own" wait_for 10 grep -q up "$T/bg.out"
run rkt stop --uuid-file="$T/uuid"
wait "$pid"
is "is asked by that to end" "$? $(tail -n 1 "$T/bg.out")" "3 asked"
refuses 'does not say what to run' "nothing to run" in_pod "$at/bare"
run in_pod "$at/bare" -- /bin/echo yes
is "but for arguments" "$(out)" yes
run in_pod "127.0.0.1_${registry#*:}/team/app:v1" -- by name
is "by its name in the store" "$(out)" "says by name"
run rkt image list
expect_stdout "team/app:v1" "is listed"

run rkt image cat-manifest --oci --pretty-print=false "127.0.0.1_${registry#*:}/team/app:v1"
expect_stdout '^\{"manifest":\{.*"layers":.*"config":\{.*"diff_ids":' "its own documents"

# ---- layers that are there do not come again
new_log
run rkt fetch "$at/app:v2"
expect_status 0 "an image with one more layer"
is "only its config and that" "$(blobs_asked)" 2
run in_pod "$at/app:v2" --exec /bin/cat -- page more
is "stacked" "$(out | tr '\n' ' ')" "one three "
trees() { find "$RKT_DIR/cas/tree" -mindepth 1 -maxdepth 1 | wc -l; }
before=$(trees)
for kind in zstd plain zstd-frames gzip-members; do
	run in_pod "$at/$kind"
	is "layers by $kind" "$(out)" "says hello"
done
is "are the same trees, however they are compressed" "$(trees)" "$before"
refuses 'layer sha256:' "but not with something behind them" rkt fetch "$at/trailing"
check "skopeo makes one of docker's own kind" skopeo copy -q --format=v2s2 --src-tls-verify=false --dest-tls-verify=false "$at/app:v1" "$at/app:schema2"
run skopeo inspect --raw --tls-verify=false "$at/app:schema2"
expect_stdout 'vnd.docker.distribution.manifest.v2' "which it is"
new_log
run in_pod "docker:$registry/team/app:schema2" -- by docker:
is "docker's own media types" "$(out)" "says by docker:"
is "all of it is there" "$(blobs_asked)" 0
run in_pod "$at/list" -- by list
is "a list of docker's" "$(out)" "says by list"
run in_pod "$at/health"
run rkt image cat-manifest --pretty-print=false "127.0.0.1_${registry#*:}/team/health:latest"
expect_stdout '"ports":.*"8080-tcp"|"name":"8080-tcp"' "a port"
expect_stdout 'healthcheck","value":"\{.*curl' "a health check is kept"
expect_stdout '"userLabels":\{"l":"v"\}' "and labels"
run in_pod "$at/twice"
is "a layer that comes twice" "$(out)" one
run in_pod "$at/many"
is "five hundred layers" "$(out | tr -d '\n')" 4980498

# ---- policies
new_log
run rkt fetch "$at/app:v1"
is "update: asks for the manifest only" "$(blobs_asked) $(registry_asked '/manifests/v1' | sed 's/^[1-9][0-9]*$/asked/')" "0 asked"
new_log
run rkt fetch --pull-policy=new "$at/app:v1"
is "new: nothing is asked" "$(registry_asked '/v2/team/app')" 0
run rkt fetch "$at/moving"
make_images <<'END'
import json
push('http://%s/v2/team/app' % registry, 'moving', Image([Layer().dir('.').busybox('echo')], Entrypoint=['/bin/echo', 'moved']))
END
run in_pod "$at/app:moving" --pull-policy=never
refuses 'pull policy is never' "never: not what is not there" rkt fetch --pull-policy=never "$at/app:nothing"
run rkt fetch "$at/app:moving"
run in_pod "$at/app:moving"
is "update: the tag means another image now" "$(out)" moved
run in_pod "docker://$registry/team/app@$(cat "$T/digest")"
is "by digest" "$(out)" "says hello"
zeros=$(printf '%064d' 0)
refuses "127.0.0.1:[0-9]* answered 404" "by another digest" rkt fetch "docker://$registry/team/app@sha256:$zeros"
refuses 'answered 404' "no such tag" rkt fetch "$at/app:nothing"
refuses 'answered 404' "no such repository" rkt fetch "$at/nothing"
refuses 'lower-case' "a bad name" rkt fetch "docker://$registry/Team/app"

# ---- platforms
run in_pod "$at/multi"
is "the image of an index that is for this machine" "$(out)" "says hello"
refuses 'linux/arm64' "none is for this machine: what there is" rkt fetch "$at/foreign"
run rkt fetch "$at/multi,arch=aarch64"
expect_status 0 "for another machine by its label"
refuses 'arch' "which cannot be run" in_pod "$at/multi,arch=aarch64"
refuses 'arch' "an unknown one" rkt fetch "$at/multi,arch=z80"
run in_pod "$at/nested"
is "an index in an index" "$(out)" "says hello"
refuses 'more than 4 indexes' "but not without end" rkt fetch "$at/deep"

# ---- nobody answers for a stored image
run rkt gc --grace-period=0s
id=$(rkt image list --full --no-legend --fields=id,name | awk '/team\/many/ { print $1 }')
run rkt image rm "$id"
expect_status 0 "image rm"
run in_pod "$at/app:v2" --exec /bin/cat -- page
is "takes no layer of others" "$(out)" one
is "but its own" "$(find "$RKT_DIR/cas/tree" -mindepth 1 -maxdepth 1 | wc -l | sed 's/^[0-9]$/few/;s/^1[0-9]$/few/')" few
run rkt gc --grace-period=0s
run rkt image gc --grace-period=0s
is "image gc leaves nothing" "$(find "$RKT_DIR/cas/tree" "$RKT_DIR/cas/blob" -mindepth 3 -maxdepth 3)" ""

# ---- sixteen at once
rm -rf "$RKT_DIR"
new_log
wanted=''
for i in $(seq 16); do
	"$RKT" --dir="$RKT_DIR" "$accept" run --net=none "$at/app:v2" -- "number $i" >"$T/out.$i" 2>"$T/err.$i" </dev/null &
	wanted="$wanted $!"
done
for p in $wanted; do wait "$p"; done
is "sixteen pods of one absent image" "$(cat "$T"/out.* | sort -u | grep -c 'says number')" 16
is "move each of its blobs once" "$(blobs_asked)" 4
run rkt gc --grace-period=0s

# ---- trust
accept=
refuses 'no key is trusted|no trusted key|insecure-options=image' "unverified images are refused" rkt fetch "$at/app:v1"
refuses 'imported without verification|no key is trusted|insecure-options=image' "also when they are there already" rkt run --net=none "$at/app:v2"
run rkt run --net=none "docker://$registry/team/app@$(cat "$T/digest")"
is "but a digest that the user names is enough" "$(out)" "says hello"
accept_unsigned

# ---- without the registry
kill "$registry_pid"
refuses 'Connection refused|there is no connection|connect' "no registry" rkt fetch "$at/app:v3"
run in_pod "$at/app:v2"
is "which a stored image does not need" "$(out)" "says hello"
