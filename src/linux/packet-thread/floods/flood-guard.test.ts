// When the kernel filters a flood of unknown SPIs, how many it lets through, and that no SA is ever missing from its list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress, SaCommand } from '#sa';
import { SystemCallError } from '../../libc/errno.ts';
import { foldedAddress } from '../../sockets/socket-address.ts';
import { runFilter } from '../../testing/bpf-machine.ts';
import type { ExpectedSa } from './flood-filter.ts';
import { type FloodGate, FloodGuard, type GuardedSocket } from './flood-guard.ts';

const peer = { address: '192.0.2.1' as IpAddress, port: 4500 };
const stranger = { address: '198.51.100.7' as IpAddress, port: 40_000 };

function packetOf(spi: number, source: typeof peer): { network: Uint8Array; payload: Uint8Array } {
  const payload = new Uint8Array(28);
  const view = new DataView(payload.buffer);
  view.setUint16(0, source.port);
  view.setUint32(8, spi);
  const network = new Uint8Array([
    ...new Uint8Array(12),
    ...source.address.split('.').map(Number),
    ...payload,
  ]);
  return { network, payload };
}

/** A guard with one socket, and a wire that brings it packets through whatever filter it has. */
class Flooded {
  readonly expected: ExpectedSa[] = [{ spi: 0xc000_0001, remote: peer }];
  program: Uint8Array | undefined = new Uint8Array(8);
  attached = 0;
  asked = 0;
  /** Of the kernel, for a filter. */
  roomBytes = Number.POSITIVE_INFINITY;
  at = 1000;
  unknown = 0;
  sent = 0;
  #random = 1;
  readonly guard: FloodGuard = new FloodGuard((protocol) => (protocol === 'esp' ? this.expected : []));

  readonly gate: FloodGate;

  constructor() {
    const socket: GuardedSocket = {
      family: 4,
      transport: { kind: 'udp', port: 4500 },
      share: undefined,
      filter: (program) => {
        if (program !== undefined) this.asked++;
        if (program !== undefined && program.length > this.roomBytes)
          throw new SystemCallError('setsockopt', 12, 'socket filter');
        this.program = program;
        if (program !== undefined) this.attached++;
      },
    };
    this.gate = this.guard.add(socket, 'esp');
    this.guard.advance(this.at);
  }

