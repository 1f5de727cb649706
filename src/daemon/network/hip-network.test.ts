// What the device is told as the configuration changes.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { hostIdentityOf, privateKeyFromPkcs8 } from '#crypto';
import { type HipConfiguration, hipDefaults } from '#hip';
import { address, hitAddress } from '#sa';
import type { Hit } from '#wire';
import { HipNetwork } from './hip-network.ts';

const remote = '20010022000000000000000000000a0b' as Hit;

function identity(): HipConfiguration['identities'][number] {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKeyFromPkcs8(new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })), 'hip');
  return { identity: hostIdentityOf(key.publicKey), key, anonymous: false };
}

test('HITs, LSIs and routes come and go with the configuration', () => {
  const said: string[] = [];
  const network = new HipNetwork(
    {
      mtuBytes: 1400,
      addAddress: (one) => said.push(`+ ${one}`),
      removeAddress: (one) => said.push(`- ${one}`),
      addRoute: ({ address, length }, source, _peer, mtuBytes) =>
        said.push(`+ ${address}/${length} from ${source?.()} ${mtuBytes ?? ''}`.trim()),
      removeRoute: ({ address, length }) => said.push(`- ${address}/${length}`),
    },
    true,
  );
  const heard = (configuration: HipConfiguration | undefined): string[] => {
    network.load(configuration);
    return said.splice(0);
  };
  const [one, other] = [identity(), identity()];
  const [first, second] = [hitAddress(one.identity.hit), hitAddress(other.identity.hit)];
  const peer = { name: 'peer', hit: remote, addresses: [], lsi: address('1.0.0.20') };
  const base = { ...hipDefaults, identities: [one], peers: [peer] };
  assert.deepEqual(heard(undefined), []);
  assert.deepEqual(heard(base), [
    `+ ${first}`,
    '+ 1.0.0.1',
    `+ 2001:20::/28 from ${first}`,
    '+ 1.0.0.20/32 from 1.0.0.1 1380',
  ]);
  assert.deepEqual(heard(base), []);
  const both = {
    ...base,
    identities: [one, other],
    peers: [{ ...peer, localHit: other.identity.hit }],
  };
  assert.deepEqual(heard(both), [`+ ${second}`, `+ ${hitAddress(remote)}/128 from ${second}`]);
  assert.deepEqual(heard({ ...base, peers: [] }), [
    '- 1.0.0.20/32',
    `- ${hitAddress(remote)}/128`,
    '- 1.0.0.1',
    `- ${second}`,
  ]);
  assert.deepEqual(heard(undefined), ['- 2001:20::/28', `- ${first}`]);
});

test('in the kernel there are no LSIs, and a route leads to where some peer is', () => {
  const said: string[] = [];
  const network = new HipNetwork(
    {
      addAddress: (one) => said.push(`+ ${one}`),
      removeAddress: (one) => said.push(`- ${one}`),
      addRoute: ({ address, length }, source, peer) =>
        said.push(`+ ${address}/${length} from ${source?.()} towards ${peer}`),
      removeRoute: ({ address, length }) => said.push(`- ${address}/${length}`),
    },
    false,
  );
  const one = identity();
  const own = hitAddress(one.identity.hit);
  const peer = { name: 'peer', hit: remote, addresses: [address('192.0.2.9')], lsi: address('1.0.0.20') };
  network.load({ ...hipDefaults, identities: [one], peers: [peer] });
  network.load(undefined);
  assert.deepEqual(said, [
    `+ ${own}`,
    `+ 2001:20::/28 from ${own} towards 192.0.2.9`,
    '- 2001:20::/28',
    `- ${own}`,
  ]);
});

test('what the kernel refuses keeps nothing else from it, and goes like the rest', () => {
  const said: string[] = [];
  let refuses = true;
  const say = (change: string): void => {
    if (refuses && change === `+ ${first}`) throw new Error('refused');
    said.push(change);
  };
  const network = new HipNetwork(
    {
      mtuBytes: 1400,
      addAddress: (one) => say(`+ ${one}`),
      removeAddress: (one) => say(`- ${one}`),
      addRoute: ({ address, length }) => say(`+ ${address}/${length}`),
      removeRoute: ({ address, length }) => say(`- ${address}/${length}`),
    },
    true,
  );
  const own = identity();
  const first = hitAddress(own.identity.hit);
  const peer = { name: 'peer', hit: remote, addresses: [], lsi: address('1.0.0.20') };
  const configuration = { ...hipDefaults, identities: [own], peers: [peer] };
  assert.throws(() => network.load(configuration), /^Error: refused$/);
  assert.deepEqual(said.splice(0), ['+ 1.0.0.1', '+ 2001:20::/28', '+ 1.0.0.20/32']);
  refuses = false;
  network.load(configuration);
  assert.deepEqual(said, []);
  network.load(undefined);
  assert.deepEqual(said, ['- 2001:20::/28', '- 1.0.0.20/32', `- ${first}`, '- 1.0.0.1']);
});
