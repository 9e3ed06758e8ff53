#!/bin/sh
# The transcripts about docker and OCI images in README.md are what the programs print, as t910 for the first one.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need docker-registry skopeo openssl python3 busybox
top=$(cd "${0%/*}/../.." && pwd)
awk '/^```console oci$/ { on = 1; next } /^```$/ { on = 0 } on' "$top/README.md" >"$T/transcript"
check "README.md has transcripts" test "$(grep -c '^# ' "$T/transcript")" -ge 10
check "a registry" start_registry
real=$registry
openssl ecparam -name prime256v1 -genkey -noout -out "$T/key.pem"
mkdir -p "$T/desk/bin" "$T/etc/registries.d"
openssl pkey -in "$T/key.pem" -pubout -out "$T/desk/cosign.pub"
make_images <<'END'
import base64
base = Layer().dir('.').busybox('echo', 'cat').bytes()
two, three = Layer().dir('srv').file('srv/page', 'a page\n').bytes(), Layer().file('srv/more', 'more').bytes()
app = dict(Entrypoint=['/bin/echo', 'says'], Cmd=['hello'])
one, next_one = Image([base, two], **app), Image([base, two, three], **app)
def sign(image):
    text = ('{"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"%s"},"identity":'
            '{"docker-reference":"%s/team/app"}},"optional":null}' % (digest(image.manifest()), registry)).encode()
    made = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', T + '/key.pem'], input=text, stdout=subprocess.PIPE, check=True).stdout
    i = Image([text], how='plain')
    i.doc['layers'][0].update(mediaType='application/vnd.dev.cosign.simplesigning.v1+json',
                              annotations={'dev.cosignproject.cosign/signature': base64.b64encode(made).decode()})
    return i
for tag, image in ('v1', one), ('v2', next_one):
    push('http://%s/v2/team/app' % registry, tag, image)
    push('http://%s/v2/team/app' % registry, digest(image.manifest()).replace(':', '-') + '.sig', sign(image))
push('http://%s/v2/team/multi' % registry, 'latest', Index(Image([base], arch='arm64', **app), one))
write_layout(T + '/mirror', {'v2': next_one, digest(next_one.manifest()).replace(':', '-') + '.sig': sign(next_one)})
END
skopeo copy -q --src-tls-verify=false "docker://$real/team/app:v1" "docker-archive:$T/desk/saved.tar:team/app:v1" >/dev/null 2>&1
start_badreg "$T/mirror"
mirror=$registry
printf '{\n\t"rktKind": "registry", "rktVersion": "v1",\n\t"registries": ["%s"],\n\t"mirrors": ["http://%s"]\n}\n' "$real" "$mirror" >"$T/etc/registries.d/mirror.json"

# The names of the transcript are not those of this machine, and back; what differs from run to run goes by its form.
hosts() { sed -e "s/registry\.example\.com/$real/g" -e "s/--prefix=127.0.0.1:/--prefix=127.0.0.1_/"  -e "s|/etc/rkt|$T/etc|g"; }
names() { sed -E -e "s/$real|127.0.0.1_${real#*:}/registry.example.com/g" -e "s/$mirror/mirror.example.com/g" -e "s|$T/etc|/etc/rkt|g"; }
normal() { sed -E -e 's/[0-9a-f]{12,64}/HEX/g' -e 's/[0-9.]+[KM]?i?B$/SIZE/' -e 's/[[:space:]]+/ /g' -e '/Downloading/d'; }
cd "$T/desk" || exit 1
printf '#!/bin/sh\nexec "%s" --dir="%s" --local-config="%s/etc" --system-config="%s/lib" "$@"\n' "$RKT" "$RKT_DIR" "$T" "$T" >bin/rkt
printf '#!/bin/sh\nv=$1\nshift\nexec %s "$v" --src-tls-verify=false "$@" 2>/dev/null\n' "$(command -v skopeo)" >bin/skopeo
chmod 755 bin/rkt bin/skopeo
PATH=$T/desk/bin:$PATH
while IFS= read -r line; do
	case $line in
	'# '*)
		echo "$line"
		sh -c "$(echo "${line#??}" | hosts)" 2>&1 </dev/null | names
		;;
	esac
done <"$T/transcript" >"$T/again"
normal <"$T/transcript" >"$T/want"
normal <"$T/again" >"$T/got"
check "the transcripts of README.md are true" diff -u "$T/want" "$T/got"
cp "$T/again" "${RKT_README_KEEP:-/dev/null}" 2>/dev/null
cd / || exit 1
