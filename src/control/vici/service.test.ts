// The vici service against what charon was recorded to answer: same names, same refusals, same events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent, IkeEvent, IkeSaStatus } from '#engine';
import type { Spi } from '#sa';
import {
  ExchangeType,
  encodeViciPacket,
  octetsOfViciItem,
  type ViciMessage,
  viciPacketLengthMax,
} from '#wire';
import { ikeMessageSeen } from '../observe/ike-message-seen.ts';
import * as charon from '../testing/charon-answers.ts';
import { connectionMessage, TestDaemon, tunnel, tunnelChild } from '../testing/vici-host.ts';
import { viciEvents } from './service.ts';

/** Names and kinds of everything in a message: what a client relies on. */
function structure(message: ViciMessage): object {
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [
      name,
      typeof value === 'string' || value instanceof Uint8Array
        ? 'value'
        : Array.isArray(value)
          ? 'list'
          : structure(value as ViciMessage),
    ]),
  );
}

async function loaded(): Promise<TestDaemon> {
  const daemon = new TestDaemon();
  assert.deepEqual((await daemon.run('load-conn', { net: connectionMessage })).response, { success: 'yes' });
  return daemon;
}

function ikeEvent(daemon: TestDaemon, sa: IkeSaStatus, event: IkeEvent): void {
  const { ikeId, local, remote, initiator } = sa;
  const connection = daemon.loaded.connections[0]!;
  const context = {
    ikeId,
    initiatorSpi: sa.initiatorSpi,
    responderSpi: sa.responderSpi,
    connection,
    local,
    remote,
    initiator,
    virtualAddresses: [],
    nameServers: [],
    peerVirtualAddresses: [],
    natDetected: false,
  };
  const told: EngineEvent = { kind: 'ike', context, event };
  daemon.service.event(told);
}

test('every command of charon is there', () => {
  assert.deepEqual([...new TestDaemon().service.commands.keys()].sort(), [...charon.commands].sort());
  assert.equal(charon.commands.length, 36);
  assert.equal(viciEvents.length, 12);
});

test('SAs, connections and statistics have the names that charon gives them', async () => {
  const daemon = await loaded();
  daemon.ikeSas = [tunnel()];
  const { response, events } = await daemon.run('list-sas');
  assert.deepEqual(response, {});
  assert.deepEqual(
    events.map(([name]) => name),
    ['list-sa'],
  );
  assert.deepEqual(structure(events[0]![1]), structure(charon.listSa));
  const [[, connection]] = (await daemon.run('list-conns')).events as [[string, ViciMessage]];
  assert.deepEqual(connection, charon.listConn);
  assert.deepEqual(structure((await daemon.run('stats')).response), structure(charon.stats));
});

test('SAs are filtered by name and by number', async () => {
  const daemon = await loaded();
  daemon.ikeSas = [tunnel(1), { ...tunnel(2), connection: 'other' }, { ...tunnel(3), phase: 'ended' }];
  const named = async (request: ViciMessage): Promise<string[]> =>
    (await daemon.run('list-sas', request)).events.flatMap(([, message]) => Object.keys(message));
  assert.deepEqual(await named({}), ['net', 'other']);
  assert.deepEqual(await named({ ike: 'other' }), ['other']);
  assert.deepEqual(await named({ 'ike-id': '1' }), ['net']);
});

test('Child SAs are filtered by name and by number, and an IKE SA without one is shown as charon shows it', async () => {
  const daemon = await loaded();
  const [child] = tunnel().children;
  const other = { ...child!, name: 'other', childId: 99, inboundSpi: 0x9999 as Spi };
  daemon.ikeSas = [{ ...tunnel(), children: [child!, other] }];
  const shown = async (request: ViciMessage): Promise<string[]> =>
    (await daemon.run('list-sas', request)).events.flatMap(([, message]) =>
      Object.keys((message as Record<string, { 'child-sas': object }>)['net']!['child-sas']),
    );
  assert.deepEqual(await shown({}), ['net-1', 'other-2']);
  assert.deepEqual(await shown({ child: 'other' }), ['other-2']);
  assert.deepEqual(await shown({ 'child-id': '1' }), ['net-1']);
  assert.deepEqual(await shown({ child: 'net', 'child-id': '2' }), []);
  assert.equal((await daemon.run('list-sas', { child: 'nothing' })).events.length, 1);
});

