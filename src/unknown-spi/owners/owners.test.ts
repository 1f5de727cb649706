// Several keying daemons of one host: each SPI has one who answers, through crashes, restarts and takeovers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cases } from '../testing/cases.ts';
import { blockOf, claimsOf, noClaims, type SpiClaims } from './claims.ts';
import {
  ownerLineCharactersMax,
  readMemberMessage,
  readRegistryMessage,
  writeMemberMessage,
  writeRegistryMessage,
} from './messages.ts';
import { OwnerRegistry, tombstoneMsDefault } from './owner-registry.ts';
import { OwnerTable, ownersMax, type SpiOwner } from './owner-table.ts';
import { OwnerView, ownershipIn, soleOwnership } from './owner-view.ts';

/** Numbers that look random and are the same each time. */
function counting(seed = 1): { bytes(count: number): Uint8Array } {
  let state = seed;
  return {
    bytes: (count) =>
      Uint8Array.from({ length: count }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state >>> 16;
      }),
  };
}

/** Daemons on one host, with a registry that the first of them serves. What a real link does with sockets, by hand. */
class Host {
  readonly #randomness;
  readonly #running = new Map<string, { readonly client: number; view: readonly SpiOwner[] }>();
  readonly #kept = new Map<string, SpiClaims>();
  #registry: OwnerRegistry | undefined;
  #server = '';
  #clients = 0;
  at = 0;

  constructor(seed = 1) {
    this.#randomness = counting(seed);
  }

  get server(): string {
    return this.#server;
  }

  get running(): readonly string[] {
    return [...this.#running.keys()];
  }

  start(name: string): void {
    if (this.#running.has(name)) return;
    this.#running.set(name, { client: ++this.#clients, view: [] });
    if (this.#registry === undefined) this.#serve(name, []);
    else this.#join(name);
  }

  crash(name: string): void {
    this.#end(name, 'closed');
  }

  stop(name: string): void {
    this.#kept.delete(name);
    this.#end(name, 'leave');
  }

  pass(ms: number): void {
    this.at += ms;
    this.#registry?.handle({ kind: 'timeout', at: this.at });
    this.#drain();
  }

  claimSingly(name: string, spi: number): void {
    const member = this.#running.get(name);
    if (member === undefined) return;
    const claims = this.claimsOf(name);
    const more = claimsOf(claims.blocks, [...claims.spis, spi]);
    if (name === this.#server) this.#registry?.handle({ kind: 'hold', at: this.at, claims: more });
    else this.#say(name, more);
    this.#drain();
  }

  /** As the daemon itself was told. */
  claimsOf(name: string): SpiClaims {
    return this.#running.get(name)?.view.find((owner) => owner.name === name)?.claims ?? noClaims;
  }

  /** Who answers for an unknown SPI of native ESP, which all of them receive. */
  answering(spi: number): string[] {
    return this.running.filter((name) => {
      const { view } = this.#running.get(name)!;
      const ownership = { ...ownershipIn(view, name, this.#server), unreadable: false };
      return new OwnerView(ownership, this.claimsOf(name)).ownerOf(spi, false) === 'nobody';
    });
  }

  get owners(): readonly SpiOwner[] {
    return this.#running.get(this.#server)?.view ?? [];
  }

  #end(name: string, how: 'closed' | 'leave'): void {
    const member = this.#running.get(name);
    if (member === undefined) return;
    this.#running.delete(name);
    if (name !== this.#server) {
      const line = writeMemberMessage({ kind: 'leave' });
      if (how === 'leave') this.#registry?.handle({ kind: 'line', at: this.at, client: member.client, line });
      this.#registry?.handle({ kind: 'closed', at: this.at, client: member.client });
      this.#drain();
      return;
    }
    if (how === 'leave') this.#registry?.handle({ kind: 'leave', at: this.at });
    this.#drain();
    this.#registry = undefined;
    const [heir, ...rest] = this.running;
    if (heir === undefined) return;
    this.#serve(heir, this.#running.get(heir)!.view);
    for (const other of rest) this.#join(other);
  }

  #serve(name: string, inherited: readonly SpiOwner[]): void {
    this.#server = name;
    this.#registry = new OwnerRegistry({
      self: { name, claims: this.#kept.get(name) ?? noClaims, blocksWanted: 32 },
      randomness: this.#randomness,
      at: this.at,
      inherited,
    });
    this.#drain();
  }

  #join(name: string): void {
    this.#say(name, this.#kept.get(name) ?? noClaims);
  }

  #say(name: string, claims: SpiClaims): void {
    const line = writeMemberMessage({ kind: 'hold', name, claims, blocksWanted: 32 });
    this.#registry?.handle({ kind: 'line', at: this.at, client: this.#running.get(name)!.client, line });
    this.#drain();
  }

  #drain(): void {
    for (let output = this.#registry?.poll(); output !== undefined; output = this.#registry?.poll()) {
      if (output.kind === 'table') {
        const server = this.#running.get(this.#server);
        if (server !== undefined) server.view = output.owners;
      } else if (output.kind === 'send') {
        const { client, line } = output;
        const message = readRegistryMessage(line, this.at);
        assert.equal(message?.kind, 'table');
        for (const member of this.#running.values()) {
          if (member.client === client && message?.kind === 'table') member.view = message.owners;
        }
      }
    }
    for (const name of this.running) this.#kept.set(name, this.claimsOf(name));
  }
}

