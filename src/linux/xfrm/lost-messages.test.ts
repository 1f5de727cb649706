// The kernel's messages that found no room in our socket, on a kernel in memory: what they said is looked up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type DataPlaneEvent, Encr, type SaParameters, type Spi, selectorOfPrefix } from '#sa';
import type { XfrmMessage, XfrmState } from '#wire';
import { KernelDataPlane } from './kernel-data-plane.ts';
import { stateKey } from './states/kernel-sa.ts';
import { KernelWithDevice } from './testing/kernel-with-device.ts';

const selectors = { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.2.0.0/24')!] };
const [local, remote] = [address('192.0.2.1'), address('192.0.2.2')];

function parametersOf(spi: number, direction: SaParameters['direction']): SaParameters {
  return {
    ...{ direction, protocol: 'esp', mode: 'tunnel', local, remote, esn: false, replayWindow: 32, selectors },
    spi: spi as Spi,
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(7) },
    ...{ childId: spi, generation: 0, copyDscp: 'out', copyDf: true },
    lifetimes: { softBytes: 1_000, softPackets: 100, hardBytes: 5_000 },
  };
}

function eventsOf(plane: KernelDataPlane): string[] {
  const told: DataPlaneEvent[] = [];
  for (let event = plane.poll(); event !== undefined; event = plane.poll()) told.push(event);
  return told.map((event) => ('spi' in event ? `${event.kind} ${event.spi}` : event.kind));
}

/** As if the SA had carried so much. */
function use(kernel: KernelWithDevice, spi: number, used: Partial<XfrmState['used']>): void {
  for (const [key, sa] of kernel.sas)
    if (sa.state.spi === spi)
      kernel.sas.set(key, { ...sa, state: { ...sa.state, used: { ...sa.state.used, ...used } } });
}

test('SAs that ended meanwhile, or are near their end, are told of; others are not, nor are others’ SAs', () => {
  const kernel = new KernelWithDevice({});
  const plane = new KernelDataPlane('test', kernel.socket);
  for (const spi of [301, 302, 303, 304])
    assert.ok(plane.apply({ kind: 'install', sa: parametersOf(spi, 'inbound') }, 0).ok);
  assert.ok(plane.apply({ kind: 'install', sa: parametersOf(401, 'outbound') }, 0).ok);
  for (const [key, { state }] of kernel.sas) if (state.spi === 302) kernel.sas.delete(key);
  use(kernel, 303, { bytes: 1_000n });
  use(kernel, 304, { bytes: 999n, packets: 99n });
  use(kernel, 401, { packets: 100n });
  const [key, ours] = [...kernel.sas].find(([, { state }]) => state.spi === 301)!;
  const foreign = { ...ours, state: { ...ours.state, spi: 500, requestId: 1, sequence: 0 } };
  kernel.sas.set(`another ${key}`, foreign);
  assert.deepEqual(
    plane.lookUpLost().map(({ spi }) => spi),
    [500],
  );
  assert.deepEqual(eventsOf(plane).sort(), ['hard-expired 302', 'soft-expired 303', 'soft-expired 401']);
});

test('traffic that asked for an SA and was not heard may ask again', () => {
  const kernel = new KernelWithDevice({});
  const plane = new KernelDataPlane('test', kernel.socket);
  const policy = { policyId: 7, action: 'trap', selectors, priority: 1, mode: 'tunnel' } as const;
  assert.ok(plane.apply({ kind: 'install-policy', policy }, 0).ok);
  const [{ attributes } = assert.fail()] = [...kernel.policies.values()];
  const [template] = attributes.templates!;
  assert.ok(plane.apply({ kind: 'install', sa: parametersOf(301, 'inbound') }, 0).ok);
  const [[, ours] = assert.fail()] = kernel.sas;
  for (const sequence of [1, 2]) {
    const state = { ...ours.state, spi: 600 + sequence, requestId: template!.requestId, sequence };
    kernel.sas.set(stateKey(state), { kind: 'new-sa', state, attributes: {} });
  }
  const { selector } = [...kernel.policies.values()][0]!.policy;
  plane.take(
    { kind: 'acquire', acquire: { selector, sequence: 1 }, attributes } as unknown as XfrmMessage,
    0,
  );
  assert.deepEqual(eventsOf(plane), ['acquire']);
  plane.lookUpLost();
  assert.deepEqual(
    [...kernel.sas.values()].map(({ state }) => state.spi),
    [301, 601],
    'what was heard is waited for',
  );
  assert.deepEqual(eventsOf(plane), []);
});
