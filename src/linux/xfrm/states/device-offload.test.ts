// SAs and policies that network devices do the work of, on a kernel in memory: no machine of ours has such a device.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import {
  address,
  type DataPlaneEvent,
  Encr,
  type SaCommand,
  type SaParameters,
  type SaResult,
  type Spi,
  selectorOfPrefix,
} from '#sa';
import { KernelDataPlane } from '../kernel-data-plane.ts';
import { deviceIndex, KernelWithDevice } from '../testing/kernel-with-device.ts';
import { stateKey } from './kernel-sa.ts';

const selectors = { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.2.0.0/24')!] };
const [local, remote] = [address('192.0.2.1'), address('192.0.2.2')];
const [inboundSpi, outboundSpi] = [0xc000_0001 as Spi, 0xc000_0002 as Spi];
const [inboundFlag, packetFlag] = [2, 4];

let kernel: KernelWithDevice;
let plane: KernelDataPlane;

/** A data plane on a kernel whose device can do this. */
function having(abilities: KernelWithDevice['abilities']): void {
  kernel = new KernelWithDevice(abilities);
  plane = new KernelDataPlane('test', kernel.socket);
}

beforeEach(() => having({}));

function install(change: Partial<SaParameters> = {}): SaResult {
  const inbound = change.direction !== 'outbound';
  const sa: SaParameters = {
    direction: 'inbound',
    ...{ protocol: 'esp', mode: 'tunnel', local, remote, esn: false, replayWindow: 32, selectors },
    spi: inbound ? inboundSpi : outboundSpi,
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(7) },
    ...{ lifetimes: {}, childId: 1, generation: 0, copyDscp: 'out', copyDf: true },
    ...change,
  };
  return plane.apply({ kind: 'install', sa }, 0);
}

const policy: SaCommand = {
  kind: 'install-policy',
  policy: {
    ...{ policyId: 1, action: 'protect', selectors, priority: 1000, mode: 'tunnel', childId: 1 },
  },
};

/** Both SAs of a pair and its policy; what was refused of them. */
function establish(hardwareOffload: NonNullable<SaParameters['hardwareOffload']>, generation = 0): string[] {
  const spis = { inbound: inboundSpi + 2 * generation, outbound: outboundSpi + 2 * generation };
  const use: SaCommand = { kind: 'use-outbound', protocol: 'esp', spi: spis.outbound as Spi, childId: 1 };
  return [
    install({ hardwareOffload, generation, spi: spis.inbound as Spi }),
    install({ hardwareOffload, generation, spi: spis.outbound as Spi, direction: 'outbound' }),
    ...(generation === 0 ? [plane.apply(policy, 0)] : []),
    plane.apply(use, 0),
  ].flatMap((result) => (result.ok ? [] : [`${result.code}: ${result.detail}`]));
}

function events(): DataPlaneEvent[] {
  const all: DataPlaneEvent[] = [];
  for (let event = plane.poll(); event !== undefined; event = plane.poll()) all.push(event);
  return all;
}

const offloadOf = (spi: number) => kernel.sa(spi)?.attributes.offload;

test('an SA for which no device is wanted asks for none', () => {
  having({ crypto: true, packet: true, policies: true });
  assert.deepEqual(install(), { ok: true });
  assert.deepEqual(kernel.asked, [undefined]);
});

test('a device that does all of an SA has its policies as well, but for what is forwarded', () => {
  for (const wanted of ['packet', 'auto'] as const) {
    having({ packet: true, policies: true });
    assert.deepEqual(establish(wanted), []);
    assert.deepEqual(kernel.asked, [inboundFlag | packetFlag, packetFlag]);
    assert.equal(kernel.policyDevice('OUT'), deviceIndex);
    assert.equal(kernel.policyDevice('IN'), deviceIndex);
    assert.equal(kernel.policyDevice('FORWARD'), undefined);
    assert.equal(kernel.policies.size, 3);
  }
});

test('a device that does the cryptography leaves the policies to the kernel', () => {
  for (const wanted of ['crypto', 'auto'] as const) {
    having({ crypto: true });
    assert.deepEqual(establish(wanted), []);
    assert.deepEqual(offloadOf(inboundSpi), { interfaceIndex: deviceIndex, flags: inboundFlag });
    assert.deepEqual(offloadOf(outboundSpi), { interfaceIndex: deviceIndex, flags: 0 });
    assert.equal(kernel.policyDevice('OUT'), undefined);
  }
});