function spiIn(block: number, low = 0x12345): number {
  return block * 2 ** 24 + low;
}

test('two daemons lease different blocks, and each answers for its own', () => {
  const host = new Host();
  host.start('a');
  host.start('b');
  const [a, b] = [host.claimsOf('a'), host.claimsOf('b')];
  assert.equal(a.blocks.length, 32);
  assert.equal(b.blocks.length, 32);
  assert.equal(new Set([...a.blocks, ...b.blocks]).size, 64);
  assert.deepEqual(host.answering(spiIn(a.blocks[0]!)), ['a']);
  assert.deepEqual(host.answering(spiIn(b.blocks[0]!)), ['b']);
});

test('what nobody claims is answered by the daemon that serves the registry, and by its heir', () => {
  const host = new Host();
  host.start('a');
  host.start('b');
  const claimed = new Set([...host.claimsOf('a').blocks, ...host.claimsOf('b').blocks]);
  const free = Array.from({ length: 256 }, (_, block) => block).find((block) => !claimed.has(block))!;
  assert.deepEqual(host.answering(spiIn(free)), ['a']);
  host.crash('a');
  assert.equal(host.server, 'b');
  assert.deepEqual(host.answering(spiIn(free)), ['b']);
});

for (const [crashed, other] of [
  ['a', 'b'],
  ['b', 'a'],
] as const) {
  test(`${crashed} is killed: its SPIs are left alone until it is back or its time is over`, () => {
    const host = new Host();
    host.start('a');
    host.start('b');
    const claims = host.claimsOf(crashed);
    const spi = spiIn(claims.blocks[0]!);
    host.crash(crashed);
    assert.deepEqual(host.answering(spi), []);
    host.pass(tombstoneMsDefault - 1);
    assert.deepEqual(host.answering(spi), []);
    host.start(crashed);
    assert.deepEqual(host.claimsOf(crashed), claims);
    assert.deepEqual(host.answering(spi), [crashed]);
    host.crash(crashed);
    host.pass(tombstoneMsDefault);
    assert.deepEqual(host.answering(spi), [other]);
  });
}

