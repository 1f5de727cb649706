// A few seeds of the cells that promise something; and every measure bites on a planted fault.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address } from '#sa';
import type { LabEvent } from '../events.ts';
import type { Datagram } from '../network/datagram.ts';
import type { RecoveryPolicyName, RecoveryScenarioName } from './recovery-cell.ts';
import {
  brokenPromises,
  cellsOf,
  defaultRecoveryPlan,
  type RecoveryCellSummary,
  runRecoveryCell,
} from './recovery-summary.ts';
import { ReplyAccount } from './reply-account.ts';
import { runRecovery } from './run-recovery.ts';

const few = { firstSeed: 1, seeds: 2 };

describe('with the full ladder, traffic is back in round trips', () => {
  const scenarios: readonly RecoveryScenarioName[] = [
    'responder-restarts',
    'responder-restarts-cookie',
    'initiator-restarts',
    'both-restart',
    'sibling-takes-over',
    'nat-rebinding',
  ];
  for (const scenario of scenarios) {
    test(scenario, async () => {
      const summary = await runRecoveryCell({ scenario, policy: 'full-ladder', rttMs: 100 }, few);
      assert.deepEqual(brokenPromises(summary), []);
      assert.equal(summary.recovered, few.seeds);
      assert.equal(summary.falseTeardowns, 0);
      assert.equal(summary.ikeSasLeftMax, 1, 'one IKE SA is left, whoever called');
    });
  }
});

describe('with HIP, traffic is back in round trips wherever somebody may call', () => {
  for (const [scenario, policy] of [
    ['responder-restarts', 'hip-full-ladder'],
    ['initiator-restarts', 'hip-full-ladder'],
    ['responder-restarts', 'hip-traps'],
  ] as const) {
    test(`${scenario}, ${policy}`, async () => {
      const summary = await runRecoveryCell({ scenario, policy, rttMs: 100 }, { firstSeed: 1, seeds: 1 });
      assert.deepEqual(brokenPromises(summary), []);
      assert.equal(summary.recovered, 1);
      assert.equal(summary.falseTeardowns, 0);
      assert.equal(summary.ikeSasLeftMax, 1, 'one association is left, whoever called');
    });
  }

  test('if both restart, a call that was dropped because another crossed it is repeated after a second', async () => {
    const cell = { scenario: 'both-restart', policy: 'hip-full-ladder', rttMs: 100 } as const;
    const { recoveryMs, falseTeardowns, ikeSasLeft } = await runRecovery(cell, 1);
    assert.ok(recoveryMs !== undefined && recoveryMs < 1_000 + 300, `${recoveryMs} ms`);
    assert.deepEqual([falseTeardowns, ikeSasLeft], [0, 1]);
  });

  test('and a responder that may not call and says nothing stays lost', async () => {
    const cell = { scenario: 'responder-restarts', policy: 'hip-silent', rttMs: 20 } as const;
    const { recoveryMs, bytesOut } = await runRecovery(cell, 1, { recoveryMsMax: 2_000 });
    assert.deepEqual([recoveryMs, bytesOut], [undefined, 0]);
  });

  test('a Parameter Problem that it sends outweighs nothing, and is enough for its peer to call', async () => {
    const cell = { scenario: 'responder-restarts', policy: 'hip-parameter-problem', rttMs: 20 } as const;
    const { recoveryMs, bytesOut, byteRuleBroken, ikeSasLeft } = await runRecovery(cell, 1, {
      recoveryMsMax: 5_000,
    });
    assert.ok(bytesOut > 0);
    assert.deepEqual([byteRuleBroken, ikeSasLeft], [[], 1]);
    // A check, its repetition, and two round trips.
    assert.ok(recoveryMs !== undefined && recoveryMs < 4_000, `${recoveryMs} ms`);
  });
});

