#!/bin/sh
# Makes fixtures.ts beside it: a small PKI of strongSwan's `pki` and of `openssl`. Keys are thrown away.
# Needs strongSwan 5.9.8 and OpenSSL 3.0 or later. Run: sh generate-fixtures.sh > fixtures.ts
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

key() { pki --gen --type "$1" ${3:+--size "$3"} --outform pem > "$2.key"; }
issue() { # issuer subject key-type options...
  issuer=$1 name=$2 type=$3
  shift 3
  pki --issue --cacert "$issuer.crt" --cakey "$issuer.key" --in "$name.key" --type "$type" \
    --lifetime 8000 --outform pem "$@" > "$name.crt"
}

{
key ecdsa root 256
pki --self --ca --in root.key --type ecdsa --dn 'C=CH, O=strongSwan Project, CN=Root' --lifetime 8000 --outform pem > root.crt
key rsa gateways 2048
issue root gateways rsa --ca --pathlen 0 --dn 'C=CH, O=strongSwan Project, CN=Gateways'
key ecdsa moon 256
issue gateways moon ecdsa --dn 'C=CH, O=strongSwan Project, serialNumber=12, SN=Luna, E=moon@strongswan.org, CN=moon' \
  --san moon.strongswan.org --san 10.1.0.1 --san fec0::1 --san moon@strongswan.org \
  --flag serverAuth --flag ikeIntermediate \
  --crl http://crl.strongswan.org/gateways.crl --ocsp http://ocsp.strongswan.org/
key ecdsa sun 384
issue gateways sun ecdsa --dn 'C=CH, O=strongSwan Project, CN=sun' --san sun.strongswan.org
key ecdsa old 256
issue gateways old ecdsa --dn 'C=CH, O=strongSwan Project, CN=old' --digest sha1
key rsa venus 2048
issue gateways venus rsa --dn 'C=CH, O=strongSwan Project, CN=venus' --rsa-padding pss --digest sha384
pki --signcrl --cacert gateways.crt --cakey gateways.key --lifetime 3650 --reason key-compromise --cert sun.crt \
  --outform pem > gateways.crl
pki --signcrl --cacert root.crt --cakey root.key --lifetime 3650 --outform pem > root.crl

key ed25519 edwards
pki --self --ca --in edwards.key --type ed25519 --dn 'C=CH, CN=Edwards' --lifetime 8000 --outform pem > edwards.crt
key ed25519 mars
issue edwards mars ed25519 --dn 'C=CH, CN=mars' --san mars.strongswan.org
key ed448 goldilocks
pki --self --ca --in goldilocks.key --type ed448 --dn 'C=CH, CN=Goldilocks' --lifetime 8000 --outform pem > goldilocks.crt
key ed448 pluto
issue goldilocks pluto ed448 --dn 'C=CH, CN=pluto' --san pluto.strongswan.org

# OCSP: a responder that gateways appointed, and gateways itself.
key ecdsa responder 256
issue gateways responder ecdsa --dn 'C=CH, CN=OCSP responder' --flag ocspSigning
serial() { openssl x509 -in "$1.crt" -noout -serial | cut -d= -f2; }
printf 'V\t480101000000Z\t\t%s\tunknown\t/CN=moon\n' "$(serial moon)" > index.txt
printf 'R\t480101000000Z\t260101000000Z,superseded\t%s\tunknown\t/CN=sun\n' "$(serial sun)" >> index.txt
ocsp() { # file certificate signer options...
  file=$1 certificate=$2 signer=$3
  shift 3
  openssl ocsp -issuer gateways.crt -cert "$certificate.crt" -no_nonce -reqout request.der
  openssl ocsp -index index.txt -CA gateways.crt -rsigner "$signer.crt" -rkey "$signer.key" \
    -reqin request.der -ndays 3650 -rmd sha256 -respout "$file.der" "$@"
}
ocsp moon-good moon responder
ocsp moon-good-direct moon gateways -resp_key_id
ocsp sun-revoked sun responder
ocsp venus-unknown venus responder

# Name constraints as openssl writes them, below an authority of its own.
cat > constraints.cnf <<'CONFIG'
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, permitted;DNS:strongswan.org, permitted;IP:10.0.0.0/255.0.0.0, excluded;DNS:secret.strongswan.org
[inside]
subjectAltName = DNS:io.strongswan.org, IP:10.2.0.1
[outside]
subjectAltName = DNS:io.example.org
CONFIG
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout jupiter.key -out jupiter.crt \
  -subj '/C=CH/CN=Jupiter' -days 8000 -config constraints.cnf -extensions authority
for name in inside outside; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr \
    -subj "/C=CH/CN=$name" -config constraints.cnf
  openssl x509 -req -in $name.csr -CA jupiter.crt -CAkey jupiter.key -days 8000 \
    -extfile constraints.cnf -extensions $name -out $name.crt
done

# Key files of every kind; the passphrase is `passphrase`.
openssl genrsa -out rsa-pkcs8.pem 1024
openssl rsa -in rsa-pkcs8.pem -traditional -out rsa-pkcs1.pem
openssl pkcs8 -topk8 -in rsa-pkcs8.pem -v2 aes-256-cbc -passout pass:passphrase -out rsa-pkcs8-encrypted.pem
openssl rsa -in rsa-pkcs8.pem -traditional -aes128 -passout pass:passphrase -out rsa-pkcs1-encrypted.pem
openssl ecparam -name prime256v1 -genkey -out ec-sec1.pem
openssl ec -in ec-sec1.pem -aes256 -passout pass:passphrase -out ec-sec1-encrypted.pem
openssl pkcs8 -topk8 -nocrypt -in ec-sec1.pem -out ec-pkcs8.pem
openssl genpkey -algorithm ed25519 -out ed25519-pkcs8.pem
openssl genpkey -algorithm ed448 -out ed448-pkcs8.pem
openssl genpkey -algorithm x25519 -out x25519-pkcs8.pem
openssl pkcs8 -topk8 -in ec-sec1.pem -provider legacy -provider default -v1 PBE-MD5-DES -passout pass:passphrase \
  -out ec-pkcs8-des.pem
openssl pkey -in ec-sec1.pem -pubout -out ec-public.pem
} 1>&2

constant() { printf '\nexport const %s: string = `%s\n`;\n' "$1" "$(cat "$2")"; }
echo '// A small PKI and key files made by strongSwan pki 5.9.8 and OpenSSL 3.0.19: the output of generate-fixtures.sh, which'
echo '// holds the commands. Valid until 2048, lists and responses until 2036. Only the keys in `KEY_FILES` still exist.'
for name in root gateways moon sun old venus edwards mars goldilocks pluto responder jupiter inside outside; do
  constant "$name" "$name.crt"
done
constant gatewaysList gateways.crl
constant rootList root.crl
for name in moon-good moon-good-direct sun-revoked venus-unknown; do
  base64 -w 76 "$name.der" > "$name.b64"
  constant "$(echo "$name" | sed 's/-\(.\)/\U\1/g')" "$name.b64"
done
echo
echo '/** By format; the passphrase of encrypted ones is `passphrase`. */'
echo 'export const KEY_FILES = {'
for name in rsa-pkcs1 rsa-pkcs8 rsa-pkcs1-encrypted rsa-pkcs8-encrypted ec-sec1 ec-sec1-encrypted ec-pkcs8 ec-pkcs8-des \
  ed25519-pkcs8 ed448-pkcs8 x25519-pkcs8 ec-public; do
  printf "  '%s': \`%s\n\`,\n" "$name" "$(cat "$name.pem")"
done
echo '} as const;'
