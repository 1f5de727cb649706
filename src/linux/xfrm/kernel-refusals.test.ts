// The kernel has no memory for a request, on a kernel in memory: nothing dies of it, and what has to go goes later.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import {
  address,
  type DataPlaneEvent,
  Encr,
  type PolicyParameters,
  type SaCommand,
  type SaParameters,
  type Spi,
  selectorOfPrefix,
} from '#sa';
import type { XfrmMessage } from '#wire';
import { KernelDataPlane } from './kernel-data-plane.ts';
import { KernelWithDevice } from './testing/kernel-with-device.ts';

const [local, remote] = [address('192.0.2.1'), address('192.0.2.2')];
const selectors = { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.2.0.0/24')!] };
const spi = 0xc000_0001 as Spi;

let kernel: KernelWithDevice;
let plane: KernelDataPlane;

beforeEach(() => {
  kernel = new KernelWithDevice({});
  plane = new KernelDataPlane('test', kernel.socket);
});

function install(direction: SaParameters['direction'], change: Partial<SaParameters> = {}): string {
  const sa: SaParameters = {
    ...{ direction, protocol: 'esp', mode: 'tunnel', local, remote, esn: false, replayWindow: 32 },
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(7) },
    ...{ selectors, spi, lifetimes: {}, childId: 1, generation: 0, copyDscp: 'out', copyDf: true },
    ...change,
  };
  return said({ kind: 'install', sa });
}

function said(command: SaCommand, at = 0): string {
  const result = plane.apply(command, at);
  return result.ok ? 'ok' : result.code;
}

function remove(direction: SaParameters['direction'], lingerMs?: number): string {
  const linger = lingerMs === undefined ? {} : { lingerMs };
  return said({ kind: 'remove', protocol: 'esp', direction, spi, childId: 1, ...linger });
}

function events(): string[] {
  const all: DataPlaneEvent[] = [];
  for (let event = plane.poll(); event !== undefined; event = plane.poll()) all.push(event);
  return all.map(({ kind }) => kind);
}

test('an SA that the kernel could not remove is removed a second later, whatever it was', () => {
  for (const direction of ['inbound', 'outbound'] as const) {
    assert.equal(install(direction), 'ok');
    kernel.refusing.add('delete-sa');
    // As far as anybody else is concerned it is gone.
    assert.equal(remove(direction), 'ok');
    assert.equal(kernel.sas.size, 1);
    assert.equal(plane.deadline(), 1_000);
    plane.handleTimeout(1_000);
    assert.equal(plane.deadline(), 2_000);
    kernel.refusing.clear();
    plane.handleTimeout(2_000);
    assert.equal(kernel.sas.size, 0);
    assert.equal(plane.deadline(), undefined);
  }
});

test('nor does the thread die if it is one that was to linger', () => {
  assert.equal(install('inbound'), 'ok');
  assert.equal(remove('inbound', 500), 'ok');
  kernel.refusing.add('delete-sa');
  plane.handleTimeout(500);
  assert.equal(kernel.sas.size, 1);
  kernel.refusing.clear();
  plane.handleTimeout(1_500);
  assert.equal(kernel.sas.size, 0);
});

test('what traffic asked for is taken back later', () => {
  const policy: PolicyParameters = {
    ...{ policyId: 7, action: 'trap', selectors, priority: 1, mode: 'tunnel' },
  };
  assert.equal(said({ kind: 'install-policy', policy }), 'ok');
  const [known] = kernel.policies.values();
  const { selector } = known!.policy;
  const acquire = { kind: 'acquire', acquire: { selector, sequence: 1 }, attributes: known!.attributes };
  assert.equal(plane.take(acquire as unknown as XfrmMessage, 0), true);
  assert.deepEqual(events(), ['acquire']);
  kernel.refusing.add('allocate-spi');
  plane.handleTimeout(1_000);
  assert.equal(plane.deadline(), 2_000);
  kernel.refusing.clear();
  plane.handleTimeout(2_000);
  assert.equal(plane.deadline(), undefined);
});

test('where it cannot be asked whether an SA is gone, that is to be looked up', () => {
  assert.equal(install('inbound'), 'ok');
  const { state, attributes } = kernel.sa(spi)!;
  kernel.refusing.add('get-sa');
  const gone: XfrmMessage = { kind: 'delete-sa', id: state, attributes: { state, ...attributes } };
  assert.equal(plane.take(gone, 0), false);
  assert.deepEqual(events(), []);
  kernel.sas.clear();
  plane.lookUpLost();
  assert.deepEqual(events(), ['hard-expired']);
});

test('an end leaves only what the kernel does not remove', () => {
  assert.equal(install('inbound'), 'ok');
  assert.equal(install('outbound'), 'ok');
  const policy: PolicyParameters = {
    ...{ policyId: 1, action: 'protect', selectors, priority: 1, mode: 'tunnel', childId: 1 },
  };
  assert.equal(said({ kind: 'install-policy', policy }), 'ok');
  assert.ok(kernel.policies.size > 0);
  kernel.refusing.add('delete-policy').add('dump-sas');
  plane.close();
  assert.equal(kernel.sas.size, 0);
});

const discard: PolicyParameters = {
  ...{ policyId: 1, action: 'discard', selectors, priority: 1, mode: 'tunnel' },
};