  readonly #draw = (): number => {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random >>> 8;
  };

  passes(spi: number, source = stranger): boolean {
    return this.#passes(packetOf(spi, source));
  }

  #passes({ network, payload }: ReturnType<typeof packetOf>): boolean {
    if (this.program === undefined) return true;
    return runFilter(this.program, payload, { network, random: this.#draw }) > 0;
  }

  /** @param perSecond packets with unknown SPIs, for a while */
  flood(perSecond: number, ms: number, source = stranger): void {
    const packet = packetOf(99_999, source);
    for (const end = this.at + ms; this.at < end; this.at += 100) {
      for (let i = 0; i < perSecond / 10; i++) {
        this.sent++;
        if (!this.#passes(packet)) continue;
        this.unknown++;
        this.gate.saw(foldedAddress(source.address));
      }
      this.gate.drained();
      this.guard.advance(this.at + 100);
    }
  }
}

test('a filter that a thread before this one left is taken off', () => {
  const { program, guard } = new Flooded();
  assert.equal(program, undefined);
  assert.equal(guard.oneOf, 1);
});

test('a few unknown SPIs are all looked at', () => {
  const flooded = new Flooded();
  flooded.flood(15_000, 2000);
  assert.equal(flooded.guard.oneOf, 1);
  assert.equal(flooded.unknown, flooded.sent);
});

test('of a flood some thousand a second are looked at, the others are counted about right, and all ends with it', () => {
  const flooded = new Flooded();
  flooded.flood(200_000, 1000);
  assert.ok(flooded.guard.oneOf > 1);
  const before = flooded.unknown;
  flooded.flood(200_000, 1000);
  const perSecond = flooded.unknown - before;
  assert.ok(perSecond > 2000 && perSecond < 11_000, `${perSecond}`);
  const told = flooded.unknown + flooded.guard.filtered;
  assert.ok(Math.abs(told / flooded.sent - 1) < 0.05, `${told} of ${flooded.sent}`);
  flooded.flood(100, 1000);
  assert.equal(flooded.guard.oneOf, 1);
  assert.equal(flooded.program, undefined);
});

test('a flood that grows and one that shrinks are followed', () => {
  const flooded = new Flooded();
  flooded.flood(30_000, 500);
  flooded.flood(500_000, 1000);
  let before = flooded.unknown;
  flooded.flood(500_000, 500);
  assert.ok(flooded.unknown - before < 6000);
  flooded.flood(40_000, 1000);
  before = flooded.unknown;
  flooded.flood(40_000, 500);
  assert.ok(flooded.unknown - before > 1000);
});

test('an SA that is made in a flood is let through at once, and its peer too', () => {
  const flooded = new Flooded();
  flooded.flood(200_000, 300);
  const spi = 0xc000_0002;
  const moved = { address: '192.0.2.99' as IpAddress, port: 4500 };
  const before = flooded.attached;
  assert.ok(!Array.from({ length: 5 }, () => flooded.passes(spi)).every(Boolean));
  flooded.expected.push({ spi, remote: moved });
  flooded.guard.follow({ kind: 'install', sa: { direction: 'inbound' } } as SaCommand);
  assert.equal(flooded.attached, before + 1);
  for (let i = 0; i < 100; i++) {
    assert.ok(flooded.passes(spi));
    assert.ok(flooded.passes(99_999, moved));
  }
  flooded.guard.follow({ kind: 'install', sa: { direction: 'outbound' } } as SaCommand);
  flooded.guard.follow({ kind: 'remove', direction: 'inbound' } as SaCommand);
  assert.equal(flooded.attached, before + 1);
});

test('what comes from where a peer is counts as what it is, however much', () => {
  const flooded = new Flooded();
  flooded.flood(50_000, 3000, peer);
  assert.equal(flooded.unknown, flooded.sent);
  assert.equal(flooded.guard.filtered, 0);
  assert.ok(flooded.guard.oneOf > 1);
  const { attached } = flooded;
  flooded.flood(50_000, 1000, peer);
  assert.equal(flooded.attached, attached, 'the filter stays as it is');
  flooded.flood(0, 1500);
  assert.equal(flooded.guard.oneOf, 1);
});

test('what waited when the filter came stands for itself alone', () => {
  const flooded = new Flooded();
  flooded.flood(200_000, 100);
  // The last round ended with an empty socket; a thousand came before there was a filter, and are read now.
  assert.ok(flooded.guard.oneOf > 1);
  for (let i = 0; i < 1000; i++) flooded.gate.saw(foldedAddress(stranger.address));
  assert.equal(flooded.guard.filtered, 0);
  flooded.gate.drained();
  flooded.gate.saw(foldedAddress(stranger.address));
  assert.equal(flooded.guard.filtered, flooded.guard.oneOf - 1);
  // And what came when the filter had gone.
  flooded.flood(0, 2000);
  const before = flooded.guard.filtered;
  assert.equal(flooded.guard.oneOf, 1);
  for (let i = 0; i < 1000; i++) flooded.gate.saw(foldedAddress(stranger.address));
  assert.equal(flooded.guard.filtered, before);
});

test('where the kernel has no room for a filter there is none, and it is asked again only later', () => {
  const flooded = new Flooded();
  flooded.roomBytes = 0;
  flooded.flood(50_000, 5000);
  assert.equal(flooded.guard.oneOf, 1);
  assert.equal(flooded.unknown, flooded.sent);
  assert.equal(flooded.asked, 1);
  flooded.roomBytes = Number.POSITIVE_INFINITY;
  flooded.flood(50_000, 6000);
  assert.ok(flooded.guard.oneOf > 1);
  // It grows by an SA, and has no room any more.
  flooded.roomBytes = flooded.program!.length;
  flooded.expected.push({ spi: 0xc000_0003, remote: peer });
  flooded.guard.follow({ kind: 'install', sa: { direction: 'inbound' } } as SaCommand);
  assert.equal(flooded.guard.oneOf, 1);
  assert.ok(flooded.passes(0xc000_0003));
});

test('with more SAs than a filter can name there is none', () => {
  const flooded = new Flooded();
  for (let i = 0; i < 5000; i++) flooded.expected.push({ spi: 0x1000 + i, remote: peer });
  flooded.flood(50_000, 500);
  assert.equal(flooded.guard.oneOf, 1);
  assert.equal(flooded.unknown, flooded.sent);
});