test('without a device `auto` is an SA as any other, and the rest is refused by name', () => {
  assert.deepEqual(establish('auto'), []);
  const flags = [inboundFlag | packetFlag, inboundFlag, packetFlag, 0];
  assert.deepEqual(kernel.asked, flags);
  assert.equal(offloadOf(outboundSpi), undefined);

  having({});
  assert.deepEqual(install({ hardwareOffload: 'packet' }), {
    ok: false,
    code: 'unsupported',
    detail: 'hw_offload = packet: xfrm new-sa: EINVAL (Device failed to offload this state)',
  });
  // The kernel accepts it, and does the work itself.
  assert.deepEqual(install({ hardwareOffload: 'crypto' }), {
    ok: false,
    code: 'unsupported',
    detail: 'hw_offload = crypto: the device on the way to the peer does not do that',
  });
  assert.equal(kernel.sas.size, 0);
});

test('`auto` goes on without a device where the kernel wants none for such SAs', () => {
  having({ crypto: true });
  const encapsulation = { localPort: 4500, remotePort: 4500 };
  assert.deepEqual(install({ hardwareOffload: 'auto', encapsulation }), { ok: true });
  assert.deepEqual(kernel.asked, [inboundFlag | packetFlag, inboundFlag, undefined]);
  assert.deepEqual(install({ hardwareOffload: 'crypto', encapsulation, spi: outboundSpi }), {
    ok: false,
    code: 'unsupported',
    detail: "hw_offload = crypto: xfrm new-sa: EINVAL (Encapsulation can't be offloaded)",
  });
});

test('a device that does not take the policies may not have the SAs to itself', () => {
  having({ crypto: true, packet: true });
  assert.match(establish('packet').join(), /^unsupported: hw_offload = packet: .*Policy offload is not supp/);

  having({ crypto: true, packet: true });
  assert.deepEqual(establish('auto'), []);
  assert.equal(kernel.sas.size, 0, 'how far they are nobody knows');
  assert.equal(kernel.policies.size, 3, 'what they would carry waits for the next');
  assert.equal(kernel.policyDevice('IN'), undefined);
  assert.deepEqual(
    events().map(({ kind }) => kind),
    ['soft-expired', 'soft-expired'],
  );
  assert.deepEqual(establish('auto', 1), []);
  assert.deepEqual(offloadOf(outboundSpi + 2), { interfaceIndex: deviceIndex, flags: 0 });
  assert.deepEqual(events(), []);
});

test('a device that takes no more policies leaves no gap for packets without protection', () => {
  having({ crypto: true, packet: true, policies: true });
  assert.deepEqual(establish('auto'), []);
  kernel.abilities = { crypto: true, packet: true };
  assert.deepEqual(establish('auto', 1), []);
  assert.equal(kernel.gaps, 0);
  assert.equal(kernel.policyDevice('OUT'), undefined);
  assert.equal(kernel.policies.size, 3);
});

test('a device that must have the policies and takes no more of them keeps what it has', () => {
  having({ packet: true, policies: true });
  assert.deepEqual(establish('packet'), []);
  const before = [...kernel.policies.values()];
  kernel.abilities = { packet: true };
  assert.match(establish('packet', 1).join(), /^unsupported: hw_offload = packet: /);
  assert.deepEqual([...kernel.policies.values()], before, 'the older pair still carries its traffic');
  assert.equal(kernel.gaps, 0);
});

test('an SA that a device has counted the packets of does not move: it is replaced', () => {
  having({ packet: true, policies: true });
  assert.deepEqual(establish('packet'), []);
  const moved = { address: address('192.0.2.9'), port: 0 };
  for (const [direction, spi] of [
    ['inbound', inboundSpi],
    ['outbound', outboundSpi],
  ] as const) {
    const ends = { local: { address: local, port: 0 }, remote: moved, encapsulated: false };
    const command: SaCommand = {
      ...{ kind: 'update-addresses', protocol: 'esp', direction, spi, childId: 1 },
      ...ends,
    };
    assert.deepEqual(plane.apply(command, 0), { ok: true });
    assert.deepEqual(plane.apply(command, 0), { ok: true });
  }
  assert.equal(kernel.sas.size, 0);
  assert.deepEqual(
    events().map((event) => [event.kind, 'spi' in event && event.spi]),
    [
      ['soft-expired', inboundSpi],
      ['soft-expired', outboundSpi],
    ],
  );
  // The kernel's own word about it tells nothing new.
  const id = { family: 2, destination: Uint8Array.of(192, 0, 2, 9), spi: outboundSpi, protocol: 50 };
  plane.take({ kind: 'delete-sa', id, attributes: {} }, 0);
  assert.deepEqual(events(), []);
  const removal: SaCommand = {
    ...{ kind: 'remove', protocol: 'esp', direction: 'outbound', spi: outboundSpi, childId: 1 },
  };
  assert.deepEqual(plane.apply(removal, 0), { ok: true });
});

test('the engine hears what a device does of an SA', () => {
  having({ crypto: true });
  const hardwareOffload = 'auto';
  assert.deepEqual(install({ hardwareOffload }), { ok: true, offloaded: 'crypto' });
  having({ packet: true, policies: true });
  assert.deepEqual(install({ hardwareOffload }), { ok: true, offloaded: 'packet' });
});