test('what an IKE SA that ends is doing is no liveness check', async () => {
  const daemon = await loaded();
  const task = async (phase: 'established' | 'deleting'): Promise<unknown> => {
    daemon.ikeSas = [{ ...tunnel(), phase, activeExchangeTypes: [ExchangeType.INFORMATIONAL] }];
    const [[, message]] = (await daemon.run('list-sas')).events as [[string, ViciMessage]];
    return (message['net'] as ViciMessage)['tasks-active'];
  };
  assert.deepEqual(await task('established'), ['IKE_DPD']);
  assert.deepEqual(await task('deleting'), ['IKE_DELETE']);
});

test('an IKE SA with more Child SAs than fit into a packet is told in parts', async () => {
  const daemon = await loaded();
  const [child] = tunnel().children;
  const children = Array.from({ length: 3000 }, (_, i) => ({
    ...child!,
    ...{ name: `child-${i}`, childId: i + 1, inboundSpi: (0x1000 + i) as Spi },
  }));
  daemon.ikeSas = [{ ...tunnel(), children }];
  const { response, events } = await daemon.run('list-sas');
  assert.deepEqual(response, {});
  assert.ok(events.length > 1);
  const told: string[] = [];
  for (const [name, message] of events) {
    assert.ok(encodeViciPacket({ kind: 'event', name, message }).length <= viciPacketLengthMax);
    const { net } = message as Record<string, Record<string, ViciMessage>>;
    assert.equal(net!['uniqueid'], '1');
    told.push(...Object.values(net!['child-sas']!).map((one) => String((one as ViciMessage)['name'])));
  }
  assert.deepEqual(
    told,
    children.map(({ name }) => name),
  );
});

test('refusals are those of charon, word for word', async () => {
  const daemon = new TestDaemon();
  daemon.answer = ({ kind }) =>
    kind === 'load' ? { ok: true, count: 0 } : { ok: false, code: 'not-found', detail: 'nothing' };
  for (const [command, request, errmsg] of charon.refusals)
    assert.deepEqual((await daemon.run(command, request)).response, { success: 'no', errmsg }, command);
  for (const [command, request] of charon.granted)
    assert.deepEqual((await daemon.run(command, request)).response, { success: 'yes' }, command);
});

test('what wayward cannot do is said clearly', async () => {
  const daemon = await loaded();
  const refused = async (name: string, request: ViciMessage): Promise<unknown> => {
    const { response } = await daemon.run(name, request);
    assert.equal(response['success'], 'no');
    return response['errmsg'];
  };
  assert.equal(await refused('redirect', { gateway: 'x' }), 'redirect is not supported (RFC 5685)');
  assert.match(String(await refused('load-token', { handle: '1' })), /not supported/);
  assert.match(
    String(await refused('load-shared', { type: 'ntlm', data: 'x' })),
    /NTLM secrets are not supported/,
  );
  assert.match(String(await refused('load-conn', { x: { ...connectionMessage, bogus: '1' } })), /"bogus"/);
  assert.match(String(await refused('load-conn', { x: 'text' })), /x is no section/);
  assert.match(
    String(await refused('load-key', { type: 'rsa', data: 'x' })),
    /parsing rsa private key failed/,
  );
  assert.match(String(await refused('terminate', { ike: 'net', force: 'yes' })), /force is not supported/);
  assert.match(String(await refused('initiate', { child: 'net', timeout: 'soon' })), /invalid timeout/);
});

test('a connection starts when it is new or changed, and only it', async () => {
  const daemon = await loaded();
  const starts = (): unknown[] => daemon.asked.map((command) => command.kind === 'load' && command.start);
  await daemon.run('load-conn', { net: connectionMessage });
  await daemon.run('load-conn', { net: { ...connectionMessage, dpd_delay: '10s' }, two: connectionMessage });
  await daemon.run('unload-conn', { name: 'two' });
  assert.deepEqual(starts(), [['net'], [], ['net'], ['two'], []]);
  assert.deepEqual((await daemon.run('get-conns')).response, { conns: ['net'] });
  assert.equal(daemon.loaded.connections[0]?.dpdDelayMs, 10_000);
});