function warning(): string[] {
  const warnings: string[] = [];
  plane = new KernelDataPlane('test', kernel.socket, (text) => warnings.push(text));
  return warnings;
}

test('a policy that the kernel does not remove is removed as soon as it can be, and said once', () => {
  const warnings = warning();
  assert.equal(said({ kind: 'install-policy', policy: discard }), 'ok');
  const places = kernel.policies.size;
  kernel.refusing.add('delete-policy');
  assert.equal(said({ kind: 'remove-policy', policyId: 1 }), 'ok');
  assert.equal(kernel.policies.size, places);
  assert.equal(warnings.length, places);
  assert.match(warnings[0]!, /a policy of ours stays .* in from 10\.2\.0\.0\/24 .*ENOBUFS/);
  for (const at of [0, 1_000, 2_000]) {
    assert.ok(plane.deadline()! <= at);
    plane.handleTimeout(at);
  }
  assert.equal(warnings.length, places);
  kernel.refusing.clear();
  plane.handleTimeout(2_999);
  assert.equal(kernel.policies.size, places, 'it is asked once a second');
  assert.equal(plane.deadline(), 3_000);
  plane.handleTimeout(3_000);
  assert.equal(kernel.policies.size, 0);
  assert.equal(plane.deadline(), undefined);
  assert.equal(plane.policiesRestored, 0);
});

test('what stays is ours still: a policy that comes takes its place, and if somebody else removes it it does not come back', () => {
  const warnings = warning();
  assert.equal(said({ kind: 'install-policy', policy: discard }), 'ok');
  const { size } = kernel.policies;
  const removeLate = (): void => {
    kernel.refusing.add('delete-policy');
    assert.equal(said({ kind: 'remove-policy', policyId: 1 }), 'ok');
    kernel.refusing.clear();
  };
  removeLate();
  assert.equal(said({ kind: 'install-policy', policy: discard }), 'ok');
  assert.equal(plane.deadline(), undefined);
  assert.equal(kernel.gaps, 0);
  removeLate();
  kernel.policies.clear();
  plane.takeRemoval({ kind: 'flush-policies', attributes: {} }, 0);
  assert.equal(kernel.policies.size, 0);
  assert.equal(plane.policiesRestored, 0);
  assert.equal(plane.deadline(), undefined);
  assert.equal(warnings.length, 2 * size);
});

test('a policy that has to give way to another one does so as soon as the kernel lets it', () => {
  const warnings = warning();
  const trap = { ...discard, policyId: 7, action: 'trap', priority: 9 } as const;
  assert.equal(said({ kind: 'install-policy', policy: trap }), 'ok');
  assert.equal(said({ kind: 'install-policy', policy: discard }), 'ok');
  const actions = (): number[] => [...kernel.policies.values()].map(({ policy: { action } }) => action);
  const [blocks] = actions();
  kernel.refusing.add('update-policy');
  assert.equal(said({ kind: 'remove-policy', policyId: 1 }), 'ok');
  assert.ok(actions().every((action) => action === blocks));
  assert.equal(warnings.length, actions().length);
  plane.handleTimeout(0);
  kernel.refusing.clear();
  plane.handleTimeout(1_000);
  assert.ok(actions().every((action) => action !== blocks));
  assert.equal(plane.deadline(), undefined);
});

test('a policy that is refused leaves what was there, and what of it cannot be taken back goes later', () => {
  warning();
  // One place is written before the next one is refused.
  const request = kernel.request.bind(kernel);
  let places = 0;
  kernel.request = (message) => {
    if (message.kind === 'new-policy' && ++places === 2)
      kernel.refusing.add('new-policy').add('delete-policy');
    return request(message);
  };
  assert.equal(said({ kind: 'install-policy', policy: discard }), 'failed');
  assert.equal(kernel.policies.size, 1);
  kernel.refusing.clear();
  plane.handleTimeout(0);
  assert.equal(kernel.policies.size, 0);
  assert.equal(plane.deadline(), undefined);
});

test('counters that it tells before it is too busy are told, and the others the next time', () => {
  for (const one of [1, 2]) assert.equal(install('inbound', { spi: (spi + one) as Spi, childId: one }), 'ok');
  assert.deepEqual(plane.reports.take(0, false), []);
  kernel.refusing.add('get-event');
  assert.deepEqual(plane.reports.take(0, true), []);
  assert.equal(plane.reports.incomplete, true);
  kernel.refusing.clear();
  plane.reports.take(0, true);
  assert.equal(plane.reports.incomplete, false);
});

test('policies that somebody else has removed come back a second later, if the kernel does not tell of them at once', () => {
  const policy: PolicyParameters = {
    ...{ policyId: 1, action: 'discard', selectors, priority: 1, mode: 'tunnel' },
  };
  assert.equal(said({ kind: 'install-policy', policy }), 'ok');
  const before = kernel.policies.size;
  kernel.policies.clear();
  kernel.refusing.add('dump-policies');
  plane.takeRemoval({ kind: 'flush-policies', attributes: {} }, 0);
  assert.equal(kernel.policies.size, 0);
  assert.equal(plane.deadline(), 1_000);
  kernel.refusing.clear();
  plane.handleTimeout(1_000);
  assert.equal(kernel.policies.size, before);
  assert.equal(plane.policiesRestored, before);
  assert.equal(plane.deadline(), undefined);
});
