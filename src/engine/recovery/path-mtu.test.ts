// Packets to a peer have to be smaller: whoever asks is told who said so, and no SA changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type DataPlaneEvent, type Spi } from '#sa';
import { eventText } from '../events/event-text.ts';
import { TwoHosts } from './testing/two-hosts.ts';

function pathMtu(hosts: TwoHosts, more: Partial<DataPlaneEvent>): DataPlaneEvent {
  const { childId, outboundSpi } = hosts.moon.engine.status().ikeSas[0]!.children[0]!;
  return {
    ...{ kind: 'path-mtu', protocol: 'esp', spi: outboundSpi as Spi, childId, remote: address('192.0.2.2') },
    ...{ fragmentable: false },
    ...more,
  } as DataPlaneEvent;
}

test('a smaller path MTU is logged, counted and told to whoever asks why', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const before = hosts.moon.engine.status().ikeSas;
  const { outboundSpi } = before[0]!.children[0]!;
  const sizes = { pathMtuBytes: 1380, innerMtuBytes: 1306 };
  const from = address('203.0.113.9');
  hosts.moon.give(hosts.now, { kind: 'data-plane', event: pathMtu(hosts, { from, ...sizes }) });
  const told = hosts.moon.events.filter(({ kind }) => kind === 'path-mtu');
  assert.deepEqual(
    told.map((event) => eventText(event).text),
    [
      'gateway: path to 192.0.2.2: 203.0.113.9 says that the path carries 1380 octets: packets inside may have 1306',
    ],
  );
  const why = hosts.moon.engine.why(outboundSpi);
  assert.deepEqual(
    why.incidents.map(({ reason }) => reason),
    ['path-mtu'],
  );
  assert.match(why.incidents[0]!.detail, /^203\.0\.113\.9 says that the path carries 1380 octets/);
  hosts.moon.give(hosts.now, { kind: 'data-plane', event: pathMtu(hosts, { fragmentable: true }) });
  assert.match(
    hosts.moon.engine.why('last').incidents.at(-1)!.detail,
    /^our own device says .* cut on their way/,
  );
  hosts.moon.give(hosts.now, { kind: 'data-plane', event: pathMtu(hosts, { pathMtuBytes: 1300 }) });
  assert.match(
    hosts.moon.engine.why('last').incidents.at(-1)!.detail,
    /^the kernel has learned that the path carries 1300 octets \(SPI/,
  );
  const { counts } = hosts.moon.engine.status();
  assert.deepEqual([counts['path-mtu smaller'], counts['path-mtu fragmentable']], [2, 1]);
  assert.deepEqual(hosts.moon.engine.status().ikeSas, before);
});