test('passwords of users come and go as secrets do, apart from these', async () => {
  const daemon = new TestDaemon();
  const secret = { id: 'a', type: 'EAP', data: 'tulips', owners: ['carol'] };
  const secrets = (): readonly number[] => {
    const { sharedSecrets, eapSecrets = [] } = daemon.loaded.credentials;
    return [sharedSecrets.length, eapSecrets.length];
  };
  await daemon.run('load-shared', secret);
  await daemon.run('load-shared', { ...secret, data: 'roses' });
  await daemon.run('load-shared', { ...secret, id: 'b', type: 'ike' });
  assert.deepEqual(secrets(), [1, 1]);
  assert.deepEqual(daemon.loaded.credentials.eapSecrets?.[0]?.secret, octetsOfViciItem('roses'));
  // The same name for another kind.
  await daemon.run('load-shared', { ...secret, id: 'b', owners: ['dave'] });
  assert.deepEqual(secrets(), [0, 2]);
  assert.deepEqual((await daemon.run('get-shared')).response, { keys: ['a', 'b'] });
  await daemon.run('unload-shared', { id: 'a' });
  assert.deepEqual(secrets(), [0, 1]);
  await daemon.run('clear-creds');
  assert.deepEqual(secrets(), [0, 0]);
});

test('secrets, keys, certificates and authorities come and go', async () => {
  const daemon = new TestDaemon();
  const secret = { id: 'a', type: 'IKE', data: Uint8Array.of(0, 1), owners: ['left', '%any'] };
  await daemon.run('load-shared', secret);
  await daemon.run('load-shared', { ...secret, data: 'other' });
  await daemon.run('load-shared', { ...secret, id: 'b' });
  assert.deepEqual((await daemon.run('get-shared')).response, { keys: ['a', 'b'] });
  assert.deepEqual(
    daemon.loaded.credentials.sharedSecrets.map((one) => one.secret),
    [octetsOfViciItem('other'), Uint8Array.of(0, 1)],
  );
  await daemon.run('unload-shared', { id: 'a' });
  assert.equal(daemon.loaded.credentials.sharedSecrets.length, 1);

  const id = '6f776e';
  assert.deepEqual((await daemon.run('load-key', { type: 'any', data: 'key own' })).response, {
    success: 'yes',
    id,
  });
  await daemon.run('load-key', { type: 'any', data: 'key own' });
  await daemon.run('load-cert', { type: 'X509', flag: 'NONE', data: 'certificate own' });
  await daemon.run('load-cert', { type: 'x509', flag: 'ca', data: 'certificate root' });
  await daemon.run('load-authority', { ours: { cacert: 'certificate issuer' } });
  const certificates = (await daemon.run('list-certs')).events.map(([, message]) => message);
  assert.deepEqual(
    certificates.map(({ flag, has_privkey, data }) => [
      flag,
      has_privkey,
      String.fromCharCode(...(data as Uint8Array)),
    ]),
    [
      ['CA', undefined, 'DER certificate root'],
      ['CA', undefined, 'DER certificate issuer'],
      ['NONE', 'yes', 'DER certificate own'],
    ],
  );
  assert.deepEqual((await daemon.run('list-authorities')).events, [
    ['list-authority', { ours: { cacert: 'CN=issuer', crl_uris: [], ocsp_uris: [] } }],
  ]);
  assert.deepEqual((await daemon.run('get-keys')).response, { keys: [id] });
  await daemon.run('unload-authority', { name: 'ours' });
  assert.deepEqual((await daemon.run('unload-key', { id })).response, { success: 'yes' });
  assert.equal(daemon.loaded.credentials.authorities.length, 1);
  assert.equal(daemon.loaded.credentials.privateKeys.length, 0);
  await daemon.run('clear-creds');
  assert.deepEqual((await daemon.run('list-certs')).events, []);
  assert.deepEqual((await daemon.run('get-shared')).response, { keys: [] });
});

