import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type SaCommand, type Spi } from '#sa';
import { PeerAddresses } from './peer-addresses.ts';

const [here, there, elsewhere] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((text) => address(text));

function install(spi: number, direction: 'inbound' | 'outbound' = 'inbound'): SaCommand {
  // Only what the list looks at.
  return { kind: 'install', sa: { protocol: 'esp', direction, spi, remote: there } } as unknown as SaCommand;
}

function remove(spi: number): SaCommand {
  return { kind: 'remove', protocol: 'esp', direction: 'inbound', spi: spi as Spi, childId: spi };
}

test('an address is known as long as one inbound SA leads to it, and moves with its SA', () => {
  const peers = new PeerAddresses();
  peers.follow(install(1, 'outbound'));
  assert.equal(peers.has(there!), false);
  peers.follow(install(1));
  peers.follow(install(2));
  peers.follow(remove(1));
  peers.follow(remove(1));
  assert.equal(peers.has(there!), true);
  const common = { protocol: 'esp', direction: 'inbound', childId: 1, encapsulated: true } as const;
  peers.follow({
    kind: 'update-addresses',
    ...common,
    spi: 2 as Spi,
    local: { address: here!, port: 4500 },
    remote: { address: elsewhere!, port: 4500 },
  });
  assert.deepEqual(
    [there!, elsewhere!].map((one) => peers.has(one)),
    [false, true],
  );
  peers.follow(remove(2));
  assert.equal(peers.has(elsewhere!), false);
});
