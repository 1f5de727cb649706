// Which SA goes when one is to be removed, on a kernel in memory: never one of another pair, nor another key manager's.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import {
  address,
  Encr,
  type SaCommand,
  type SaName,
  type SaParameters,
  type SaResult,
  type Spi,
  selectorOfPrefix,
} from '#sa';
import { KernelDataPlane } from './kernel-data-plane.ts';
import { stateKey } from './states/kernel-sa.ts';
import { KernelWithDevice } from './testing/kernel-with-device.ts';

const [local, remote, elsewhere] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(address);
const selectors = { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.2.0.0/24')!] };
const spi = 0xc000_0001 as Spi;
const outbound = (childId: number): SaName => ({ protocol: 'esp', direction: 'outbound', spi, childId });
const inbound = (childId: number): SaName => ({ ...outbound(childId), direction: 'inbound' });

let kernel: KernelWithDevice;
let plane: KernelDataPlane;

beforeEach(() => {
  kernel = new KernelWithDevice({ packet: true, policies: true });
  plane = new KernelDataPlane('test', kernel.socket);
});

function said(command: SaCommand): string {
  const result: SaResult = plane.apply(command, 0);
  return result.ok ? 'ok' : result.code;
}

function install(name: SaName, change: Partial<SaParameters> = {}): string {
  const sa: SaParameters = {
    ...name,
    ...{ mode: 'tunnel', local: local!, remote: remote!, esn: false, replayWindow: 32, selectors },
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(name.childId) },
    ...{ lifetimes: {}, generation: 0, copyDscp: 'out', copyDf: true },
    ...change,
  };
  return said({ kind: 'install', sa });
}

function remove(name: SaName): string {
  return said({ kind: 'remove', ...name });
}

function move(name: SaName, to: typeof remote): string {
  const ends = { local: { address: local!, port: 0 }, remote: { address: to!, port: 0 } };
  return said({ kind: 'update-addresses', ...name, ...ends, encapsulated: false });
}

test('given an SA that was refused because another pair has its SPI, its removal is missing, and the other stays', () => {
  for (const of of [outbound, inbound]) {
    assert.equal(install(of(1)), 'ok');
    assert.equal(install(of(2)), 'exists');
    assert.equal(remove(of(2)), 'missing');
  }
  assert.equal(kernel.sas.size, 2);
  for (const of of [outbound, inbound]) assert.equal(remove(of(1)), 'ok');
  assert.equal(kernel.sas.size, 0);
});

test('an SA whose move was refused is removed all the same, and not the one that was in its way', () => {
  for (const hardwareOffload of ['auto', undefined] as const) {
    const change = hardwareOffload === undefined ? {} : { hardwareOffload };
    assert.equal(install(outbound(1)), 'ok');
    assert.equal(install(outbound(2), { remote: elsewhere!, ...change }), 'ok');
    assert.equal(move(outbound(2), remote), 'exists');
    assert.equal(remove(outbound(2)), 'ok');
    assert.equal(kernel.sas.size, 1);
    assert.equal(remove(outbound(1)), 'ok');
    assert.equal(kernel.sas.size, 0);
  }
});

test('a pair has no two outbound SAs of one SPI, wherever they lead: nobody could tell which of them is meant', () => {
  assert.equal(install(outbound(1)), 'ok');
  assert.equal(install(outbound(1), { remote: elsewhere! }), 'exists');
});

test('an SPI that another key manager has in the kernel is not taken from it', () => {
  assert.equal(install(inbound(1)), 'ok');
  const [ours] = kernel.sas.values();
  const state = { ...ours!.state, requestId: 7, sequence: 0 };
  assert.equal(remove(inbound(1)), 'ok');
  kernel.sas.set(stateKey(state), { ...ours!, state });
  assert.equal(install(inbound(1)), 'exists');
  assert.equal(remove(inbound(1)), 'missing');
  assert.equal(kernel.sa(spi)?.state, state);
});

test('where an SA was that has ended, another key manager may have one, which stays', () => {
  assert.equal(install(outbound(1), { hardwareOffload: 'packet' }), 'ok');
  const [ours] = kernel.sas.values();
  // A device has counted its packets: it does not move, but ends.
  assert.equal(move(outbound(1), elsewhere), 'ok');
  const destination = Uint8Array.of(192, 0, 2, 3);
  const state = { ...ours!.state, destination, requestId: 7, sequence: 0 };
  kernel.sas.set(stateKey(state), { ...ours!, state });
  assert.equal(remove(outbound(1)), 'ok');
  assert.equal(kernel.sa(spi)?.state, state);
});