test('a pool is unloaded unless somebody holds an address of it', async () => {
  const daemon = new TestDaemon();
  await daemon.run('load-pool', { p: { addrs: '10.77.0.0/24', dns: ['10.0.0.1'] } });
  assert.equal(daemon.loaded.pools[0]?.dns[0], '10.0.0.1');
  const lease = { address: '10.77.0.1' as never, owner: '2:them', online: true };
  const pool = { name: 'p', base: '10.77.0.0' as never, size: 254, online: 1, offline: 0, leases: [lease] };
  daemon.pools = [pool];
  assert.equal((await daemon.run('unload-pool', { name: 'p' })).response['success'], 'no');
  assert.deepEqual((await daemon.run('get-pools', { leases: 'yes' })).response, {
    p: {
      base: '10.77.0.0',
      size: '254',
      online: '1',
      offline: '0',
      leases: { '0': { address: '10.77.0.1', identity: 'them', status: 'online' } },
    },
  });
  daemon.pools = [{ ...pool, leases: [{ ...lease, owner: 'user 2:carol' }] }];
  assert.match(
    JSON.stringify((await daemon.run('get-pools', { leases: 'yes' })).response),
    /"identity":"carol"/,
  );
  daemon.pools = [{ ...pool, online: 0 }];
  assert.equal((await daemon.run('unload-pool', { name: 'p' })).response['success'], 'yes');
  assert.deepEqual(daemon.loaded.pools, []);
});

test('initiate streams the lines about its connection, of its level', async () => {
  const daemon = await loaded();
  daemon.answer = (command) => {
    if (command.kind !== 'initiate') return { ok: true, count: 0 };
    daemon.ikeSas = [tunnel()];
    const begun = { attempt: 1, remote: tunnel().remote };
    daemon.service.event({ kind: 'connecting', connection: 'net', ...begun });
    daemon.service.event({ kind: 'connecting', connection: 'other', ...begun });
    ikeEvent(daemon, tunnel(), { kind: 'child-established', child: tunnelChild(1) });
    return { ok: true, count: 1 };
  };
  const { response, events } = await daemon.run('initiate', { child: 'net', timeout: '1000' });
  assert.deepEqual(response, { success: 'yes' });
  assert.deepEqual(events, [
    ['control-log', { group: 'IKE', level: '1', 'ikesa-name': 'net', msg: 'connecting' }],
    [
      'control-log',
      { group: 'CHD', level: '1', 'ikesa-name': 'net', 'ikesa-uniqueid': '1', msg: 'child-established' },
    ],
  ]);
  assert.deepEqual((await daemon.run('initiate', { child: 'net', loglevel: '0' })).events, []);
  daemon.answer = () => ({ ok: false, code: 'failed', detail: 'no answer' });
  assert.equal(
    (await daemon.run('initiate', { ike: 'net' })).response['errmsg'],
    "establishing IKE_SA 'net' failed: no answer",
  );
  daemon.answer = () => new Promise(() => undefined);
  assert.equal(
    (await daemon.run('initiate', { child: 'net', timeout: '20' })).response['errmsg'],
    "CHILD_SA 'net' not established after 20ms",
  );
  assert.deepEqual((await daemon.run('initiate', { child: 'net', timeout: '-1' })).response, {
    success: 'yes',
  });
});

test('SAs are chosen by the numbers that listings show', async () => {
  const daemon = await loaded();
  daemon.ikeSas = [{ ...tunnel(), children: [tunnelChild(1), { ...tunnelChild(2, 1), childId: 1 }] }];
  const [[, message]] = (await daemon.run('list-sas')).events as [[string, ViciMessage]];
  const children = (message['net'] as ViciMessage)['child-sas'] as ViciMessage;
  assert.deepEqual(Object.keys(children), ['net-1', 'net-2']);
  await daemon.run('terminate', { 'child-id': '2', 'ike-id': '1' });
  assert.deepEqual(daemon.asked.at(-1), { kind: 'terminate', ikeId: 1, childId: 1 });
  assert.equal((await daemon.run('rekey', { 'child-id': '7' })).response['success'], 'no');
  assert.deepEqual((await daemon.run('rekey', { 'child-id': '1' })).response, {
    success: 'yes',
    matches: '1',
  });
});

test('marks and XFRM interfaces of a Child SA are told as charon tells them', async () => {
  const daemon = await loaded();
  const kernelTies = { inbound: { mark: { value: 42, mask: 0xff } }, outbound: { interfaceId: 0x1f } };
  daemon.ikeSas = [{ ...tunnel(), children: [{ ...tunnelChild(1), kernelTies }] }];
  const [[, message]] = (await daemon.run('list-sas')).events as [[string, ViciMessage]];
  const children = (message['net'] as ViciMessage)['child-sas'] as Record<string, ViciMessage>;
  const told = Object.entries(children['net-1']!).filter(([name]) => /^(mark|if-id)/.test(name));
  assert.deepEqual(told, [
    ['mark-in', '0000002a'],
    ['mark-mask-in', '000000ff'],
    ['if-id-out', '0000001f'],
  ]);
});