test('what a process before us left with a device goes on with it, whatever is wanted of new SAs', () => {
  having({ packet: true, policies: true });
  assert.deepEqual(establish('packet'), []);
  const reservation = { last: { high: 0, low: 9 }, limit: { high: 0, low: 99 } };
  const left = [...kernel.sas.values()].map((sa) => structuredClone(sa));
  const key = new Uint8Array(20).fill(7);
  for (const { state, attributes } of left)
    kernel.sas.set(stateKey(state), {
      kind: 'new-sa',
      state,
      attributes: { ...attributes, aead: { ...attributes.aead!, key: key.slice() } },
    });
  plane = new KernelDataPlane('test', kernel.socket);
  kernel.policies.clear();
  assert.deepEqual(install({ reservation }), { ok: true, offloaded: 'packet' });
  assert.deepEqual(install({ reservation, direction: 'outbound' }), { ok: true, offloaded: 'packet' });
  assert.deepEqual(plane.apply(policy, 0), { ok: true });
  assert.equal(kernel.policyDevice('OUT'), deviceIndex);
  assert.equal(kernel.policyDevice('IN'), deviceIndex);
});

/** From the moment on when an SA was added the kernel is too busy to tell of it, and at first to remove it. */
function tellsNothingAfterwards(...besides: ('delete-sa' | 'get-sa')[]): void {
  const request = kernel.request.bind(kernel);
  kernel.request = (message) => {
    const answer = request(message);
    if (message.kind === 'new-sa')
      for (const kind of ['get-sa', ...besides] as const) kernel.refusing.add(kind);
    return answer;
  };
}

test('an SA that the kernel took and then tells nothing of does not stay there: nobody would ever remove it', () => {
  for (const hardwareOffload of ['packet', 'crypto', 'auto'] as const) {
    having({ crypto: true, packet: true, policies: true });
    tellsNothingAfterwards();
    const result = install({ hardwareOffload });
    assert.deepEqual(result.ok ? 'ok' : result.code, 'failed', hardwareOffload);
    assert.equal(kernel.asked.length, 1, 'with numbers that it may have used no other is made');
    assert.equal(kernel.sas.size, 0, hardwareOffload);
    assert.equal(plane.size, 0);
    kernel.refusing.clear();
    having({ crypto: true, packet: true, policies: true });
    assert.ok(install({ hardwareOffload }).ok);
  }
});

test('nor if the kernel is too busy to remove it at once', () => {
  for (const hardwareOffload of ['packet', 'crypto'] as const) {
    // The kernel takes either, and its device does neither.
    having({ packet: hardwareOffload === 'packet' });
    if (hardwareOffload === 'packet') tellsNothingAfterwards('delete-sa');
    else kernel.refusing.add('delete-sa');
    assert.equal(install({ hardwareOffload }).ok, false);
    assert.equal(kernel.sas.size, 1);
    assert.ok(plane.deadline()! <= 500, 'at once');
    plane.handleTimeout(500);
    assert.equal(kernel.sas.size, 1);
    assert.equal(plane.deadline(), 1_500);
    kernel.refusing.clear();
    plane.handleTimeout(1_500);
    assert.equal(kernel.sas.size, 0);
    assert.equal(plane.deadline(), undefined);
  }
});

test('what is still to be removed is not the SA that has come in its place, and goes with the daemon', () => {
  having({ packet: true, policies: true });
  const { request } = kernel;
  tellsNothingAfterwards('delete-sa');
  assert.equal(install({ hardwareOffload: 'packet' }).ok, false);
  kernel.request = request;
  kernel.refusing.clear();
  const encryption = { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(8) };
  assert.deepEqual(install({ childId: 2, encryption }), { ok: true });
  plane.handleTimeout(0);
  assert.deepEqual(
    [...kernel.sas.values()].map(({ state }) => state.spi),
    [inboundSpi],
  );
  tellsNothingAfterwards('delete-sa');
  assert.equal(install({ hardwareOffload: 'packet', spi: 0xc000_0009 as Spi }).ok, false);
  kernel.refusing.delete('delete-sa');
  plane.close();
  assert.equal(kernel.sas.size, 0);
});

test('an SA of a process before us goes on, although the kernel does not tell how far it is', () => {
  having({ packet: true, policies: true });
  assert.deepEqual(install(), { ok: true });
  const [key, left] = [...kernel.sas][0]!;
  const keys = new Uint8Array(20).fill(7);
  kernel.sas.set(key, {
    ...left,
    attributes: { ...left.attributes, aead: { ...left.attributes.aead!, key: keys } },
  });
  plane = new KernelDataPlane('test', kernel.socket);
  kernel.refusing.add('get-event');
  const reservation = { last: { high: 0, low: 9 }, limit: { high: 0, low: 99 } };
  assert.deepEqual(install({ reservation }), { ok: true });
  assert.equal(plane.size, 1);
});
