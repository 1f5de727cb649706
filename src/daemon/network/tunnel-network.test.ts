// Routes of a Child SA of which the kernel will not have one: the others stand, and go, all the same.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { EngineEvent } from '#engine';
import type { TunnelRoutes } from '#linux';
import { address, type IpAddress, type Prefix, selectorOfPrefix } from '#sa';
import { TunnelNetwork } from './tunnel-network.ts';

let said: string[];
let problems: string[];
let [restorable, restored] = [0, 0];
let network: TunnelNetwork;
/** As the kernel of a host without IPv6 does. */
let refuses: (change: string) => boolean;

function say(change: string): void {
  if (refuses(change)) throw new Error(`${change} refused`);
  said.push(change);
}

const text = ({ address, length }: Prefix): string => `${address}/${length}`;

const routes: TunnelRoutes = {
  addRoute: (destination) => say(`+ ${text(destination)}`),
  moveRoute: (destination) => say(`> ${text(destination)}`),
  removeRoute: (destination) => say(`- ${text(destination)}`),
  addAddress: (one: IpAddress) => say(`+ ${one}`),
  removeAddress: (one: IpAddress) => say(`- ${one}`),
  restore: function* (): Iterable<void> {
    for (let i = 0; i < restorable; i++) {
      restored++;
      yield;
    }
  },
  close: () => undefined,
};

beforeEach(() => {
  [said, problems] = [[], []];
  refuses = (change) => change.startsWith('+ ') && change.includes(':');
  network = new TunnelNetwork(routes, undefined, {
    problem: (child, problem) => problems.push(`${child}: ${problem}`),
    scriptLine: (_child, line) => said.push(line),
  });
});

const remote = ['fd02::/64', '10.2.0.0/24'].map((prefix) => selectorOfPrefix(prefix)!);
const local = ['fd01::/64', '10.1.0.0/24'].map((prefix) => selectorOfPrefix(prefix)!);
const child = { name: 'net', mode: 'tunnel', childId: 1, policies: true, remote, local };

async function follow(kind: EngineEvent['kind'], more: object): Promise<string[]> {
  network.follow({ kind, child, ...more } as unknown as EngineEvent);
  await network.settled();
  return said.splice(0);
}

test('given a kernel without IPv6, the IPv4 of a tunnel has its route and address, and its script runs', async () => {
  const ends = { local: { address: address('192.0.2.1') }, remote: { address: address('192.0.2.2') } };
  const virtual = { virtualAddresses: [address('2001:db8:7::1'), address('10.7.0.1')] };
  const more = { peerVirtualAddresses: [], nameServers: [], natDetected: false, ikeId: 1 };
  const context = { ...ends, ...virtual, ...more };
  const configuration = { policies: true, updown: 'echo "$PLUTO_VERB"' };
  const suited = { ...child, suite: { protocol: 'esp' } };
  const up = await follow('child-up', { context, configuration, child: suited });
  assert.deepEqual(up.slice(0, 2), ['+ 10.7.0.1', '+ 10.2.0.0/24']);
  assert.ok(up.includes('up-client') && up.includes('up-client-v6'), up.join());
  assert.deepEqual(problems.splice(0), ['net: + 2001:db8:7::1 refused', 'net: + fd02::/64 refused']);
  refuses = (change) => change === '- fd02::/64';
  const down = await follow('child-down', { context, configuration, child: suited });
  assert.deepEqual(down.slice(0, 3), ['- 10.2.0.0/24', '- 2001:db8:7::1', '- 10.7.0.1']);
  assert.deepEqual(problems, ['net: - fd02::/64 refused']);
});

test('and so has that of a trap', async () => {
  const selectors = { local, remote };
  assert.deepEqual(await follow('trap-set', { selectors }), ['+ 10.2.0.0/24']);
  refuses = (change) => change === '- fd02::/64';
  assert.deepEqual(await follow('trap-removed', { selectors }), ['- 10.2.0.0/24']);
  assert.equal(problems.length, 2);
});

test('a look at thousands of routes leaves turns to everything else, and routes that are asked for meanwhile come after it', async () => {
  [restorable, restored] = [10_000, 0];
  refuses = () => false;
  network.addressesChanged();
  let turns = 0;
  const turn = (): void => {
    if (restored === restorable) return;
    if (restored > 0) turns++;
    setImmediate(turn);
  };
  turn();
  await new Promise((resolve) => setTimeout(resolve, 100));
  network.follow({ kind: 'trap-set', child, selectors: { local, remote } } as unknown as EngineEvent);
  await network.settled();
  assert.equal(restored, restorable);
  assert.ok(turns > 50, `${turns} turns`);
  assert.equal(said.length, 2);
});