test('list-sas names the user whom EAP has authenticated, as charon does', async () => {
  const daemon = await loaded();
  daemon.ikeSas = [{ ...tunnel(), remoteEapIdentity: 'carol' }];
  const [[, message]] = (await daemon.run('list-sas')).events as [[string, ViciMessage]];
  assert.equal((message['net'] as ViciMessage)['remote-eap-id'], 'carol');
});

test('events have the structure that charon gives them', async () => {
  const daemon = await loaded();
  const identity = { idType: 2, data: octetsOfViciItem('x') };
  const established = {
    kind: 'ike-established',
    suite: tunnel().suite!,
    localIdentity: identity,
    remoteIdentity: identity,
    connection: 'net',
    initialContact: false,
    resumed: false,
  } as const;
  const over = { code: 'deleted-by-us', detail: '' } as const;
  const take = (name: string): ViciMessage => {
    const at = daemon.raised.findIndex(([event]) => event === name);
    assert.notEqual(at, -1, name);
    return daemon.raised.splice(at, 1)[0]![1];
  };
  daemon.ikeSas = [tunnel()];
  const [child] = tunnel().children as [IkeSaStatus['children'][number]];
  ikeEvent(daemon, tunnel(), established);
  assert.deepEqual(structure(take('ike-updown')), structure(charon.ikeUp));
  ikeEvent(daemon, tunnel(), { kind: 'child-established', child });
  assert.deepEqual(structure(take('child-updown')), structure(charon.childUp));

  const next = tunnelChild(99, 1);
  daemon.ikeSas = [{ ...tunnel(), children: [{ ...child, phase: 'replaced' }, next] }];
  ikeEvent(daemon, tunnel(), { kind: 'child-rekeyed', child: next, replaced: child });
  const rekeyed = take('child-rekey');
  const pair = ((rekeyed['net'] as ViciMessage)['child-sas'] as ViciMessage)['net'] as ViciMessage;
  assert.deepEqual(Object.keys(pair), ['old', 'new']);
  assert.equal((pair['old'] as ViciMessage)['state'], 'REKEYED');
  assert.deepEqual(structure(rekeyed), structure(charon.childRekey));
  ikeEvent(daemon, tunnel(), { kind: 'child-ended', child, failure: { code: 'replaced', detail: '' } });
  assert.deepEqual(
    daemon.raised.filter(([event]) => event === 'child-updown'),
    [],
  );

  daemon.ikeSas = [
    { ...tunnel(1), phase: 'rekeyed', children: [] },
    { ...tunnel(2), children: [next] },
  ];
  ikeEvent(daemon, tunnel(1), { kind: 'ike-rekeyed', suite: tunnel().suite! });
  assert.deepEqual(structure(take('ike-rekey')), structure(charon.ikeRekey));
  // When events are told, what ended in the same instant is gone already.
  daemon.ikeSas = [];
  ikeEvent(daemon, tunnel(1), { kind: 'ike-ended', failure: { code: 'deleted-by-peer', detail: '' } });
  assert.deepEqual(
    daemon.raised.filter(([event]) => event === 'ike-updown'),
    [],
  );

  ikeEvent(daemon, tunnel(2), { kind: 'child-ended', child: next, failure: over });
  const down = take('child-updown');
  assert.equal('up' in down, false);
  assert.deepEqual(Object.keys(structure(down)), Object.keys(structure(charon.listSa)));
  daemon.ikeSas = [];
  ikeEvent(daemon, tunnel(2), { kind: 'ike-ended', failure: over });
  const gone = take('ike-updown');
  assert.equal((gone['net'] as ViciMessage)['state'], 'DELETING');
  assert.deepEqual(new Set(daemon.raised.map(([event]) => event)), new Set(['log']));
});

