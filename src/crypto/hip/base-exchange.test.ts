// Base exchanges that a script made from the RFCs alone: we find the same values in them, and would send the same.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { espSuiteOf, hitAddress, hitFromAddress, keyExchangeOfDhGroup } from '#sa';
import {
  appendHipParameters,
  decodeHipPacket,
  encodeHipPacket,
  encodeHipParameters,
  type HipPacket,
  type HipParameter,
  type Hit,
  hipMacOctets,
  hipParameter,
  hipParameterOctets,
  hipSignatureOctets,
} from '#wire';
import { keyExchangeMethod } from '../key-exchange/key-exchange-method.ts';
import type { KeyPair } from '../ports.ts';
import { nodeRandomness } from '../randomness/node-randomness.ts';
import { seededRandomness } from '../randomness/seeded-randomness.ts';
import { privateKeyFromPkcs8 } from '../signatures/private-key.ts';
import { ascii, digits, hex } from '../testing/octets.ts';
import {
  appendHipMac,
  appendHipMac2,
  appendHipSignature,
  decodeHostIdentity,
  HipKeymat,
  hitOfHostIdentity,
  hostIdentityOf,
  isPuzzleSolved,
  openHipParameters,
  sealHipParameters,
  searchPuzzleSolution,
  verifyHipMac,
  verifyHipMac2,
  verifyHipSignature,
} from './index.ts';
import { type BaseExchangeVector, baseExchangeVectors } from './testing/base-exchange-vectors.ts';

function pairOf(vector: BaseExchangeVector, privateValue: string): KeyPair {
  const method = keyExchangeMethod(keyExchangeOfDhGroup(vector.group) ?? 0);
  return method.derive((count) => {
    const octets = hex(privateValue);
    assert.equal(count, octets.length);
    return octets;
  });
}

function keymatOf(vector: BaseExchangeVector): HipKeymat {
  return new HipKeymat({
    initiator: vector.initiatorHit as Hit,
    responder: vector.responderHit as Hit,
    sharedSecret: hex(vector.sharedSecret),
    random: hex(vector.random),
    solution: hex(vector.solution),
  });
}

/** The packet without the parameters from this one on. */
function before(packet: HipPacket, ...names: string[]): Uint8Array {
  return encodeHipPacket({
    header: packet.header,
    parameters: packet.parameters.filter(({ type }) => !names.includes(type)),
  });
}

