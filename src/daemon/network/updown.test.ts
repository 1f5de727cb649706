import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IkeContext } from '#engine';
import type { ChildSaSummary } from '#ike';
import { address, selectorOfPrefix, selectorOfRange, type TrafficSelector } from '#sa';
import { runUpdown, type UpdownOccasion, updownEnvironment } from './updown.ts';

function block(text: string, part: Partial<TrafficSelector> = {}): TrafficSelector {
  const selector = selectorOfPrefix(text);
  assert.ok(selector);
  return { ...selector, ...part };
}

function occasion(child: Partial<ChildSaSummary> = {}, context: Partial<IkeContext> = {}): UpdownOccasion {
  return {
    direction: 'up',
    interfaceName: 'wayward0',
    context: {
      ikeId: 7,
      local: { address: address('192.0.2.1'), port: 500 },
      remote: { address: address('192.0.2.2'), port: 500 },
      localIdentity: 'moon.example',
      remoteIdentity: 'C=CH, CN=sun',
      virtualAddresses: [],
      nameServers: [],
      peerVirtualAddresses: [],
      natDetected: false,
      initiator: true,
      ...context,
    } as IkeContext,
    child: {
      childId: 3,
      generation: 0,
      name: 'net',
      local: [block('10.1.0.0/16')],
      remote: [block('10.2.0.0/16')],
      mode: 'tunnel',
      suite: { protocol: 'esp' },
      ...child,
    } as ChildSaSummary,
  };
}

test('a host of its own is told from a network behind it, in both families', () => {
  const own = address('2001:db8::1');
  const context = { local: { address: own, port: 500 } };
  const verb = (mine: TrafficSelector): string | undefined =>
    updownEnvironment(occasion({}, context), mine, block('::/0'))['PLUTO_VERB'];
  assert.equal(verb(block('2001:db8::1')), 'up-host-v6');
  assert.equal(verb(block('2001:db8::2')), 'up-client-v6');
  assert.equal(verb(block('2001:db8::/64')), 'up-client-v6');
  assert.equal(verb(block('10.0.0.0/8')), 'up-client');
});

test('a user whom EAP has authenticated is named beside the identity of his machine', () => {
  const environment = (context: Partial<IkeContext>): Record<string, string> =>
    updownEnvironment(occasion({}, context), block('10.1.0.0/16'), block('10.2.0.0/16'));
  const { PLUTO_PEER_ID, PLUTO_XAUTH_ID } = environment({ remoteEapIdentity: 'carol' });
  assert.deepEqual([PLUTO_PEER_ID, PLUTO_XAUTH_ID], ['C=CH, CN=sun', 'carol']);
  assert.ok(!('PLUTO_XAUTH_ID' in environment({})));
});

test('protocols are numbers, and ports say one, all or a range', () => {
  const ports = (mine: TrafficSelector, peers: TrafficSelector): (string | undefined)[] => {
    const environment = updownEnvironment(occasion(), mine, peers);
    return ['PLUTO_MY_PROTOCOL', 'PLUTO_MY_PORT', 'PLUTO_PEER_PORT'].map((name) => environment[name]);
  };
  const tcp = (startPort: number, endPort: number): TrafficSelector =>
    block('10.1.0.0/16', { protocol: 6, startPort, endPort });
  assert.deepEqual(ports(tcp(0, 65535), tcp(443, 443)), ['6', '0', '443']);
  assert.deepEqual(ports(tcp(1000, 1999), tcp(0, 65535)), ['6', '1000:1999', '0']);
  // RFC 7296 3.13.1: the type in the high octet of a port, the code in the low one.
  const icmp = block('10.1.0.0/16', { protocol: 1, startPort: 0x0301, endPort: 0x0301 });
  assert.deepEqual(ports(icmp, block('10.2.0.0/16', { protocol: 1 })), ['1', '3', '1']);
});