test('incidents about a COOKIE, shared records or a NAT are none of HIP', () => {
  const cells = cellsOf({ ...defaultRecoveryPlan, policies: ['qcd', 'hip-traps'], rttsMs: [20] });
  const of = (wanted: RecoveryPolicyName): number => cells.filter(({ policy }) => policy === wanted).length;
  assert.deepEqual([of('qcd'), of('hip-traps')], [11, 8]);
});

describe('attackers without keys change nothing and gain nothing', () => {
  const cells: readonly (readonly [RecoveryScenarioName, RecoveryPolicyName])[] = [
    ['forged-hints-on-path', 'full-ladder'],
    ['forged-hints-on-path', 'qcd-resumption'],
    ['forged-hints-off-path', 'full-ladder'],
    ['esp-flood', 'full-ladder'],
    ['forged-hints-on-path', 'legacy-peer'],
    ['esp-flood', 'checkpoint'],
    ['forged-hints-on-path', 'hip-full-ladder'],
    ['forged-hints-off-path', 'hip-full-ladder'],
    ['esp-flood', 'hip-full-ladder'],
  ];
  for (const [scenario, policy] of cells) {
    test(`${scenario}, ${policy}`, async () => {
      const summary = await runRecoveryCell({ scenario, policy, rttMs: 20 }, { firstSeed: 1, seeds: 1 });
      assert.deepEqual(brokenPromises(summary), []);
      assert.equal(summary.packetsLost.p99, 0, 'traffic goes on');
    });
  }
});

describe('with a checkpoint nothing is lost but the time of the restart', () => {
  for (const scenario of ['responder-restarts', 'both-restart', 'sibling-takes-over'] as const) {
    test(scenario, async () => {
      let adopted = 0;
      const observe = (event: LabEvent): void => {
        if (event.kind !== 'engine' || event.output.kind !== 'event') return;
        if (event.output.event.kind === 'checkpoint-adopted') adopted++;
      };
      const cell = { scenario, policy: 'checkpoint', rttMs: 100 } as const;
      const summary = await runRecoveryCell(cell, few, { observers: [{ observe }] });
      assert.deepEqual(brokenPromises(summary), []);
      assert.equal(adopted, scenario === 'both-restart' ? 2 * few.seeds : few.seeds);
      assert.equal(summary.falseTeardowns, 0);
      assert.equal(summary.ikeSasLeftMax, 1);
    });
  }
});

test('a peer that knows none of it is called again within two seconds of its restart', async () => {
  const cell = { scenario: 'responder-restarts', policy: 'legacy-peer', rttMs: 20 } as const;
  const { recoveryMs, byteRuleBroken } = await runRecovery(cell, 1);
  assert.ok(recoveryMs !== undefined && recoveryMs < 2_000, `${recoveryMs} ms`);
  assert.deepEqual(byteRuleBroken, []);
});

test('a lost answer to a Delete is no crash: one IKE SA is left, and nothing that stood is given up', async () => {
  // Seeds in which the answer to the Delete of a duplicate is lost.
  for (const [rttMs, seed] of [
    [20, 60],
    [20, 131],
    [100, 16],
  ] as const) {
    const cell = { scenario: 'responder-restarts-loss', policy: 'full-ladder', rttMs } as const;
    const { falseTeardowns, ikeSasLeft } = await runRecovery(cell, seed);
    assert.deepEqual([falseTeardowns, ikeSasLeft], [0, 1], `${rttMs} ms, seed ${seed}`);
  }
});

test('silence takes longer than a token: the measure tells the difference', async () => {
  const of = async (policy: RecoveryPolicyName): Promise<number | undefined> =>
    (await runRecovery({ scenario: 'responder-restarts', policy, rttMs: 20 }, 1, { recoveryMsMax: 1_000 }))
      .recoveryMs;
  assert.ok((await of('qcd'))! < 200);
  assert.equal(await of('silent'), undefined);
});

test('the same seed gives the same figures', async () => {
  const cell = { scenario: 'responder-restarts-loss', policy: 'full-ladder', rttMs: 20 } as const;
  assert.deepEqual(await runRecovery(cell, 3), await runRecovery(cell, 3));
});