test('a daemon that ends in order leaves nothing behind', () => {
  const host = new Host();
  host.start('a');
  host.start('b');
  const spi = spiIn(host.claimsOf('b').blocks[0]!);
  host.stop('b');
  assert.deepEqual(
    host.owners.map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(host.answering(spi), ['a']);
});

test('a single SPI goes before the block of another', () => {
  const host = new Host();
  host.start('a');
  host.claimSingly('a', 0x8123_4567);
  host.start('b');
  const view = new OwnerView(
    { ...soleOwnership, others: [claimsOf([0x81], [0x8200_0000])] },
    claimsOf([0x82], [0x8123_4567]),
  );
  assert.equal(view.ownerOf(0x8123_4567, false), 'nobody');
  assert.equal(view.ownerOf(0x8123_4568, false), 'other');
  assert.equal(view.ownerOf(0x8200_0000, false), 'other');
  assert.equal(view.ownerOf(0x8200_0001, false), 'nobody');
  assert.deepEqual(host.answering(0x8123_4567), ['a']);
});

test('beside a daemon that cannot be read nothing is certain but our single SPIs', () => {
  const view = new OwnerView({ ...soleOwnership, unreadable: true }, claimsOf([1], [0x0200_0000]));
  assert.equal(view.ownerOf(0x0100_0100, false), 'unreadable');
  assert.equal(view.ownerOf(0x0200_0000, false), 'nobody');
});

test('later daemons get fewer blocks, and there are always some left', () => {
  const table = new OwnerTable();
  const sizes = Array.from({ length: 12 }, (_, i) => {
    table.hold(`d${i}`, noClaims, 32, counting(i + 1));
    return table.byName(`d${i}`)!.claims.blocks.length;
  });
  assert.deepEqual(sizes, [32, 32, 32, 32, 32, 32, 32, 16, 8, 4, 2, 1]);
});

test('a name is held by one daemon at a time, and the table has an end', () => {
  const registry = new OwnerRegistry({
    self: { name: 'server', claims: noClaims, blocksWanted: 1 },
    randomness: counting(),
    at: 0,
  });
  const hold = (client: number, name: string): unknown[] => {
    while (registry.poll() !== undefined);
    const line = writeMemberMessage({ kind: 'hold', name, claims: noClaims, blocksWanted: 1 });
    registry.handle({ kind: 'line', at: 0, client, line });
    const answers = [];
    for (let output = registry.poll(); output !== undefined; output = registry.poll()) {
      if (output.kind !== 'table' && output.client === client) answers.push(output);
    }
    return answers.map((output) =>
      output.kind === 'send' ? readRegistryMessage(output.line, 0) : output.kind,
    );
  };
  const refused = (reason: string): unknown[] => [{ kind: 'refused', reason }, 'drop'];
  assert.deepEqual(hold(1, 'server'), refused('name-in-use'));
  assert.notDeepEqual(hold(2, 'b'), refused('name-in-use'));
  assert.deepEqual(hold(3, 'b'), refused('name-in-use'));
  assert.deepEqual(hold(2, 'c'), refused('name-in-use'));
  for (let i = 2; i < ownersMax; i++) hold(10 + i, `more ${i}`);
  assert.deepEqual(hold(100, 'too many'), refused('too-many'));
});

test('whatever happens, claims are disjoint and each SPI is answered by one daemon or kept for a crashed one', () => {
  const names = ['a', 'b', 'c', 'd'];
  const step = fc.record({
    what: fc.constantFrom('start', 'start', 'crash', 'stop', 'pass', 'single'),
    name: fc.constantFrom(...names),
    spi: fc.integer({ min: 256, max: 0xffff_ffff }),
    ms: fc.integer({ min: 0, max: tombstoneMsDefault }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.integer({ min: 256, max: 0xffff_ffff }), { maxLength: 5 }),
      (steps, seed, probes) => {
        const host = new Host(seed);
        for (const { what, name, spi, ms } of steps) {
          if (what === 'start') host.start(name);
          else if (what === 'crash') host.crash(name);
          else if (what === 'stop') host.stop(name);
          else if (what === 'single') host.claimSingly(name, spi);
          else host.pass(ms);
          const blocks = host.owners.flatMap(({ claims }) => claims.blocks);
          const spis = host.owners.flatMap(({ claims }) => claims.spis);
          assert.equal(new Set(blocks).size, blocks.length);
          assert.equal(new Set(spis).size, spis.length);
          if (host.running.length === 0) continue;
          for (const probe of [...probes, spi]) {
            const covering = host.owners.filter(({ claims }) => claims.spis.includes(probe));
            if (covering.length === 0)
              covering.push(...host.owners.filter(({ claims }) => claims.blocks.includes(blockOf(probe))));
            const expected = covering.map(({ name, expiresAt }) => (expiresAt === undefined ? [name] : []));
            assert.deepEqual(host.answering(probe), expected[0] ?? [host.server]);
          }
        }
      },
    ),
    cases(2_000),
  );
});

test('messages survive the way over a line, and the longest table fits', () => {
  const spis = Array.from({ length: 1_024 }, (_, i) => 0xffff_ffff - i);
  const hold = {
    kind: 'hold',
    name: 'n'.repeat(255),
    claims: claimsOf([0, 255], spis),
    blocksWanted: 32,
  } as const;
  assert.deepEqual(readMemberMessage(writeMemberMessage(hold)), hold);
  const owners = Array.from({ length: ownersMax }, (_, i) => ({
    name: `${i}`.padEnd(255, '"'),
    claims: claimsOf([0, 1, 2, 255], spis),
    expiresAt: 1_000 + i,
  }));
  const line = writeRegistryMessage({ kind: 'table', server: 's', owners }, 400);
  assert.ok(line.length <= ownerLineCharactersMax);
  assert.deepEqual(readRegistryMessage(line, 400), { kind: 'table', server: 's', owners });
  // The reader's clock started at another time.
  const read = readRegistryMessage(line, 10_400);
  assert.equal(read?.kind === 'table' && read.owners[0]?.expiresAt, 11_000);
});

test('what is no message is none', () => {
  for (const line of ['', '{', 'null', '[]', '{"kind":"hold"}', '{"kind":"table"}', '{"kind":"refused"}']) {
    assert.equal(readMemberMessage(line), undefined);
    assert.equal(readRegistryMessage(line, 0), undefined);
  }
  const valid = { kind: 'hold', name: 'a', claims: { blocks: [1], spis: [256] }, blocksWanted: 32 };
  assert.notEqual(readMemberMessage(JSON.stringify(valid)), undefined);
  for (const change of [
    { name: '' },
    { name: 'n'.repeat(256) },
    { name: 1 },
    { blocksWanted: 257 },
    { blocksWanted: -1 },
    { claims: null },
    { claims: { blocks: [256], spis: [] } },
    { claims: { blocks: [0.5], spis: [] } },
    { claims: { blocks: [], spis: [255] } },
    { claims: { blocks: [], spis: Array.from({ length: 1_025 }, () => 256) } },
  ]) {
    assert.equal(readMemberMessage(JSON.stringify({ ...valid, ...change })), undefined);
  }
  fc.assert(
    fc.property(fc.json(), (line) => {
      readMemberMessage(line);
      readRegistryMessage(line, 0);
    }),
  );
});