for (const vector of baseExchangeVectors) {
  describe(vector.title, () => {
    const initiatorHit = vector.initiatorHit as Hit;
    const responderHit = vector.responderHit as Hit;
    const initiator = decodeHostIdentity(vector.initiatorAlgorithm, hex(vector.initiatorHostIdentity));
    const responder = decodeHostIdentity(vector.responderAlgorithm, hex(vector.responderHostIdentity));
    const initiatorKey = privateKeyFromPkcs8(hex(vector.initiatorPkcs8), 'hip');
    const responderKey = privateKeyFromPkcs8(hex(vector.responderPkcs8), 'hip');
    const puzzle = {
      initiator: initiatorHit,
      responder: responderHit,
      random: hex(vector.random),
      difficulty: vector.difficulty,
    };
    const initiatorIntegrity = hex(vector.initiatorIntegrity);
    const responderIntegrity = hex(vector.responderIntegrity);
    const r1 = decodeHipPacket(hex(vector.r1));
    const i2 = decodeHipPacket(hex(vector.i2));
    const r2 = decodeHipPacket(hex(vector.r2));
    const hostId = hipParameterOctets(r1.octets, 'HOST_ID')!;

    // RFC 7401 3.2, 5.2.9, E, RFC 7343 2
    test('the HITs of both hosts, from what HOST_ID carries and from their own keys', () => {
      for (const [identity, key, hit] of [
        [initiator, initiatorKey, initiatorHit],
        [responder, responderKey, responderHit],
      ] as const) {
        assert.equal(identity.hit, hit);
        assert.equal(hitOfHostIdentity(identity.algorithm, identity.octets), hit);
        const own = hostIdentityOf(key.publicKey);
        assert.equal(digits(own.octets), digits(identity.octets));
        assert.equal(own.algorithm, identity.algorithm);
        assert.equal(own.hit, hit);
        assert.equal(hitFromAddress(hitAddress(hit)), hit);
      }
    });

    // RFC 7401 5.2.7
    test('the Diffie-Hellman values and the secret, from either side', () => {
      const ours = pairOf(vector, vector.initiatorPrivateValue);
      const theirs = pairOf(vector, vector.responderPrivateValue);
      assert.equal(digits(ours.publicValue), vector.initiatorPublicValue);
      assert.equal(digits(theirs.publicValue), vector.responderPublicValue);
      assert.equal(digits(ours.agree(hex(vector.responderPublicValue))), vector.sharedSecret);
      assert.equal(digits(theirs.agree(hex(vector.initiatorPublicValue))), vector.sharedSecret);
    });

    // RFC 7401 4.1.2, 6.3
    test('the solution of the puzzle is right, is the first behind the start, and is found in steps too', () => {
      const solution = hex(vector.solution);
      assert.ok(isPuzzleSolved(puzzle, solution));
      const found = searchPuzzleSolution(puzzle, hex(vector.searchStart), 100_000);
      assert.ok(found.solved);
      assert.deepEqual(found.solution, solution);
      let step = searchPuzzleSolution(puzzle, hex(vector.searchStart), 1);
      let attempts = step.attempts;
      while (!step.solved) {
        step = searchPuzzleSolution(puzzle, step.next, 7);
        attempts += step.attempts;
      }
      assert.deepEqual(step.solution, solution);
      assert.equal(attempts, found.attempts);
      if (vector.difficulty > 8) {
        assert.equal(isPuzzleSolved({ ...puzzle, initiator: responderHit }, solution), false);
        assert.equal(isPuzzleSolved({ ...puzzle, random: solution }, solution), false);
      }
    });

    // RFC 7401 6.5
    test('KEYMAT from its beginning and from the middle, and the four keys of the association', () => {
      const keymat = keymatOf(vector);
      assert.equal(digits(keymat.read(0, 1024)), vector.keymat);
      for (const [index, count] of [
        [0, 1],
        [19, 2],
        [31, 33],
        [47, 50],
        [100, 0],
        [1000, 24],
      ] as const) {
        assert.equal(digits(keymat.read(index, count)), vector.keymat.slice(2 * index, 2 * (index + count)));
      }
      const keys = keymat.drawHipKeys(vector.cipher);
      assert.equal(digits(keys.initiator.encryption), vector.initiatorEncryption);
      assert.equal(digits(keys.initiator.integrity), vector.initiatorIntegrity);
      assert.equal(digits(keys.responder.encryption), vector.responderEncryption);
      assert.equal(digits(keys.responder.integrity), vector.responderIntegrity);
      assert.equal(keys.nextIndex, vector.espIndex);
    });

    // RFC 7402 7, 5.1.2
    test('the keys of the ESP SAs', () => {
      const keys = keymatOf(vector).drawEspKeys(espSuiteOf(8)!, vector.espIndex);
      assert.equal(digits(keys.initiator.encryption!.key), vector.initiatorEspEncryption);
      assert.equal(digits(keys.initiator.integrity!.key), vector.initiatorEspIntegrity);
      assert.equal(digits(keys.responder.encryption!.key), vector.responderEspEncryption);
      assert.equal(digits(keys.responder.integrity!.key), vector.responderEspIntegrity);
      assert.equal(keys.nextIndex, vector.espIndex + 96);
    });

    // RFC 7401 5.2.15, 5.3.2, 6.4.2
    test("R1: the signature is the Responder's and stands with another Initiator, but not with another difficulty", () => {
      assert.ok(verifyHipSignature(r1, responder, 'HIP_SIGNATURE_2'));
      assert.equal(verifyHipSignature(r1, responder), false);
      const changed = (at: number): HipPacket => {
        const octets = r1.octets.slice();
        octets[at] = octets[at]! ^ 1;
        return decodeHipPacket(octets);
      };
      const puzzleAt = r1.octets.findIndex(
        (_, i) => digits(r1.octets.subarray(i, i + 2)) === '0101' && i % 8 === 0,
      );
      assert.ok(verifyHipSignature(changed(24), responder, 'HIP_SIGNATURE_2'), 'receiver');
      assert.ok(verifyHipSignature(changed(puzzleAt + 7), responder, 'HIP_SIGNATURE_2'), 'opaque');
      assert.ok(verifyHipSignature(changed(puzzleAt + 9), responder, 'HIP_SIGNATURE_2'), '#I');
      assert.equal(verifyHipSignature(changed(puzzleAt + 4), responder, 'HIP_SIGNATURE_2'), false, '#K');
      assert.equal(verifyHipSignature(changed(8), responder, 'HIP_SIGNATURE_2'), false, 'sender');
    });

    // RFC 7401 5.2.18, 5.3.3, 6.4.1, 6.4.2
    test('I2: MAC and signature are right, and inside ENCRYPTED is the HOST_ID of the Initiator', () => {
      assert.ok(verifyHipMac(i2, responderHit, initiatorIntegrity));
      assert.equal(verifyHipMac(i2, responderHit, responderIntegrity), false);
      assert.ok(verifyHipSignature(i2, initiator));
      assert.equal(verifyHipSignature(i2, responder), false);
      const { body } = hipParameter(i2.parameters, 'ENCRYPTED')!;
      const inside = openHipParameters(vector.cipher, hex(vector.initiatorEncryption), body);
      const expected: HipParameter = {
        type: 'HOST_ID',
        algorithm: vector.initiatorAlgorithm,
        hostIdentity: hex(vector.initiatorHostIdentity),
      };
      assert.deepEqual(inside, [expected]);
      const iv = body.slice(0, 16);
      const sealed = sealHipParameters(vector.cipher, hex(vector.initiatorEncryption), [expected], {
        bytes: () => iv,
      });
      assert.equal(digits(sealed), digits(body));
    });

    // RFC 7401 5.2.13, 5.3.4, 6.4.1
    test('R2: HIP_MAC_2 covers the HOST_ID of the R1, and the signature covers HIP_MAC_2', () => {
      assert.ok(verifyHipMac2(r2, responderHit, responderIntegrity, hostId));
      const other = hostId.slice();
      other[other.length - 1] = other[other.length - 1]! ^ 1;
      assert.equal(verifyHipMac2(r2, responderHit, responderIntegrity, other), false);
      assert.ok(verifyHipSignature(r2, responder));
    });

    // RFC 7401 6.4.1, RFC 7402 6.3
    test('what we send has the same MACs', () => {
      const i2Body = before(i2, 'HIP_MAC', 'HIP_SIGNATURE', 'ECHO_RESPONSE_UNSIGNED');
      const i2Sent = appendHipMac(i2Body, responderHit, initiatorIntegrity);
      assert.equal(digits(i2Sent), digits(hipSignatureOctets(i2.octets)));
      const r2Body = before(r2, 'HIP_MAC_2', 'HIP_SIGNATURE');
      const r2Sent = appendHipMac2(r2Body, responderHit, responderIntegrity, hostId);
      assert.equal(digits(r2Sent), digits(hipSignatureOctets(r2.octets)));
      assert.equal(digits(encodeHipParameters([hipParameter(r1.parameters, 'HOST_ID')!])), digits(hostId));
    });

    // RFC 7401 6.4.2
    test('what we sign is as long as theirs, and right; any changed octet before the signature is found', () => {
      const i2Body = before(i2, 'HIP_SIGNATURE', 'ECHO_RESPONSE_UNSIGNED');
      for (const randomness of [nodeRandomness(), seededRandomness(ascii('one seed'))]) {
        const signed = appendHipSignature(i2Body, initiatorKey, randomness);
        const sent = appendHipParameters(signed, [hipParameter(i2.parameters, 'ECHO_RESPONSE_UNSIGNED')!]);
        assert.equal(sent.length, i2.octets.length);
        assert.ok(verifyHipSignature(decodeHipPacket(sent), initiator));
        assert.ok(verifyHipMac(decodeHipPacket(sent), responderHit, initiatorIntegrity));
        const r1Body = before(r1, 'HIP_SIGNATURE_2', 'ECHO_REQUEST_UNSIGNED');
        const prepared = appendHipSignature(r1Body, responderKey, randomness, 'HIP_SIGNATURE_2');
        assert.ok(verifyHipSignature(decodeHipPacket(prepared), responder, 'HIP_SIGNATURE_2'));
      }
      const covered = hipMacOctets(i2.octets, 'HIP_MAC').length;
      for (let at = 40; at < covered; at += 7) {
        const octets = i2.octets.slice();
        octets[at] = octets[at]! ^ 0x10;
        const changed: HipPacket = { ...i2, octets };
        let found: boolean;
        try {
          found = !verifyHipMac(changed, responderHit, initiatorIntegrity);
          found &&= !verifyHipSignature(changed, initiator);
        } catch {
          // The change made a parameter's length or order impossible: such a packet is not decoded either.
          assert.throws(() => decodeHipPacket(octets));
          continue;
        }
        assert.ok(found, `octet ${at}`);
      }
    });
  });
}
