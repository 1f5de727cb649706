#!/usr/bin/python3
"""HIPv2 base exchanges made by other hands: HITs, puzzle, KEYMAT, MACs, signatures and ENCRYPTED from the RFCs alone.

Nothing here is shared with the code under test. Packets are packed octet by octet from the drawings in RFC 7401 5 and
RFC 7402 5; MODP primes are computed from pi (RFC 3526); ECDSA and ECDH are affine arithmetic on the parameters of SEC 2,
so that SECP160R1 needs no library. RSA-PSS and AES-CBC are those of the package `cryptography` (python3-cryptography).

    /usr/bin/python3 base-exchange-vectors.py > base-exchange-vectors.ts

HITs, KEYMAT and MACs of everything unsigned come out the same each time; PSS salts, and what covers them, do not.
"""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def octets(number, length):
    return number.to_bytes(length, 'big')


def chosen(label, length):
    """Octets that look random and follow from a label."""
    return hashlib.shake_256(label.encode()).digest(length)


# RFC 3526: primes from the binary digits of pi.
def pi_shifted(bits):
    guard = 64
    one = 1 << (bits + guard)

    def arctan_inverse(x):
        total = term = one // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total

    return (16 * arctan_inverse(5) - 4 * arctan_inverse(239)) >> guard


def modp(bits, constant):
    return 2**bits - 2**(bits - 64) - 1 + 2**64 * (pi_shifted(bits - 130) + constant)


MODP = {3: (1536, modp(1536, 741804)), 4: (3072, modp(3072, 1690314)), 11: (2048, modp(2048, 124476))}


class Curve:
    def __init__(self, name, oid, field_bytes, p, a, b, gx, gy, n):
        self.name, self.oid, self.field_bytes = name, bytes.fromhex(oid), field_bytes
        self.p, self.a, self.b, self.g, self.n = p, a % p, b, (gx, gy), n
        self.order_bytes = (n.bit_length() + 7) // 8
        assert (gy * gy - gx**3 - a * gx - b) % p == 0
        assert self.times(n, self.g) is None

    def plus(self, one, other):
        if one is None:
            return other
        if other is None:
            return one
        (x1, y1), (x2, y2) = one, other
        if x1 == x2:
            if (y1 + y2) % self.p == 0:
                return None
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def times(self, k, point):
        result = None
        while k:
            if k & 1:
                result = self.plus(result, point)
            point, k = self.plus(point, point), k >> 1
        return result

    def encode(self, point):
        return octets(point[0], self.field_bytes) + octets(point[1], self.field_bytes)

    def sign(self, d, hashed, label):
        z = int.from_bytes(hashed, 'big') >> max(0, 8 * len(hashed) - self.n.bit_length())
        k = int.from_bytes(chosen(label, 64), 'big') % (self.n - 1) + 1
        r = self.times(k, self.g)[0] % self.n
        s = pow(k, -1, self.n) * (z + r * d) % self.n
        return octets(r, self.order_bytes) + octets(s, self.order_bytes)


P256 = Curve(
    'P-256', '06082a8648ce3d030107', 32,
    0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff, -3,
    0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5,
    0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551)
P384 = Curve(
    'P-384', '06052b81040022', 48,
    2**384 - 2**128 - 2**96 + 2**32 - 1, -3,
    0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef,
    0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
    0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f,
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973)
SECP160R1 = Curve(
    'SECP160R1', '06052b81040008', 20,
    2**160 - 2**31 - 1, -3,
    0x1c97befc54bd7a8b65acf89f81d4d4adc565fa45,
    0x4a96b5688ef573284664698968c38bb913cbfc82,
    0x23a628553168947d59dcc912042351377ac5fb32,
    0x0100000000000000000001f4c8f927aed3ca752257)

# RFC 7401 5.2.10, table 10
SUITES = {1: ('sha256', 32), 2: ('sha384', 48), 3: ('sha1', 20)}
# RFC 7401 3.2
CONTEXT = bytes.fromhex('F0EFF02FBFF43D0FE7930C3C6E6174EA')


def element(tag, content):
    length = len(content)
    header = [length] if length < 128 else [0x81, length] if length < 256 else [0x82, length >> 8, length & 255]
    return bytes([tag, *header]) + content


