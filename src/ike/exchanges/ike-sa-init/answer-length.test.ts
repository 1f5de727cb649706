// How long the answer to IKE_SA_INIT may be for somebody who has not proven where it is: no longer than the question (RFC 7296 2.6).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeIkeMessage, NotifyType } from '#wire';
import { respondToInit } from '../../index.ts';
import { findNotify } from '../../payloads/notify.ts';
import { authority } from '../../testing/certificates.ts';
import { connection, sharedSecret } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';

describe('an answer that may be no longer than its question', () => {
  const signed = (authorities: number, fragmentation: 'yes' | 'no' = 'yes'): Pair => {
    const base = connection('sun');
    const certificates = {
      ...sharedSecret('x'),
      authorities: new Array<Uint8Array>(authorities).fill(authority),
    };
    return new Pair({
      moon: { connections: [connection('moon', { fragmentation })] },
      sun: {
        connections: [{ ...base, remote: { ...base.remote, method: 'any' } }],
        credentials: certificates,
      },
    });
  };
  const outcome = (
    pair: Pair,
    answerBytesMax?: number,
    ports = pair.sun.ports,
  ): ReturnType<typeof respondToInit> => {
    pair.moon.initiate(pair.sun.endpoint);
    const { octets, source, destination } = pair.take(pair.sun);
    return respondToInit({
      message: decodeIkeMessage(octets),
      local: destination,
      remote: source,
      ports,
      at: 0,
      halfOpenTimeoutMs: 1_000,
      answerBytesMax: answerBytesMax ?? octets.length,
    });
  };
  const answerOf = (made: ReturnType<typeof respondToInit>): Uint8Array => {
    const output = made.kind === 'sa' ? made.sa.poll() : undefined;
    assert.ok(output?.kind === 'transmit', made.kind);
    return output.octets;
  };

  test('is not made if it names authorities, before anything is computed', () => {
    for (const count of [1, 50]) {
      const pair = signed(count);
      const { ports, randomness } = pair.sun;
      const keyPair = () => assert.fail('a key pair is made');
      const made = outcome(pair, undefined, { ...ports, randomness: { ...randomness, keyPair } });
      assert.equal(made.kind, 'unproven');
    }
  });

  test('leaves out what nobody asked for', () => {
    const answer = answerOf(outcome(signed(0, 'no')));
    for (const type of [NotifyType.IKEV2_FRAGMENTATION_SUPPORTED, NotifyType.CHILDLESS_IKEV2_SUPPORTED]) {
      assert.equal(findNotify(decodeIkeMessage(answer).payloads, type), undefined);
    }
  });

  test('has all its authorities where there is room, or the source is proven', () => {
    const answer = decodeIkeMessage(answerOf(outcome(signed(50), 10_000)));
    const [request] = answer.payloads.filter(({ type }) => type === 'CERTREQ');
    assert.ok(request?.type === 'CERTREQ' && request.authorities.length === 50 * 20);
    assert.ok(findNotify(answer.payloads, NotifyType.CHILDLESS_IKEV2_SUPPORTED));
  });
});