describe('what does not hold is said', () => {
  const good: RecoveryCellSummary = {
    scenario: 'responder-restarts',
    policy: 'full-ladder',
    rttMs: 100,
    seeds: 2,
    recovered: 2,
    recoveryMs: { p50: 250, p99: 400 },
    recoveryRtts: { p50: 2.5, p99: 4 },
    packetsLost: { p50: 1, p99: 1 },
    messages: { p50: 1, p99: 1 },
    bytesOutPerByteIn: 0.5,
    byteRuleBroken: 0,
    falseTeardowns: 0,
    ikeSasLeftMax: 1,
    forgedDatagrams: 0,
  };
  const attack: RecoveryCellSummary = {
    ...good,
    scenario: 'esp-flood',
    saChanges: 0,
    forgedDatagrams: 5,
  };

  test('and nothing is said of what does', () => {
    assert.deepEqual([brokenPromises(good), brokenPromises(attack)], [[], []]);
  });

  const bad: readonly (readonly [string, RecoveryCellSummary])[] = [
    ['p99 is 401 ms', { ...good, recoveryMs: { p50: 250, p99: 401 } }],
    ['p99 is 2776 ms', { ...good, scenario: 'responder-restarts-loss', recoveryMs: { p50: 9, p99: 2_776 } }],
    ['p50 is 401 ms', { ...good, scenario: 'responder-restarts-loss', recoveryMs: { p50: 401, p99: 401 } }],
    ['never recovered', { ...good, recovered: 1 }],
    ['byte rule', { ...good, policy: 'silent', byteRuleBroken: 1 }],
    ['changes of SAs', { ...attack, saChanges: 1 }],
    ['false teardowns', { ...attack, falseTeardowns: 1 }],
    ['nothing was forged', { ...attack, forgedDatagrams: 0 }],
  ];
  for (const [text, summary] of bad) {
    test(text, () => assert.match(brokenPromises(summary).join(), new RegExp(text)));
  }
});

describe('the byte rule', () => {
  const host = { address: address('192.0.2.1'), port: 500 };
  const other = { address: address('198.51.100.2'), port: 500 };
  /** An unprotected INFORMATIONAL of so many octets. */
  function reply(lengthBytes: number): Datagram {
    const octets = new Uint8Array(lengthBytes).fill(7, 0, 16);
    octets.set([41, 0x20, 37, 0x08], 16);
    new DataView(octets.buffer).setUint32(24, lengthBytes);
    return { protocol: 'udp', source: host, destination: other, octets, origin: 'host' };
  }
  const esp: Datagram = {
    protocol: 'esp',
    source: { ...other, port: 0 },
    destination: { ...host, port: 0 },
    octets: new Uint8Array(80).fill(9),
    origin: 'host',
  };
  function violations(...events: readonly LabEvent[]): number {
    const account = new ReplyAccount();
    for (const event of events) account.observe(event);
    return account.violations.length;
  }
  const arriving: LabEvent = { kind: 'arriving', at: 0, host: 'a', datagram: esp };
  const arrived: LabEvent = { kind: 'arrived', at: 0, host: 'a', datagram: esp };
  const sent = (lengthBytes: number): LabEvent => ({
    kind: 'sent',
    at: 1,
    host: 'a',
    datagram: reply(lengthBytes),
  });

  test('allows as many IP octets as came in, and not one more', () => {
    assert.equal(violations(arriving, arrived, sent(72)), 0, '20 + 80 in, 28 + 72 out');
    assert.equal(violations(arriving, arrived, sent(73)), 1);
  });

  test('is no matter of what came out of a tunnel', () => {
    const delivered: LabEvent = { kind: 'delivered', at: 0, host: 'a', packet: new Uint8Array(40) };
    assert.equal(violations(arriving, delivered, arrived, sent(40)), 1);
  });
});
