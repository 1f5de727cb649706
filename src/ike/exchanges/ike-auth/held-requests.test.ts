// A secret that has to wait before it is judged: what else may come meanwhile, and what it leads to.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AuthMethod, ExchangeType, NotifyType, type Payload } from '#wire';
import type { TryAdmission } from '../../authentication/guesses.ts';
import { notify } from '../../payloads/notify.ts';
import { fqdn, sharedSecret } from '../../testing/connections.ts';
import { carol, eapPair, gatewayCredentials, passwordOf, reasons } from '../../testing/eap-pair.ts';
import { insider } from '../../testing/insider.ts';
import { Pair } from '../../testing/pair.ts';

/** A gateway that has everybody wait for five seconds. @returns how often somebody was right */
function braked(pair: Pair, admission: TryAdmission = { kind: 'wait', forMs: 5_000 }): { right: number } {
  const seen = { right: 0 };
  pair.sun.guesses = {
    admit: () => admission,
    right: () => {
      seen.right++;
    },
  };
  return seen;
}

for (const [what, pairOf] of [
  ['a pre-shared key', () => new Pair()],
  ['a password', eapPair],
] as const) {
  describe(what, () => {
    test('that waits is judged when its time comes, once, however often it is repeated', () => {
      const pair = pairOf();
      const seen = braked(pair);
      pair.moon.initiate(pair.sun.endpoint);
      pair.settle();
      const answers = pair.sun.sa.statistics.messagesSent;
      pair.run(4_999);
      assert.ok(pair.moon.eventsOf('retransmitting').length > 0);
      assert.equal(pair.sun.sa.phase, 'connecting');
      assert.equal(pair.sun.sa.statistics.messagesSent, answers);
      pair.wait(1);
      pair.settle();
      assert.equal(pair.moon.sa.phase, 'established');
      assert.equal(pair.sun.sa.phase, 'established');
      assert.equal(seen.right, 1);
    });

    test('that is not to be judged is refused as if it were wrong, though it is right', () => {
      const pair = pairOf();
      const seen = braked(pair, { kind: 'refuse' });
      pair.moon.initiate(pair.sun.endpoint);
      pair.settle();
      assert.equal(pair.moon.sa.phase, 'ended');
      assert.equal(pair.sun.sa.phase, 'ended');
      assert.match(
        reasons(pair)[1]!,
        /was not heard: too many wrong (passwords|pre-shared keys) came before/,
      );
      assert.equal(seen.right, 0);
    });

    test('that waits goes with its IKE SA when the host ends that', () => {
      const pair = pairOf();
      const seen = braked(pair);
      pair.moon.initiate(pair.sun.endpoint);
      pair.settle();
      pair.sun.command({ kind: 'delete', reason: 'test' });
      pair.wait(60_000);
      assert.equal(pair.sun.sa.phase, 'ended');
      assert.equal(seen.right, 0);
    });
  });
}

test('a pre-shared key that waits is held against what is configured by then', () => {
  const pair = new Pair();
  braked(pair);
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  pair.sun.credentials = sharedSecret('another');
  pair.run(5_000);
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.equal(pair.sun.sa.phase, 'ended');
});

test('a password that waits is held against what is configured by then', () => {
  const pair = eapPair();
  braked(pair);
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  pair.sun.credentials = gatewayCredentials({ eapSecrets: [passwordOf(carol, 'lilies')] });
  pair.run(5_000);
  assert.match(reasons(pair)[1]!, /EAP: carol gave a wrong password/);
});

test('another IKE_AUTH request ahead of the answer ends it: nobody may try a second key meanwhile', () => {
  const who: readonly Payload[] = [
    { type: 'IDi', ...fqdn('moon.example.org') },
    { type: 'AUTH', method: AuthMethod.SHARED_KEY, data: new Uint8Array(32) },
  ];
  const pair = new Pair();
  const seen = braked(pair);
  const { send, answer } = insider(false, pair);
  send(who, ExchangeType.IKE_AUTH);
  assert.equal(pair.sun.sa.phase, 'connecting');
  send(who, ExchangeType.IKE_AUTH);
  assert.deepEqual(answer(), [notify(NotifyType.INVALID_SYNTAX)]);
  assert.equal(pair.sun.sa.phase, 'ended');
  pair.wait(60_000);
  assert.equal(seen.right, 0);
});