// RFC 4555
test('an IKE SA whose either end moves is told with where both are, and that they may', async () => {
  const daemon = await loaded();
  const [local, remote] = [tunnel().local, { ...tunnel().remote, port: 30_000 }];
  const tunnelEnds = { local, remote };
  daemon.ikeSas = [
    { ...tunnel(), remote, mobility: { client: true, peerAddresses: [], tunnel: tunnelEnds } },
  ];
  const from = { local: { ...local, port: 1 }, remote };
  for (const event of [
    { kind: 'moved', from, to: tunnelEnds },
    { kind: 'peer-moved', from: tunnel().remote, to: remote },
  ] as const) {
    ikeEvent(daemon, tunnel(), event);
    const told = daemon.raised.find(([name]) => name === 'ike-update')?.[1];
    daemon.raised.length = 0;
    assert.ok(told);
    assert.equal(told['local-host'], local.address);
    assert.equal(told['local-port'], String(local.port));
    assert.equal(told['remote-host'], remote.address);
    assert.equal(told['remote-port'], '30000');
    assert.equal((told['net'] as ViciMessage)['mobike'], 'yes');
  }
});

test('nothing is made for events that nobody awaits', async () => {
  const daemon = await loaded();
  daemon.awaited = () => false;
  daemon.ikeSas = [tunnel()];
  ikeEvent(daemon, tunnel(), { kind: 'child-established', child: tunnelChild(1) });
  assert.deepEqual(daemon.raised, []);
});

test('whoever registers is told the end of an IKE SA that stood before, and of none from before that', async () => {
  const daemon = await loaded();
  daemon.awaited = () => false;
  daemon.ikeSas = [tunnel()];
  ikeEvent(daemon, tunnel(), { kind: 'child-established', child: tunnelChild(1) });
  daemon.awaited = () => true;
  daemon.service.registered('ike-updown');
  daemon.ikeSas = [];
  const failure = { code: 'deleted-by-peer', detail: 'the peer deleted it' } as const;
  ikeEvent(daemon, tunnel(), { kind: 'ike-ended', failure });
  assert.deepEqual(
    daemon.raised.filter(([name]) => name !== 'log').map(([name]) => name),
    ['ike-updown'],
  );
  daemon.raised.length = 0;
  // Nobody listens any more: what is remembered is let go.
  daemon.awaited = () => false;
  daemon.ikeSas = [tunnel(2)];
  ikeEvent(daemon, tunnel(2), { kind: 'child-established', child: tunnelChild(1) });
  daemon.awaited = () => true;
  daemon.ikeSas = [];
  ikeEvent(daemon, tunnel(2), { kind: 'ike-ended', failure });
  assert.deepEqual(
    daemon.raised.map(([name]) => name),
    ['log'],
  );
});

test('counters count messages of either direction, for the host and for its connections', async () => {
  const daemon = await loaded();
  const header = (exchange: number, flags: number): Uint8Array => {
    const octets = new Uint8Array(32);
    octets.set([0x20, 0xf5, 0x70, 0x5c, 0x3d, 0x57, 0xb7, 0xc1]);
    octets.set([0, 0x20, exchange, flags], 16);
    return octets;
  };
  const count = async (request: ViciMessage = {}): Promise<ViciMessage> =>
    (await daemon.run('get-counters', request)).response['counters'] as ViciMessage;
  const crosses = (direction: 'in' | 'out', octets: Uint8Array, shared: boolean): void => {
    const seen = ikeMessageSeen(octets, shared);
    if (seen !== undefined) daemon.service.message(direction, seen);
  };
  crosses('out', header(34, 0x08), false);
  crosses('in', header(34, 0x20), false);
  const marked = new Uint8Array(36);
  marked.set(header(37, 0x08), 4);
  crosses('out', marked, true);
  crosses('in', header(34, 0x20), true);
  crosses('in', Uint8Array.of(0xff), true);
  crosses('in', new Uint8Array(3), false);
  daemon.ikeSas = [tunnel()];
  ikeEvent(daemon, tunnel(), { kind: 'child-rekeyed', child: tunnelChild(2), replaced: tunnelChild(1) });
  const expected = {
    'ike-init-out-req': '1',
    'ike-init-in-resp': '1',
    'info-out-req': '1',
    'child-rekey': '1',
  };
  for (const counted of [(await count())[''], (await count({ all: 'yes' }))['net']]) {
    const moved = Object.fromEntries(
      Object.entries(counted as ViciMessage).filter(([, value]) => value !== '0'),
    );
    assert.deepEqual(moved, expected);
  }
  await daemon.run('reset-counters');
  assert.equal(((await count())[''] as ViciMessage)['child-rekey'], '0');
  assert.equal(((await count({ name: 'net' }))['net'] as ViciMessage)['child-rekey'], '1');
  await daemon.run('reset-counters', { all: 'yes' });
  assert.deepEqual(await count({ all: 'yes' }), {});
});
