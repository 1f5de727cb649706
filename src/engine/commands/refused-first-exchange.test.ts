// IKE_SA_INIT is refused, by the peer or by somebody who saw the request: nobody vouches for it (RFC 7296 2.21.1).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ke } from '#sa';
import { decodeIkeMessage, encodeIkeMessage, NotifyType, notify, TransformType } from '#wire';
import { addresses, child, configuration, connection, ikeProposal } from '../testing/configurations.ts';
import { type EngineHost, EnginePair } from '../testing/two-engines.ts';

const refusals = [
  NotifyType.NO_PROPOSAL_CHOSEN,
  NotifyType.INVALID_KE_PAYLOAD,
  NotifyType.AUTHENTICATION_FAILED,
  NotifyType.INVALID_SYNTAX,
] as const;

/** What somebody could answer who saw moon's request, in the name of sun. */
function refuse(moon: EngineHost, request: Uint8Array, notifyType: number): void {
  const { header } = decodeIkeMessage(request);
  const octets = encodeIkeMessage({
    header: { ...header, initiator: false, response: true },
    payloads: [notify(notifyType, { data: Uint8Array.of(0, 99) })],
  });
  moon.receive(octets, { address: addresses.sun, port: 500 });
}

for (const notifyType of refusals) {
  test(`a forged refusal of type ${notifyType} is overtaken by the answer`, () => {
    const pair = new EnginePair().start();
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    refuse(pair.moon, pair.wire[0]!.octets, notifyType);
    pair.now += 300;
    pair.settle();
    assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
    pair.run(60_000);
    assert.equal(pair.moon.established, 1);
  });
}

// RFC 7296 2.1: another request under the same SPI is not the same request.
test('a forged wish for another group costs no more than a round trip', () => {
  const groups = [Ke.CURVE25519, Ke.ECP_256].map((id) => ({ type: TransformType.KE, id }));
  const others = ikeProposal.transforms.filter(({ type }) => type !== TransformType.KE);
  const proposals = [{ ...ikeProposal, transforms: [...others, ...groups] }];
  const pair = new EnginePair({
    moon: configuration('moon', { connections: [connection('moon', { proposals })] }),
    sun: configuration('sun', { connections: [connection('sun', { proposals })] }),
  }).start();
  const id = pair.moon.command({ kind: 'initiate', child: 'net' });
  const { octets } = pair.wire[0]!;
  const { header } = decodeIkeMessage(octets);
  const forged = encodeIkeMessage({
    header: { ...header, initiator: false, response: true },
    payloads: [notify(NotifyType.INVALID_KE_PAYLOAD, { data: Uint8Array.of(0, Ke.ECP_256) })],
  });
  pair.moon.receive(forged, { address: addresses.sun, port: 500 });
  pair.settle();
  assert.deepEqual(pair.moon.results.get(id), { ok: true, count: 1 });
  assert.ok(pair.now < 500);
});

test('traffic that asked for a tunnel gets it, whoever says no before the peer says yes', () => {
  const trapped = connection('moon', { children: [child('moon', { startAction: 'trap' })] });
  const pair = new EnginePair({ moon: configuration('moon', { connections: [trapped] }) }).start();
  const [trap] = pair.moon.saCommands.filter(({ kind }) => kind === 'install-policy');
  assert.ok(trap?.kind === 'install-policy');
  const { policyId, selectors } = trap.policy;
  const [local] = selectors.local;
  const [remote] = selectors.remote;
  pair.moon.dataPlane({ kind: 'acquire', policyId, local: local!, remote: remote! });
  refuse(pair.moon, pair.wire[0]!.octets, NotifyType.NO_PROPOSAL_CHOSEN);
  pair.settle();
  assert.equal(pair.moon.established, 1);
});

describe('by the peer itself', () => {
  const strict = (persistent = false): EnginePair => {
    const start = persistent ? ([{ startAction: 'start' }] as const) : [{}];
    return new EnginePair({
      moon: configuration('moon', {
        connections: [connection('moon', { children: start.map((change) => child('moon', change)) })],
      }),
      // Nobody whom sun knows.
      sun: configuration('sun', { connections: [] }),
    }).start();
  };

  test('it is told after a second, in which it may be another who said so, and nothing stays', () => {
    const pair = strict();
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    refuse(pair.moon, pair.wire.shift()!.octets, NotifyType.NO_PROPOSAL_CHOSEN);
    pair.run(900);
    assert.equal(pair.moon.results.get(id), undefined);
    pair.run(200);
    const result = pair.moon.results.get(id);
    assert.ok(result?.ok === false && /no proposal|NO_PROPOSAL_CHOSEN/i.test(result.detail));
    for (const [table, size] of Object.entries(pair.moon.engine.tables())) assert.equal(size, 0, table);
    assert.equal(pair.moon.engine.deadline(), undefined);
  });

  test('said again and again, it is told no later', () => {
    const pair = strict();
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    const { octets } = pair.wire.shift()!;
    for (let i = 0; i < 5; i++) {
      refuse(pair.moon, octets, NotifyType.NO_PROPOSAL_CHOSEN);
      pair.run(210);
    }
    assert.equal(pair.moon.results.get(id)?.ok, false);
  });

  test('what is to stand for good is tried on', () => {
    const pair = strict(true);
    const id = pair.moon.command({ kind: 'initiate', child: 'net' });
    refuse(pair.moon, pair.wire.shift()!.octets, NotifyType.NO_PROPOSAL_CHOSEN);
    pair.run(1_100);
    assert.equal(pair.moon.results.get(id)?.ok, false);
    assert.equal(pair.moon.engine.tables().initiations, 1);
  });
});
