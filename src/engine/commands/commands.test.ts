// Commands to two engines that hear each other: which SAs a choice means, trap policies on request, start actions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandomness } from '#crypto';
import type { Endpoint, IpAddress, SaCommand } from '#sa';
import type { EngineConfiguration } from '../configuration.ts';
import { Engine } from '../engine.ts';
import type { CommandResult, EngineCommand, EngineInput, EngineOutput } from '../interface.ts';
import {
  addresses,
  block,
  child,
  connection,
  type HostName,
  sharedSecret,
  text,
} from '../testing/connections.ts';

type Input = EngineInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;

/** Both hosts at one instant, until nothing is left to say. */
class Hosts {
  readonly engines: Record<HostName, Engine>;
  readonly results: CommandResult[] = [];
  readonly commands: SaCommand[] = [];
  #at = 0;

  constructor(configurations: Record<HostName, EngineConfiguration>) {
    const make = (host: HostName): Engine =>
      new Engine({ randomness: seededRandomness(text(host)), configuration: configurations[host] });
    this.engines = { moon: make('moon'), sun: make('sun') };
  }

  give(host: HostName, input: Input): void {
    const engine = this.engines[host];
    engine.handle({ ...input, at: ++this.#at } as EngineInput);
    const outputs: EngineOutput[] = [];
    for (let output = engine.poll(); output !== undefined; output = engine.poll()) outputs.push(output);
    for (const output of outputs) this.#carryOut(host, output);
  }

  command(host: HostName, command: EngineCommand): CommandResult | undefined {
    const before = this.results.length;
    this.give(host, { kind: 'command', id: 1, command });
    return this.results[before];
  }

  #carryOut(host: HostName, output: EngineOutput): void {
    switch (output.kind) {
      case 'transmit': {
        const to: HostName = output.remote.address === addresses.moon ? 'moon' : 'sun';
        const ends: { local: Endpoint; remote: Endpoint } = { local: output.remote, remote: output.local };
        this.give(to, { kind: 'datagram', ...ends, octets: output.octets });
        break;
      }
      case 'resolve': {
        const result = { ok: true, local: addresses[host], remote: output.host as IpAddress } as const;
        this.give(host, { kind: 'resolved', id: output.id, result });
        break;
      }
      case 'sa-command':
        this.commands.push(output.command);
        this.give(host, { kind: 'sa-result', id: output.id, result: { ok: true } });
        break;
      case 'command-result':
        this.results.push(output.result);
        break;
      default:
        break;
    }
  }
}

const secondNetworks = { moon: block('10.1.9.0/24'), sun: block('10.2.9.0/24') };

/** Two children, the second with a start action. */
function configuration(host: HostName, startAction: 'none' | 'start' | 'trap' = 'none'): EngineConfiguration {
  const second = child(host, {
    name: 'second',
    startAction,
    localSelectors: [secondNetworks[host]],
    remoteSelectors: [secondNetworks[host === 'moon' ? 'sun' : 'moon']],
  });
  return {
    connections: [connection(host, { children: [child(host), second] })],
    credentials: sharedSecret('hush'),
    pools: [],
    ports: { ike: 500, natTraversal: 4500 },
    halfOpen: {
      cookieThreshold: 10,
      cookieThresholdPerSource: 3,
      halfOpenMax: 100,
      halfOpenTimeoutMs: 30_000,
    },
    natKeepaliveMs: 0,
  };
}

function standing(): Hosts {
  const hosts = new Hosts({ moon: configuration('moon'), sun: configuration('sun') });
  assert.deepEqual(hosts.command('moon', { kind: 'initiate', connection: 'gateway' }), {
    ok: true,
    count: 2,
  });
  return hosts;
}

const children = (hosts: Hosts): string[] =>
  hosts.engines.moon.status().ikeSas.flatMap((sa) => sa.children.map(({ name }) => name));

test('SAs grow older also where nothing happens', () => {
  const hosts = standing();
  const { moon } = hosts.engines;
  const [before, after] = [moon.status(), moon.status(moon.status().at + 60_000)];
  assert.equal(after.at, before.at + 60_000);
  const [one, later] = [before.ikeSas[0]!, after.ikeSas[0]!];
  assert.equal(later.establishedMsAgo, one.establishedMsAgo! + 60_000);
});

test('Child SAs are chosen by name, by number, and within their IKE SA', () => {
  const hosts = standing();
  const { ikeSas } = hosts.engines.moon.status();
  const [{ ikeId, children: both }] = ikeSas as [(typeof ikeSas)[number]];
  const second = both.find(({ name }) => name === 'second')!;
  assert.deepEqual(hosts.command('moon', { kind: 'rekey', childId: second.childId }), { ok: true, count: 1 });
  const rekeyed = hosts.engines.moon.ikeSaStatus(ikeId)!.children.find(({ name }) => name === 'second')!;
  assert.equal(rekeyed.childId, second.childId);
  assert.notEqual(rekeyed.inboundSpi, second.inboundSpi);

  const elsewhere = { kind: 'terminate', ikeId: ikeId + 1, childId: second.childId } as const;
  assert.equal(hosts.command('moon', elsewhere)?.ok, false);
  assert.deepEqual(hosts.command('moon', { kind: 'terminate', ikeId, childId: second.childId }), {
    ok: true,
    count: 1,
  });
  assert.deepEqual(children(hosts), ['net']);
  assert.deepEqual(hosts.command('moon', { kind: 'rekey', ikeId }), { ok: true, count: 1 });
  assert.equal(hosts.command('moon', { kind: 'rekey', child: 'second' })?.ok, false);
  assert.equal(hosts.engines.moon.ikeSaStatus(99), undefined);
});

test('a Child SA that was made after several rekeyings of its IKE SA hears of its packets', () => {
  const hosts = standing();
  assert.equal(hosts.command('moon', { kind: 'terminate', child: 'second' })?.ok, true);
  for (let i = 0; i < 3; i++)
    assert.equal(hosts.command('moon', { kind: 'rekey', connection: 'gateway' })?.ok, true);
  assert.equal(hosts.command('moon', { kind: 'initiate', child: 'second' })?.ok, true);
  const second = () =>
    hosts.engines.moon
      .status()
      .ikeSas.flatMap((sa) => sa.children)
      .find(({ name }) => name === 'second')!;
  const { childId, inboundSpi } = second();
  const limit = {
    kind: 'soft-expired',
    protocol: 'esp',
    direction: 'inbound',
    spi: inboundSpi,
    childId,
  } as const;
  hosts.give('moon', { kind: 'data-plane', event: limit });
  assert.equal(second().generation, 1);
});

test('a trap on request outlives a reload, one by start_action only its configuration', () => {
  const hosts = new Hosts({ moon: configuration('moon', 'trap'), sun: configuration('sun') });
  assert.deepEqual(hosts.command('moon', { kind: 'install', child: 'net' }), { ok: true, count: 1 });
  assert.deepEqual(hosts.command('moon', { kind: 'install', child: 'net' }), { ok: true, count: 0 });
  const traps = (): string[] => hosts.engines.moon.status().traps.map((trap) => trap.child);
  assert.deepEqual(traps(), ['second', 'net']);
  hosts.command('moon', { kind: 'load', configuration: configuration('moon') });
  assert.deepEqual(traps(), ['net']);
  assert.equal(hosts.command('moon', { kind: 'install', child: 'third' })?.ok, false);
  assert.deepEqual(hosts.command('moon', { kind: 'uninstall', child: 'net' }), { ok: true, count: 1 });
  assert.equal(hosts.command('moon', { kind: 'uninstall', child: 'net' })?.ok, false);
  assert.deepEqual(traps(), []);
  assert.deepEqual(
    hosts.commands.map(({ kind }) => kind),
    ['install-policy', 'install-policy', 'remove-policy', 'remove-policy'],
  );
});

test('a child without fixed selectors has nothing to trap', () => {
  const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;
  const roaming = connection('moon', { children: [child('moon', { localSelectors: [dynamic] })] });
  const moon = { ...configuration('moon'), connections: [roaming] };
  const hosts = new Hosts({ moon, sun: configuration('sun') });
  const result = hosts.command('moon', { kind: 'install', child: 'net' });
  assert.equal(result?.ok === false && result.code, 'failed');
});

test('loading one connection starts no other', () => {
  const hosts = new Hosts({ moon: configuration('moon'), sun: configuration('sun') });
  const starting = configuration('moon', 'start');
  hosts.command('moon', { kind: 'load', configuration: starting, start: ['another'] });
  assert.deepEqual(children(hosts), []);
  hosts.command('moon', { kind: 'load', configuration: starting, start: ['gateway'] });
  assert.deepEqual(children(hosts), ['second']);
});