test('a range that is no block is told as the next larger one', () => {
  const range = selectorOfRange(address('10.1.0.3'), address('10.1.0.9'));
  const environment = updownEnvironment(occasion(), range, block('10.2.0.0/16'));
  assert.equal(environment['PLUTO_MY_CLIENT'], '10.1.0.0/28');
});

test('virtual addresses, name servers and the port behind a NAT are there only if they are', () => {
  const optional = (context: Partial<IkeContext>): Record<string, string> => {
    const made = occasion({}, context);
    const environment = updownEnvironment(made, block('10.1.0.0/16'), block('10.2.0.0/16'));
    return Object.fromEntries(
      Object.entries(environment).filter(([name]) => /SOURCEIP|DNS|UDP_ENC/.test(name)),
    );
  };
  assert.deepEqual(optional({}), {});
  const two = [address('10.3.0.1'), address('fd00::1'), address('10.3.0.2')];
  assert.deepEqual(
    optional({
      virtualAddresses: two,
      nameServers: [address('fd00::53')],
      peerVirtualAddresses: [address('fd00::9')],
      natDetected: true,
      remote: { address: address('192.0.2.2'), port: 40_000 },
    }),
    {
      PLUTO_MY_SOURCEIP: '10.3.0.1',
      PLUTO_MY_SOURCEIP4_1: '10.3.0.1',
      PLUTO_MY_SOURCEIP6_1: 'fd00::1',
      PLUTO_MY_SOURCEIP4_2: '10.3.0.2',
      PLUTO_PEER_SOURCEIP: 'fd00::9',
      PLUTO_PEER_SOURCEIP6_1: 'fd00::9',
      PLUTO_UDP_ENC: '40000',
      PLUTO_DNS6_1: 'fd00::53',
    },
  );
});

test('marks and XFRM interfaces are told if there are any', () => {
  const kernelTies = {
    inbound: { mark: { value: 42, mask: 0xff }, interfaceId: 7 },
    outbound: { interfaceId: 8 },
  };
  const environment = updownEnvironment(occasion({ kernelTies }), block('10.1.0.0/16'), block('10.2.0.0/16'));
  assert.deepEqual(
    Object.entries(environment).filter(([name]) => /MARK|IF_ID/.test(name)),
    [
      ['PLUTO_MARK_IN', '42/0x000000ff'],
      ['PLUTO_IF_ID_IN', '7'],
      ['PLUTO_IF_ID_OUT', '8'],
    ],
  );
});

test('a script runs once per pair of selectors of one family, with nothing of our environment but PATH', async () => {
  const lines: string[] = [];
  const child = {
    local: [block('10.1.0.0/16'), block('fd01::/64')],
    remote: [block('10.2.0.0/16'), block('fd02::/64')],
  };
  const script =
    'env | grep -v -e ^PLUTO_ -e ^PWD= -e ^SHLVL= -e ^_= | cut -d= -f1\necho $PLUTO_MY_CLIENT $PLUTO_PEER_CLIENT >&2';
  assert.equal(await runUpdown(script, occasion(child), (line) => lines.push(line)), undefined);
  assert.deepEqual(lines, ['PATH', '10.1.0.0/16 10.2.0.0/16', 'PATH', 'fd01::/64 fd02::/64']);
});

test('what a script leaves in the background does not hold us up', async () => {
  const lines: string[] = [];
  const script = 'sleep 60 & echo $!';
  assert.equal(await runUpdown(script, occasion(), (line) => lines.push(line)), undefined);
  process.kill(Number(lines[0]), 'SIGTERM');
});

test('a script that fails says how, and the remaining pairs are left out', async () => {
  const lines: string[] = [];
  const child = { local: [block('10.1.0.0/16'), block('10.9.0.0/16')] };
  const problem = await runUpdown('echo no; exit 3', occasion(child), (line) => lines.push(line));
  assert.equal(problem, 'updown script ended with status 3');
  assert.deepEqual(lines, ['no']);
});
