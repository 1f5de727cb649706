// A HIP host that is found through a rendezvous server, on a bad network, whoever of the three crashes (RFC 8004).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HipConfiguration, hipDefaults, registrarDefaults } from '#engine';
import { address, hitAddress, type IpAddress } from '#sa';
import { checkersFor, Delivery } from './checkers/index.ts';
import type { LabEvent } from './events.ts';
import { hipIdentities } from './recovery/hip-identities.ts';
import type { HostScenario, Scenario } from './scenario.ts';
import { Simulation } from './simulation.ts';

/** `moon` calls, `hub` passes it on, `sun` is called: only where hub is is known to others. */
const places = {
  moon: { identity: hipIdentities.a, at: address('192.0.2.1') },
  sun: { identity: hipIdentities.b, at: address('192.0.2.2') },
  hub: { identity: hipIdentities.c, at: address('192.0.2.3') },
} as const;
type Name = keyof typeof places;

function peer(name: Name, ...addresses: IpAddress[]): HipConfiguration['peers'][number] {
  return { name, hit: places[name].identity.identity.hit, addresses };
}

const server = places.hub.at;
const peers: Readonly<Record<Name, HipConfiguration['peers']>> = {
  moon: [peer('hub', server), { ...peer('sun', server), rendezvous: { name: 'hub', addresses: [server] } }],
  sun: [{ ...peer('hub', server), registration: { lifetimeMs: 20_000 } }, peer('moon')],
  hub: [peer('moon'), peer('sun')],
};

function host(name: Name): HostScenario {
  return {
    name,
    address: places[name].at,
    configuration: {
      connections: [],
      credentials: {
        sharedSecrets: [],
        privateKeys: [],
        certificates: [],
        authorities: [],
        revocationLists: [],
      },
      pools: [],
      ports: { ike: 500, natTraversal: 4500 },
      halfOpen: {
        cookieThreshold: 32,
        cookieThresholdPerSource: 8,
        halfOpenMax: 64,
        halfOpenTimeoutMs: 30_000,
      },
      natKeepaliveMs: 20_000,
      hip: {
        ...hipDefaults,
        identities: [places[name].identity],
        peers: peers[name],
        ...(name === 'hub' && { registrar: registrarDefaults }),
      },
    },
    dataPlaneDelayMs: 0,
    computeDelayMs: 1,
    trafficReportMs: 200,
    recordKey: new Uint8Array(32).fill(name.length),
  };
}

function flow(from: Name, to: Name): Scenario['flows'][number] {
  const hit = (of: Name): IpAddress => hitAddress(places[of].identity.identity.hit);
  return { from, to, source: hit(from), destination: hit(to), intervalMs: 100, payloadBytes: 64 };
}

function scenarioOf(seed: number): Scenario {
  return {
    seed,
    hosts: (['moon', 'sun', 'hub'] as const).map(host),
    link: {
      delayMs: 20,
      jitterMs: 10,
      loss: 0.1,
      duplication: 0.05,
      reordering: 0.05,
      reorderMs: 30,
      corruption: 0.02,
    },
    flows: [flow('moon', 'sun'), flow('sun', 'moon')],
    timeline: [],
  };
}

// RFC 8004 3.3, 4.3
for (const victim of ['none', 'hub', 'sun', 'moon'] as const) {
  test(`packets to a HIT arrive by way of a server's I1 alone, and again after a crash of ${victim}`, async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const scenario = scenarioOf(seed);
      const delivery = new Delivery(scenario.flows);
      let relayed = 0;
      const counter = {
        observe: (event: LabEvent): void => {
          if (event.kind !== 'engine' || event.output.kind !== 'event') return;
          const { event: outer } = event.output;
          if (outer.kind === 'hip' && outer.event.kind === 'relayed') relayed++;
        },
      };
      const observers = [...checkersFor(scenario), delivery, counter];
      const simulation = new Simulation(scenario, { observers });
      const told = `seed ${seed}`;
      const arrive = async (since: number): Promise<void> => {
        const both = await simulation.run(120_000, () => delivery.silentSince(since).length === 0);
        assert.ok(both, `${told}: no packets since ${since} ms`);
      };
      await arrive(1);
      assert.ok(relayed > 0, told);
      if (victim === 'none') continue;
      simulation.act({ kind: 'crash', host: victim });
      await simulation.run(2_000);
      simulation.act({ kind: 'restart', host: victim });
      if (victim === 'hub') {
        // What stands needs no server; what is called anew does, and it has to be known there again.
        const before = relayed;
        await simulation.run(60_000);
        await simulation.command('moon', { kind: 'hip-close', peer: 'sun' }, 1_000);
        await arrive(simulation.now + 1_000);
        assert.ok(relayed > before, told);
      } else await arrive(simulation.now);
    }
  });
}
