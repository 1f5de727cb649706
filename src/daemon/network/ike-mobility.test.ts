// When IKE SAs move: only if the address that they use is gone, and only to one that leads to the peer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type IpAddress } from '#sa';
import { IkeMobility, type MobileIkeSa } from './ike-mobility.ts';

const here = address('192.0.2.1');
const there = address('192.0.2.7');
const there6 = address('2001:db8::7');
const nowhere = address('192.0.2.99');
const peer = address('198.51.100.1');
const peer6 = address('2001:db8:9::1');

function ikeSa(change: Partial<MobileIkeSa> = {}): MobileIkeSa {
  return {
    ikeId: 3,
    local: { address: here, port: 4500 },
    remote: { address: peer, port: 4500 },
    client: true,
    peerAddresses: [],
    ...change,
  };
}

function moves(options: {
  readonly sas: readonly MobileIkeSa[];
  readonly own: readonly IpAddress[];
  readonly ways?: Readonly<Record<string, IpAddress>>;
}): string[] {
  const moved: string[] = [];
  new IkeMobility({
    mobileIkeSas: () => options.sas,
    ownAddresses: () => new Set(options.own),
    sourceFor: (remote) => options.ways?.[remote.address],
    tell: () => undefined,
    move: (all) => moved.push(...all.map(({ ikeId, local, remote }) => `#${ikeId} ${local} > ${remote}`)),
  }).look();
  return moved;
}

test('each IKE SA whose address is gone goes on from where the kernel would send', () => {
  const sas = [ikeSa(), ikeSa({ ikeId: 4 })];
  assert.deepEqual(moves({ sas, own: [there], ways: { [peer]: there } }), [
    `#3 ${there} > ${peer}`,
    `#4 ${there} > ${peer}`,
  ]);
});

test('an address that is still there keeps its IKE SAs, whatever the kernel would choose', () => {
  assert.deepEqual(moves({ sas: [ikeSa()], own: [here, there], ways: { [peer]: there } }), []);
});

test('what was never an address of this machine, as far as it tells, is not gone', () => {
  const sas: MobileIkeSa[] = [];
  let own = [here];
  const moved: number[] = [];
  const mobility = new IkeMobility({
    mobileIkeSas: () => sas,
    ownAddresses: () => new Set(own),
    sourceFor: () => here,
    tell: () => undefined,
    move: (all) => moved.push(...all.map(({ ikeId }) => ikeId)),
  });
  mobility.look();
  sas.push(ikeSa({ local: { address: nowhere, port: 4500 } }));
  own = [here, there];
  mobility.look();
  assert.deepEqual(moved, []);
  own = [here, nowhere];
  mobility.look();
  own = [here];
  mobility.look();
  assert.deepEqual(moved, [3]);
});

test('what there was before the start nobody knows, and an IKE SA of that time moves', () => {
  const sas = [ikeSa({ local: { address: nowhere, port: 4500 } })];
  assert.deepEqual(moves({ sas, own: [here], ways: { [peer]: here } }), [`#3 ${here} > ${peer}`]);
});

test('who was not allowed to move is asked again when there are other addresses', () => {
  let own = [here];
  const moved: IpAddress[] = [];
  const mobility = new IkeMobility({
    mobileIkeSas: () => [ikeSa()],
    ownAddresses: () => new Set(own),
    sourceFor: () => own.at(-1),
    tell: () => undefined,
    // Refused: the IKE SA stays where it is.
    move: ([move]) => moved.push(move!.local),
  });
  mobility.look();
  for (own of [[there], [there], [there, address('192.0.2.8')]]) mobility.look();
  assert.deepEqual(moved, [there, address('192.0.2.8')]);
});

test('without a way to the peer, or only from an address inside of a tunnel, nothing moves', () => {
  assert.deepEqual(moves({ sas: [ikeSa()], own: [there] }), []);
  assert.deepEqual(moves({ sas: [ikeSa()], own: [], ways: { [peer]: there } }), []);
});

test('a client goes to another address of its gateway where there is no way to the one in use, a gateway does not', () => {
  const ways = { [peer6]: there6 };
  const peerAddresses = [address('198.51.100.2'), peer6];
  assert.deepEqual(moves({ sas: [ikeSa({ peerAddresses })], own: [there6], ways }), [
    `#3 ${there6} > ${peer6}`,
  ]);
  assert.deepEqual(moves({ sas: [ikeSa({ peerAddresses, client: false })], own: [there6], ways }), []);
});

test('changes in a group are looked at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let looked = 0;
  const mobility = new IkeMobility({
    mobileIkeSas: () => {
      looked++;
      return [];
    },
    ownAddresses: () => new Set(),
    sourceFor: () => undefined,
    tell: () => undefined,
    move: () => assert.fail(),
  });
  for (let i = 0; i < 5; i++) mobility.changed();
  t.mock.timers.tick(10);
  assert.equal(looked, 1);
  mobility.changed();
  mobility.stop();
  t.mock.timers.tick(100);
  assert.equal(looked, 1);
});

test('IKE SAs are looked at when addresses change, or when one of them waits for a way', () => {
  let looked = 0;
  let way: IpAddress | undefined;
  const sas = [ikeSa()];
  const own = new Set([here]);
  const mobility = new IkeMobility({
    mobileIkeSas: () => {
      looked++;
      return sas;
    },
    ownAddresses: () => new Set(own),
    sourceFor: () => way,
    tell: () => undefined,
    move: ([move]) => {
      sas[0] = ikeSa({ local: { address: move!.local, port: 4500 } });
    },
  });
  const looks = (): number => {
    const before = looked;
    mobility.look();
    return looked - before;
  };
  assert.deepEqual([looks(), looks(), looks()], [1, 0, 0]);
  own.delete(here);
  own.add(there);
  // There is an address, and no route yet.
  assert.deepEqual([looks(), looks()], [1, 1]);
  way = there;
  assert.deepEqual([looks(), looks()], [1, 0]);
  assert.equal(sas[0]?.local.address, there);
});

test('the addresses that there are are told at first, and whenever they are others', () => {
  const told: string[] = [];
  let own = [here, there];
  const mobility = new IkeMobility({
    mobileIkeSas: () => [],
    ownAddresses: () => new Set(own),
    sourceFor: () => undefined,
    tell: (all) => told.push([...all].join(' ')),
    move: () => assert.fail(),
  });
  mobility.look();
  own = [there, here];
  mobility.look();
  own = [there];
  mobility.look();
  mobility.look();
  assert.deepEqual(told, [`${here} ${there}`, there]);
});
