// What the kernel is asked for, by a kernel that remembers it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type SaName, type SaParameters, type Spi } from '#sa';
import type { XfrmMessage } from '#wire';
import { KernelReports } from './kernel-reports.ts';
import { KernelSa } from './kernel-sa.ts';
import { SaPairs } from './sa-pairs.ts';

const [home, first, second] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(address);

function known(spi: number, change: Partial<SaParameters> = {}): KernelSa {
  const sa = { protocol: 'esp', direction: 'inbound', mode: 'tunnel', local: home!, remote: first! };
  return new KernelSa({ ...sa, spi: spi as Spi, childId: spi, ...change } as SaParameters, spi);
}

function nameOf(spi: number, direction: 'inbound' | 'outbound' = 'inbound', childId = spi): SaName {
  return { protocol: 'esp', direction, spi: spi as Spi, childId };
}

/** Every SA has carried so many packets, and refused so many. */
class Kernel {
  packets = 1;
  refused = 0;
  readonly asked: string[] = [];

  requestIfThere(message: XfrmMessage): XfrmMessage[] {
    if (message.kind === 'get-event') {
      this.asked.push(`usage of ${message.event.id.spi}`);
      const packets = BigInt(this.packets);
      const used = { bytes: 100n * packets, packets, addTime: 0n, useTime: 0n };
      return [{ kind: 'new-event', event: message.event, attributes: { used } } as unknown as XfrmMessage];
    }
    assert.equal(message.kind, 'get-sa');
    const { spi } = (message as unknown as { readonly id: { readonly spi: number } }).id;
    this.asked.push(`failures of ${spi}`);
    const state = { integrityFailures: this.refused, replays: 0, replayWindowFailures: 0 };
    return [{ kind: 'new-sa', state, attributes: {} } as unknown as XfrmMessage];
  }
}

function withSas(...all: readonly KernelSa[]) {
  const [kernel, sas] = [new Kernel(), new SaPairs()];
  for (const sa of all) sas.add(sa);
  const firsts: number[] = [];
  const reports = new KernelReports(kernel, sas, ({ spi }) => firsts.push(spi));
  return { kernel, sas, reports, firsts };
}

test('of 1,000 SAs the one that goes is the only one that the kernel is asked for', () => {
  const { kernel, reports, firsts } = withSas(...Array.from({ length: 1_000 }, (_, i) => known(1_000 + i)));
  const report = reports.takeLast(nameOf(1_500), 7, false);
  assert.deepEqual(kernel.asked, ['usage of 1500']);
  assert.deepEqual([report?.spi, report?.counters.packets, report?.counters.lastUsedAt], [1_500, 1, 7]);
  assert.deepEqual(firsts, [1_500]);
  assert.equal(reports.takeLast(nameOf(1_500), 8, false), undefined, 'told already');
  assert.equal(reports.take(9, false).length, 999);
});

test('packets that an SA has refused are told when it goes, if any were refused', () => {
  const { kernel, reports } = withSas(known(1_000), known(1_001));
  reports.take(7, false);
  kernel.asked.length = 0;
  kernel.refused = 3;
  assert.equal(reports.takeLast(nameOf(1_000), 8, true)?.counters.integrityFailures, 3);
  assert.deepEqual(kernel.asked, ['usage of 1000', 'failures of 1000']);
});

test('an SA is found by its pair wherever it leads, and by the name that the kernel has for it now', () => {
  const out = (childId: number, remote = first!) => known(1_000, { direction: 'outbound', childId, remote });
  const [one, other, inbound] = [out(1), out(2, second), known(1_000, { childId: 3 })];
  const { sas } = withSas(one, other, inbound);
  const { id } = other;
  assert.equal(sas.find(nameOf(1_000, 'outbound', 1)), one);
  assert.equal(sas.find(nameOf(1_000, 'outbound', 2)), other);
  assert.equal(sas.find(nameOf(1_000, 'outbound', 3)), undefined);
  assert.equal(sas.find(nameOf(1_000, 'inbound', 3)), inbound);
  assert.equal(sas.at(id), other);
  sas.rename(other, () => Object.assign(other, { remote: { address: address('192.0.2.4'), port: 0 } }));
  assert.equal(sas.at(id), undefined);
  assert.equal(sas.at(other.id), other);
  assert.equal(sas.find(nameOf(1_000, 'outbound', 2)), other);
  sas.remove(one);
  assert.equal(sas.find(nameOf(1_000, 'outbound', 1)), undefined);
  assert.equal(sas.size, 2);
});

test('an SA that has ended is not asked for: its name may be that of somebody else by now', () => {
  const sa = known(1_000);
  const { kernel, reports } = withSas(sa);
  sa.ended = true;
  assert.equal(reports.takeLast(nameOf(1_000), 7, true), undefined);
  assert.deepEqual(kernel.asked, []);
});
