#!/bin/sh
# rkt trust with PEM keys: what is shown, where it goes, what is refused, and that ACIs do not care.
. "${0%/*}/lib.sh"
need_root
need gpg openssl
openssl ecparam -name prime256v1 -genkey -noout -out "$T/secret.pem"
openssl pkey -in "$T/secret.pem" -pubout -out "$T/key.pem"
fpr=$(openssl pkey -pubin -in "$T/key.pem" -outform DER | sha256sum | cut -c1-64)
keys=$T/etc/trustedkeys

run rkt trust --prefix=r.example.com/team --skip-fingerprint-review "$T/key.pem"
expect_status 0 "a PEM key for a prefix"
expect_stdout "public key \(ECDSA P-256\) sha256 fingerprint is: $fpr" "is shown by the fingerprint that openssl computes"
check "goes where rkt 1.30 does not look" cmp "$T/key.pem" "$keys/pem-prefix.d/r.example.com/team/$fpr"
refute "and nowhere else" test -e "$keys/prefix.d"
run rkt trust --root --skip-fingerprint-review "$T/key.pem"
expect_status 0 "a PEM key for everything"
check "is beside" cmp "$T/key.pem" "$keys/pem-root.d/$fpr"
fails_with 'without a terminal' "nobody there to review it" rkt trust --prefix=other.org "$T/key.pem"
refute "then it is not trusted" test -e "$keys/pem-prefix.d/other.org"
fails_with 'private key' "a private key" rkt trust --root --skip-fingerprint-review "$T/secret.pem"
openssl req -x509 -key "$T/secret.pem" -subj /CN=x -out "$T/cert.pem" 2>/dev/null
fails_with 'certificate' "a certificate" rkt trust --root --skip-fingerprint-review "$T/cert.pem"
cat "$T/key.pem" "$T/key.pem" >"$T/two.pem"
fails_with 'more than one block' "two keys in a file" rkt trust --root --skip-fingerprint-review "$T/two.pem"
openssl ecparam -name secp256k1 -genkey -noout | openssl pkey -pubout -out "$T/curve.pem"
fails_with 'another curve' "a curve that is not taken" rkt trust --root --skip-fingerprint-review "$T/curve.pem"
echo hello >"$T/text"
fails_with 'nor one in PEM' "what is no key at all" rkt trust --root --skip-fingerprint-review "$T/text"

make_key alice
make_image example.com/app
sign_image "$image" alice
fails_with 'no key is trusted yet' "no PEM key counts for an ACI" rkt fetch "$image"
trust_key alice example.com/app
run rkt fetch "$image"
expect_status 0 "an OpenPGP key does, beside PEM keys"
run rkt image list --full --no-legend
expect_stdout "$(fingerprint alice) \(prefix example.com/app\)" "image list --full says which key satisfied which rule"
run rkt image list --format=json
expect_stdout "\"fingerprint\": ?\"$(fingerprint alice)\"" "so does its JSON"
run rkt image list --no-legend --fields=verified
is "shortened on request" "$(out)" "$(fingerprint alice | cut -c1-16) (prefix example.com/app)"
rkt image rm --all >/dev/null 2>&1 || rkt image rm example.com/app >/dev/null 2>&1
run rkt --insecure-options=image fetch "$image"
run rkt image list --no-legend --fields=verified
is "and nobody of what was not verified" "$(out)" no