class Rsa:
    algorithm, suite = 5, 1

    def __init__(self, p, q):
        n, e = p * q, 65537
        d = pow(e, -1, (p - 1) * (q - 1))
        numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, n))
        self.key = numbers.private_key()
        self.pkcs8 = self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        # RFC 3110 2
        self.host_identity = bytes([3]) + octets(e, 3) + octets(n, (n.bit_length() + 7) // 8)

    def sign(self, data, _label):
        # RFC 7401 5.2.9: PSS; the hash of the suite, and a salt as long as it (RFC 3447 9.1)
        return self.key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


class Ecdsa:
    def __init__(self, curve, algorithm, suite, label, name):
        self.curve, self.algorithm, self.suite = curve, algorithm, suite
        self.d = int.from_bytes(chosen(name, 64), 'big') % (curve.n - 1) + 1
        point = curve.encode(curve.times(self.d, curve.g))
        self.host_identity = struct.pack('!H', label) + point
        private = element(2, b'\1') + element(4, octets(self.d, curve.order_bytes))
        private += element(0xa1, element(3, b'\0\4' + point))
        algorithm_identifier = element(0x30, bytes.fromhex('06072a8648ce3d0201') + curve.oid)
        self.pkcs8 = element(0x30, element(2, b'\0') + algorithm_identifier + element(4, element(0x30, private)))

    def sign(self, data, label):
        return self.curve.sign(self.d, hashlib.new(SUITES[self.suite][0], data).digest(), label)


def hit(host):
    # RFC 7343 2: prefix, OGA ID, the middle 96 bits of the hash.
    hashed = int.from_bytes(hashlib.new(SUITES[host.suite][0], CONTEXT + host.host_identity).digest(), 'big')
    bits = 8 * SUITES[host.suite][1]
    middle = (hashed >> ((bits - 96) // 2)) & (2**96 - 1)
    return octets((0x2001002 << 100) | (host.suite << 96) | middle, 16)


def parameter(number, contents):
    return struct.pack('!HH', number, len(contents)) + contents + bytes(-(4 + len(contents)) % 8)


def packet(kind, sender, receiver, parameters):
    length = (40 + len(parameters)) // 8 - 1
    return struct.pack('!BBBBHH', 59, length, kind, 0x21, 0, 0) + sender + receiver + parameters


def key_pair(group, name):
    if group in MODP:
        bits, p = MODP[group]
        private = bytearray(chosen(name, {3: 30, 4: 36, 11: 32}[group]))
        private[0] |= 0x80
        x = int.from_bytes(private, 'big')
        return bytes(private), octets(pow(2, x, p), bits // 8), lambda peer: octets(
            pow(int.from_bytes(peer, 'big'), x, p), bits // 8)
    curve = {7: P256, 8: P384, 10: SECP160R1}[group]
    private = b'\0' + chosen(name, curve.field_bytes - 1)
    x = int.from_bytes(private, 'big')

    def agree(peer):
        half = curve.field_bytes
        point = int.from_bytes(peer[:half], 'big'), int.from_bytes(peer[half:], 'big')
        return octets(curve.times(x, point)[0], half)

    return private, curve.encode(curve.times(x, curve.g)), agree


def hkdf(name, salt, secret, info, length):
    # RFC 5869 2.2, 2.3
    key = hmac.new(salt, secret, name).digest()
    block = result = b''
    while len(result) < length:
        block = hmac.new(key, block + info + bytes([len(result) // len(key) + 1]), name).digest()
        result += block
    return result[:length]


def base_exchange(title, initiator, responder, group, cipher, cipher_key_bytes, difficulty):
    hash_name, hash_bytes = SUITES[responder.suite]
    hit_i, hit_r = hit(initiator), hit(responder)
    private_i, public_i, agree_i = key_pair(group, title + ' initiator')
    private_r, public_r, agree_r = key_pair(group, title + ' responder')
    secret = agree_i(public_r)
    assert secret == agree_r(public_i)

    # RFC 7401 6.3
    random = chosen(title + ' #I', hash_bytes)
    start = j = int.from_bytes(chosen(title + ' #J', hash_bytes), 'big') >> 8
    while True:
        hashed = hashlib.new(hash_name, random + hit_i + hit_r + octets(j, hash_bytes)).digest()
        if int.from_bytes(hashed, 'big') % 2**difficulty == 0:
            break
        j += 1
    solution = octets(j, hash_bytes)

    # RFC 7401 6.5
    smaller, larger = sorted([hit_i, hit_r])
    keymat = hkdf(hash_name, random + solution, secret, smaller + larger, 1024)
    at = 0

    def draw(count):
        nonlocal at
        at += count
        return keymat[at - count:at]

    def in_order(first, second):
        greater = [draw(first), draw(second)]
        lesser = [draw(first), draw(second)]
        return (greater, lesser) if hit_i > hit_r else (lesser, greater)

    (encryption_i, integrity_i), (encryption_r, integrity_r) = in_order(cipher_key_bytes, hash_bytes)
    esp_index = at
    # RFC 7402 7 with suite 8: AES-128-CBC with HMAC-SHA-256
    (esp_encryption_i, esp_integrity_i), (esp_encryption_r, esp_integrity_r) = in_order(16, 32)

    host_id = lambda host: parameter(
        705, struct.pack('!HHH', len(host.host_identity), 0, host.algorithm) + host.host_identity)
    signature = lambda number, host, covered, label: parameter(
        number, struct.pack('!H', host.algorithm) + host.sign(covered, title + label))
    mac = lambda number, key, covered: parameter(number, hmac.new(key, covered, hash_name).digest())
    diffie_hellman = lambda value: parameter(513, struct.pack('!BH', group, len(value)) + value)

    # R1 (RFC 7401 5.3.2, RFC 7402 5.2.1.1). HIP_SIGNATURE_2 covers it without receiver, Opaque and #I.
    opaque = b'\xab\xcd'
    behind_puzzle = diffie_hellman(public_r) + parameter(579, struct.pack('!HH', cipher, 2 if cipher != 2 else 4))
    behind_puzzle += host_id(responder) + parameter(715, b'\x10\x20\x30')
    counter = parameter(129, struct.pack('!IQ', 0, 7))
    groups = parameter(511, bytes([group, 8, 4]))
    puzzle = lambda o, i: parameter(257, bytes([difficulty, 37]) + o + i)
    tail = parameter(2049, struct.pack('!H', 4095)) + parameter(4095, struct.pack('!HHH', 0, 8, 9))
    body = lambda o, i: counter + puzzle(o, i) + groups + behind_puzzle + tail
    bare = packet(2, hit_r, bytes(16), body(bytes(2), bytes(hash_bytes)))
    signed = signature(61633, responder, bare, ' R1')
    r1 = packet(2, hit_r, hit_i, body(opaque, random) + signed + parameter(63661, b'echo'))

    # I2 (RFC 7401 5.3.3, RFC 7402 5.2.1.2)
    inner = host_id(initiator)
    if cipher == 1:
        sealed = inner
    else:
        iv = chosen(title + ' IV', 16)
        # RFC 2898 6.1.1
        fill = 16 - len(inner) % 16
        encryptor = Cipher(algorithms.AES(encryption_i), modes.CBC(iv)).encryptor()
        sealed = iv + encryptor.update(inner + bytes([fill]) * fill) + encryptor.finalize()
    i2_body = parameter(65, struct.pack('!HHII', 0, esp_index, 0, 0xc0ffee01)) + counter
    i2_body += parameter(321, bytes([difficulty, 0]) + opaque + random + solution) + diffie_hellman(public_i)
    i2_body += parameter(579, struct.pack('!H', cipher)) + parameter(641, bytes(4) + sealed)
    i2_body += parameter(2049, struct.pack('!H', 4095)) + parameter(4095, struct.pack('!HH', 0, 8))
    i2_body += mac(61505, integrity_i, packet(3, hit_i, hit_r, i2_body))
    i2_body += signature(61697, initiator, packet(3, hit_i, hit_r, i2_body), ' I2')
    i2 = packet(3, hit_i, hit_r, i2_body + parameter(63425, b'echo'))

    # R2 (RFC 7401 5.3.4, 6.4.1): HIP_MAC_2 covers the Responder's HOST_ID behind the other parameters.
    r2_body = parameter(65, struct.pack('!HHII', 0, esp_index, 0, 0x0badcafe))
    r2_body += mac(61569, integrity_r, packet(4, hit_r, hit_i, r2_body + host_id(responder)))
    r2_body += signature(61697, responder, packet(4, hit_r, hit_i, r2_body), ' R2')
    r2 = packet(4, hit_r, hit_i, r2_body)

    values = dict(
        initiatorPkcs8=initiator.pkcs8, initiatorHostIdentity=initiator.host_identity, initiatorHit=hit_i,
        responderPkcs8=responder.pkcs8, responderHostIdentity=responder.host_identity, responderHit=hit_r,
        initiatorPrivateValue=private_i, initiatorPublicValue=public_i,
        responderPrivateValue=private_r, responderPublicValue=public_r, sharedSecret=secret,
        random=random, searchStart=octets(start, hash_bytes), solution=solution, keymat=keymat,
        initiatorEncryption=encryption_i, initiatorIntegrity=integrity_i,
        responderEncryption=encryption_r, responderIntegrity=integrity_r,
        initiatorEspEncryption=esp_encryption_i, initiatorEspIntegrity=esp_integrity_i,
        responderEspEncryption=esp_encryption_r, responderEspIntegrity=esp_integrity_r,
        r1=r1, i2=i2, r2=r2)
    print('  {')
    print(f"    title: '{title}',")
    print(f'    initiatorAlgorithm: {initiator.algorithm},')
    print(f'    responderAlgorithm: {responder.algorithm},')
    print(f'    group: {group},')
    print(f'    cipher: {cipher},')
    print(f'    difficulty: {difficulty},')
    print(f'    espIndex: {esp_index},')
    for name, value in values.items():
        print(f"    {name}: '{value.hex()}',")
    print('  },')


RSA = Rsa(
    int(
        'f5ce80d8486d7041e2c030d514b8838b8a11806a68e52a595a83a2cf03d2975bcd28ef997309a45f304cc4b742eb5dba'
        '07c15493a15cd6ba2a30d9e3059bbb8e14a4f0e3a5df3844f82ed08dfb7c6aef3fdc2dcd732d39a244716aa2f891a8af'
        '7c376d917551744d9097fc6fa2d8baf79a1c6bcc9ccac9ffd549f45adb9c800b', 16),
    int(
        'c461b57f697732e14712d7ca24f4f068cc9fcdaf28800c43f93b64e8a2d7a07034ae0c88d1075da17941684eb3783905'
        '488078574f8839b4a8007a8c85671a4015d0b3925f939c18d5359e89408908f27257f2ff7b4c6c24f51d70c1f1b01dec'
        '55d99014b1454212464307c1fd35f723311a5c9beb0eef6fc4d4bcc068edbed7', 16))
LOW_ONE, LOW_OTHER = (Ecdsa(SECP160R1, 9, 3, 1, name) for name in ['low one', 'low other'])
ON_P256, ON_P384 = Ecdsa(P256, 7, 2, 1, 'P-256'), Ecdsa(P384, 7, 2, 2, 'P-384')

print('''// Base exchanges as base-exchange-vectors.py made them from the RFCs with other tools; run it to make them again.
// Octets are hexadecimal; packets have a checksum of zero, as in UDP.

export interface BaseExchangeVector {
  readonly title: string;
  readonly initiatorAlgorithm: number;
  readonly responderAlgorithm: number;
  readonly group: number;
  readonly cipher: number;
  readonly difficulty: number;
  /** The KEYMAT Index of the ESP keys. */
  readonly espIndex: number;
  readonly initiatorPkcs8: string;
  readonly initiatorHostIdentity: string;
  readonly initiatorHit: string;
  readonly responderPkcs8: string;
  readonly responderHostIdentity: string;
  readonly responderHit: string;
  readonly initiatorPrivateValue: string;
  readonly initiatorPublicValue: string;
  readonly responderPrivateValue: string;
  readonly responderPublicValue: string;
  readonly sharedSecret: string;
  readonly random: string;
  /** Where the search began that found `solution`. */
  readonly searchStart: string;
  readonly solution: string;
  /** Its first 1024 octets. */
  readonly keymat: string;
  readonly initiatorEncryption: string;
  readonly initiatorIntegrity: string;
  readonly responderEncryption: string;
  readonly responderIntegrity: string;
  readonly initiatorEspEncryption: string;
  readonly initiatorEspIntegrity: string;
  readonly responderEspEncryption: string;
  readonly responderEspIntegrity: string;
  readonly r1: string;
  readonly i2: string;
  readonly r2: string;
}

export const baseExchangeVectors: readonly BaseExchangeVector[] = [''')
base_exchange('P-256 to RSA, 1536-bit MODP, AES-128', ON_P256, RSA, 3, 2, 16, 10)
base_exchange('RSA to P-384, ECDH on P-256, AES-256', RSA, ON_P384, 7, 4, 32, 9)
base_exchange('ECDSA_LOW to ECDSA_LOW, ECDH on SECP160R1, NULL', LOW_ONE, LOW_OTHER, 10, 1, 0, 11)
base_exchange('P-384 to ECDSA_LOW, 2048-bit MODP, AES-128', ON_P384, LOW_ONE, 11, 2, 16, 1)
base_exchange('P-384 to P-256, ECDH on P-384, AES-256', ON_P384, ON_P256, 8, 4, 32, 0)
print('];')
