// A client that goes from place to place while SAs are replaced and datagrams are lost (RFC 4555): one IKE SA stays, and traffic with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IkeEvent } from '#engine';
import { mayMove, placesOf, placesToMove } from './chaos/random-configuration.ts';
import { type ChaosScenario, randomScenario } from './chaos/random-scenario.ts';
import { Delivery } from './checkers/delivery.ts';
import { checkersFor } from './checkers/index.ts';
import type { LabEvent } from './events.ts';
import type { LinkQuality, TimedAction } from './scenario.ts';
import { Simulation } from './simulation.ts';

const stayMs = 8_000;
const stays = 12;

/** Every stay begins with a move, and with a rekeying of either SA by either side within the time of a few datagrams. */
function timelineOf({ terms }: ChaosScenario, delayMs: number): TimedAction[] {
  const places = [...(terms.nat ? [] : [placesOf(terms.family, 'left').outer]), ...placesToMove(terms)];
  return Array.from({ length: stays }, (_, i): TimedAction[] => {
    const at = (i + 1) * stayMs;
    const what = i % 2 === 0 ? { child: 'net' } : { connection: 'tunnel' };
    return [
      { at, action: { kind: 'move', host: 'left', address: places[(i + 1) % places.length]! } },
      {
        at: at + ((i * 7) % 5) * delayMs - delayMs,
        action: {
          kind: 'command',
          host: i % 4 < 2 ? 'left' : 'right',
          command: { kind: 'rekey', ...what },
        },
      },
      ...(terms.nat && i % 3 === 0
        ? [{ at: at + stayMs / 2, action: { kind: 'rebind', host: 'left', address: true } } as const]
        : []),
    ];
  }).flat();
}

/** The first seed from `from` on whose client may move, with or without a NAT in front of it. */
function movingScenario(from: number, nat: boolean, lossy: Partial<LinkQuality>): ChaosScenario {
  for (let seed = from; ; seed++) {
    const scenario = randomScenario(seed);
    if (!mayMove(scenario.terms) || scenario.terms.nat !== nat) continue;
    const delayMs = 15;
    const link = { ...scenario.link, delayMs, ...lossy };
    return { ...scenario, link, timeline: timelineOf(scenario, delayMs) };
  }
}

async function play(scenario: ChaosScenario): Promise<{
  readonly simulation: Simulation;
  readonly delivery: Delivery;
  readonly events: ReadonlyMap<IkeEvent['kind'], number>;
}> {
  const delivery = new Delivery(scenario.flows);
  const events = new Map<IkeEvent['kind'], number>();
  const listen = {
    observe(event: LabEvent): void {
      if (event.kind !== 'engine' || event.output.kind !== 'event' || event.output.event.kind !== 'ike')
        return;
      const { kind } = event.output.event.event;
      events.set(kind, (events.get(kind) ?? 0) + 1);
    },
  };
  const simulation = new Simulation(scenario, {
    observers: [delivery, listen, ...checkersFor(scenario)],
  });
  for (let i = 0; i <= stays; i++) {
    await simulation.run(stayMs - 2_500);
    const since = simulation.now;
    await simulation.run(2_500);
    const silent = delivery.silentSince(since).map(({ from }) => from);
    assert.deepEqual(silent, [], `nothing comes from there at the end of stay ${i}`);
  }
  return { simulation, delivery, events };
}

for (const nat of [false, true]) {
  for (const [name, quality] of [
    ['nothing is lost', {}],
    ['a tenth is lost and a fifth out of order', { loss: 0.1, reordering: 0.2, reorderMs: 60 }],
  ] as const) {
    for (const seed of [1, 100, 200]) {
      const where = nat ? 'behind a NAT that changes' : 'without a NAT';
      test(`a client ${where} moves while SAs are replaced and ${name}, seed ${seed}`, async () => {
        const scenario = movingScenario(seed, nat, quality);
        const { simulation, events } = await play(scenario);
        assert.ok((events.get('moved') ?? 0) >= stays - 1, `${events.get('moved')} moves`);
        assert.ok((events.get('ike-rekeyed') ?? 0) >= 2);
        // Both ends, once each: no IKE SA was made anew.
        if (!('loss' in quality)) assert.equal(events.get('ike-established'), 2);
        for (const host of simulation.hosts) {
          const standing = host.status()?.ikeSas.filter(({ phase }) => phase === 'established') ?? [];
          assert.equal(standing.length, 1, host.name);
          const [{ mobility, remote, local }] = standing as [(typeof standing)[0]];
          assert.deepEqual(mobility?.tunnel, { local, remote });
        }
      });
    }
  }
}

for (const nat of [false, true])
  test(`a client ${nat ? 'behind a NAT ' : ''}that moves at any moment of its first exchanges is there at once`, async () => {
    const scenario = movingScenario(1, nat, { delayMs: 20 });
    const [address] = placesToMove(scenario.terms);
    assert.ok(address !== undefined);
    for (let at = 0; at <= 200; at += 10) {
      const delivery = new Delivery(scenario.flows);
      const timeline: TimedAction[] = [{ at, action: { kind: 'move', host: 'left', address } }];
      const simulation = new Simulation({ ...scenario, timeline }, { observers: [delivery] });
      await simulation.run(200);
      const isThere = await simulation.run(4_000, () => delivery.silentSince(at).length === 0);
      assert.ok(isThere && simulation.now < 3_000, `moved at ${at} ms, and there at ${simulation.now} ms`);
    }
  });

test('a client that has no address for a while goes on from where it is then, with the same SAs', async () => {
  const scenario = movingScenario(1, false, {});
  const [address] = placesToMove(scenario.terms);
  const move = (at: number, to: typeof address): TimedAction => ({
    at,
    action: { kind: 'move', host: 'left', address: to },
  });
  const delivery = new Delivery(scenario.flows);
  let established = 0;
  let sent = 0;
  const listen = {
    observe(event: LabEvent): void {
      if (event.kind === 'fault' && event.fault === 'source-gone') sent++;
      if (event.kind !== 'engine' || event.output.kind !== 'event' || event.output.event.kind !== 'ike')
        return;
      if (event.output.event.event.kind === 'ike-established') established++;
    },
  };
  const simulation = new Simulation(
    { ...scenario, timeline: [move(3_000, undefined), move(4_500, address)] },
    { observers: [delivery, listen, ...checkersFor(scenario)] },
  );
  await simulation.run(4_490);
  assert.equal(delivery.silentSince(3_100).length, 2);
  assert.ok(sent > 0);
  await simulation.run(2_510);
  assert.deepEqual(delivery.silentSince(5_000), []);
  assert.equal(established, 2);
});
