// SAs get other ends, on a kernel in memory, and traffic finds none in the meantime or asks for one that is on its way.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import {
  address,
  Encr,
  type Endpoint,
  type SaCommand,
  type SaParameters,
  type SaResult,
  type Spi,
  selectorOfPrefix,
} from '#sa';
import { KernelDataPlane } from './kernel-data-plane.ts';
import { stateKey } from './states/kernel-sa.ts';
import { StateAdder } from './states/state-adder.ts';
import { KernelWithDevice } from './testing/kernel-with-device.ts';

const local = address('192.0.2.1');
const remote = address('192.0.2.2');
const spi = 0xc000_0001 as Spi;
const outbound = { protocol: 'esp', direction: 'outbound', spi, childId: 1 } as const;

let kernel: KernelWithDevice;
let plane: KernelDataPlane;

beforeEach(() => {
  kernel = new KernelWithDevice({});
  plane = new KernelDataPlane('test', kernel.socket);
});

function said(command: SaCommand): string {
  const result: SaResult = plane.apply(command, 0);
  return result.ok ? 'ok' : `${result.code}: ${result.detail}`;
}

function install(change: Partial<SaParameters> = {}): string {
  const sa: SaParameters = {
    ...outbound,
    ...{ mode: 'tunnel', local, remote, esn: false, replayWindow: 32 },
    selectors: { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.2.0.0/24')!] },
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(7) },
    ...{ lifetimes: {}, generation: 0, copyDscp: 'out', copyDf: true },
    ...change,
  };
  return said({ kind: 'install', sa });
}

const at = (port: number): Endpoint => ({ address: remote, port });
const natted = { encapsulation: { localPort: 4500, remotePort: 4500 } } as const;

function move(to: Endpoint, encapsulated = true): string {
  const ends = { local: { address: local, port: 4500 }, remote: to };
  return said({ kind: 'update-addresses', ...outbound, ...ends, encapsulated });
}

/** In place of the only SA, what the kernel keeps of traffic that asked for it. */
function putLarval(change: { readonly requestId?: number } = {}): void {
  const [known] = kernel.sas.values();
  assert.ok(known !== undefined);
  const state = { ...known.state, sequence: 5, ...change };
  kernel.sas.set(stateKey(state), { kind: 'new-sa', state, attributes: {} });
}

test('where only ports change, the SA changes in place, and keeps its number', () => {
  assert.equal(install(natted), 'ok');
  const before = kernel.sa(spi)!;
  assert.equal(move(at(30_604)), 'ok');
  assert.equal(kernel.deletions, 0);
  const { state, attributes } = kernel.sa(spi)!;
  assert.equal(state, before.state);
  assert.equal(attributes.encapsulation?.destinationPort, 30_604);
  assert.equal(attributes.encapsulation?.sourcePort, 4500);
  // What the kernel is asked for once more is what it has, whose keys nobody else wipes.
  assert.deepEqual(attributes.aead?.key, new Uint8Array(20).fill(7));
  assert.equal(move(at(4500)), 'ok');
  assert.equal(kernel.sa(spi)?.attributes.encapsulation?.destinationPort, 4500);
});

test('an SA that the kernel has lost does not change in place', () => {
  assert.equal(install(natted), 'ok');
  kernel.sas.clear();
  assert.match(move(at(30_604)), /^missing: /);
});

test('a larval state in the place of an SA of ours gives way to it', () => {
  assert.equal(install(), 'ok');
  const { sequence } = kernel.sa(spi)!.state;
  putLarval();
  // Whoever knew of the SA that was there is gone.
  plane = new KernelDataPlane('test', kernel.socket);
  assert.equal(install(), 'ok');
  assert.equal(kernel.sa(spi)?.state.sequence, sequence);
  assert.deepEqual(kernel.sa(spi)?.attributes.aead?.key, new Uint8Array(20).fill(7));
});

test('that of another key manager does not', () => {
  assert.equal(install(), 'ok');
  putLarval({ requestId: 7 });
  plane = new KernelDataPlane('test', kernel.socket);
  assert.match(install(), /^exists: .*another key manager's/);
  assert.equal(kernel.sa(spi)?.attributes.aead, undefined);
});

test('an SA that somebody else has removed is over, whatever traffic asks for in its place', () => {
  assert.equal(install(), 'ok');
  const { state, attributes } = kernel.sa(spi)!;
  const tell = (): unknown[] => {
    plane.take({ kind: 'delete-sa', id: state, attributes: { state, ...attributes } }, 0);
    const events = [];
    for (let event = plane.poll(); event !== undefined; event = plane.poll()) events.push(event.kind);
    return events;
  };
  assert.deepEqual(tell(), []);
  putLarval();
  assert.deepEqual(tell(), ['hard-expired']);
  kernel.sas.clear();
  assert.deepEqual(tell(), ['hard-expired']);
});

test('one that appears where an SA is about to be added gives way if it is ours', () => {
  assert.equal(install(), 'ok');
  const wanted = structuredClone(kernel.sa(spi)!);
  const { requestId } = wanted.state;
  const adder = new StateAdder({
    socket: kernel.socket,
    isLarval: (state) => state.requestId === requestId,
    takeBack: () => assert.fail(),
  });
  const add = (): unknown => {
    const added = adder.add(wanted, { direction: 'outbound' }, false);
    return 'refusal' in added ? added.refusal.code : 'added';
  };
  putLarval({ requestId: 7 });
  assert.equal(add(), 'exists');
  assert.equal(kernel.sa(spi)?.attributes.aead, undefined);
  putLarval({ requestId });
  assert.equal(add(), 'added');
  assert.deepEqual(kernel.sa(spi)?.attributes.aead?.key, wanted.attributes.aead?.key);
});
