// An I2 that is of no use, and what its Initiator hears of it (RFC 7401 4.1.6, 5.2.19, 5.3.6, 6.9.1, RFC 7402 5.1.3).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { verifyHipSignature } from '#crypto';
import { decodeHipPacket, HipNotifyType, HipPacketType, hipParameter } from '#wire';
import type { HipConfiguration } from '../configuration.ts';
import { AskedResponder } from '../testing/asked-responder.ts';
import type { I2Change } from '../testing/handmade-initiator.ts';
import { testIdentity } from '../testing/identities.ts';
import { TwoHosts } from '../testing/two-hosts.ts';

const other = testIdentity('rsa-a');
const { algorithm, octets: hostIdentity } = other.identity;

const refusals: readonly (readonly [string, number, I2Change, Partial<HipConfiguration>?])[] = [
  ['cipher', HipNotifyType.INVALID_HIP_CIPHER_CHOSEN, { parameters: [{ type: 'HIP_CIPHER', ciphers: [1] }] }],
  [
    'esp-transform',
    HipNotifyType.INVALID_ESP_TRANSFORM_CHOSEN,
    { parameters: [{ type: 'ESP_TRANSFORM', suites: [7] }] },
  ],
  ['mac', HipNotifyType.HIP_MAC_FAILED, { wrongMac: true }],
  ['signature', HipNotifyType.AUTHENTICATION_FAILED, { signer: testIdentity('p256-b') }],
  ['host-identity', HipNotifyType.INVALID_HIT, { hidden: [{ type: 'HOST_ID', algorithm, hostIdentity }] }],
  ['keymat-index', HipNotifyType.INVALID_SYNTAX, { keymatIndex: 0 }],
  ['not-configured', HipNotifyType.BLOCKED_BY_POLICY, {}, { peers: [] }],
  ['too-many', HipNotifyType.RESPONDER_BUSY_PLEASE_RETRY, {}, { peers: [], accept: 'any', strangersMax: 0 }],
];

describe('an I2 that is refused', () => {
  for (const [rejection, notifyType, change, configuration] of refusals)
    test(`for its ${rejection} is answered by a signed NOTIFY that is no longer than itself`, () => {
      const hosts = new AskedResponder(configuration);
      const i2 = hosts.i2(change);
      const answers = hosts.tell(i2);
      assert.equal(hosts.sun.rejections.at(-1), `I2 ${rejection}`);
      assert.equal(answers.length, 1);
      const packet = decodeHipPacket(answers[0]!);
      assert.equal(packet.header.packetType, HipPacketType.NOTIFY);
      assert.equal(hipParameter(packet.parameters, 'NOTIFICATION')?.notifyType, notifyType);
      assert.ok(verifyHipSignature(packet, hosts.sun.identity.identity));
      assert.ok(packet.octets.length <= i2.length);
      assert.deepEqual(hosts.sun.host.status(), []);
    });

  test('because the data plane has just refused what came of another one is told so', () => {
    const hosts = new AskedResponder();
    hosts.sun.refuses = ({ kind }) => kind === 'use-outbound';
    hosts.tell(hosts.i2());
    const [answer] = hosts.tell(hosts.i2());
    assert.equal(hosts.sun.rejections.at(-1), 'I2 data-plane');
    const { parameters } = decodeHipPacket(answer!);
    const { RESPONDER_BUSY_PLEASE_RETRY } = HipNotifyType;
    assert.equal(hipParameter(parameters, 'NOTIFICATION')?.notifyType, RESPONDER_BUSY_PLEASE_RETRY);
  });

  // RFC 7402 4.1.1: ESP is all there is. RFC 7401 5.2.19: no NOTIFICATION for whoever has not solved a puzzle; 6.9 10 and 11: silence.
  const silent: readonly (readonly [string, I2Change])[] = [
    ['group', { parameters: [{ type: 'DIFFIE_HELLMAN', group: 8, publicValue: new Uint8Array(96) }] }],
    ['encrypted', { hidden: [] }],
    ['transport', { parameters: [{ type: 'TRANSPORT_FORMAT_LIST', formats: [1] }] }],
    [
      'stale-puzzle',
      {
        parameters: [
          {
            type: 'SOLUTION',
            difficulty: 4,
            opaque: 1,
            random: new Uint8Array(48),
            solution: new Uint8Array(48),
          },
        ],
      },
    ],
  ];
  for (const [rejection, change] of silent)
    test(`for its ${rejection} is not answered`, () => {
      const hosts = new AskedResponder();
      assert.deepEqual(hosts.tell(hosts.i2(change)), []);
      assert.equal(hosts.sun.rejections.at(-1), `I2 ${rejection}`);
    });

  test('again and again costs few signatures: its solution is spent, and there is a rate', () => {
    const hosts = new AskedResponder();
    const { sun } = hosts;
    const cipher: I2Change = { parameters: [{ type: 'HIP_CIPHER', ciphers: [1] }] };
    const i2 = hosts.i2(cipher);
    let answers = 0;
    for (let i = 0; i < 10; i++) {
      hosts.now += 1_000;
      answers += hosts.tell(i2).length;
    }
    assert.equal(answers, 4);
    assert.equal(hosts.sun.rejections.at(-1), 'I2 repeated');
    // Each with a solution of its own.
    const before = sun.signatures;
    hosts.now += 60_000;
    const [r1] = hosts.tell(hosts.initiator.i1);
    const made = sun.signatures;
    for (let i = 0; i < 10; i++) hosts.tell(hosts.initiator.i2(r1!, cipher));
    assert.ok(made - before <= 1);
    assert.equal(sun.signatures - made, 2);
  });
});

test('whoever calls is told of the refusal, and nothing else follows from it', () => {
  const hosts = new TwoHosts({ sun: { configuration: { peers: [] } } });
  hosts.call();
  hosts.settle();
  const { moon: caller } = hosts;
  assert.deepEqual(
    caller.eventsOf('notified').map(({ notifyType }) => notifyType),
    [HipNotifyType.BLOCKED_BY_POLICY],
  );
  assert.equal(caller.state(hosts.sun.hit), 'I2-SENT');
});
