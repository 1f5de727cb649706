// Virtual addresses from pools, from the request to their return (RFC 7296 2.19, 3.15).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, parsePrefix } from '#sa';
import { child, configuration, connection } from '../testing/configurations.ts';
import { EnginePair } from '../testing/two-engines.ts';

const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;

function pairWithPool(prefix: string): EnginePair {
  return new EnginePair({
    moon: configuration('moon', {
      connections: [
        connection('moon', {
          virtualAddresses: [address('0.0.0.0')],
          children: [child('moon', { localSelectors: [dynamic] })],
        }),
      ],
    }),
    sun: configuration('sun', {
      connections: [
        connection('sun', {
          pools: ['road'],
          remoteAddresses: [{ kind: 'any' }],
          children: [child('sun', { remoteSelectors: [dynamic] })],
        }),
      ],
      pools: [
        { name: 'road', addresses: parsePrefix(prefix)!, dns: [address('10.2.0.53')], nbns: [], subnets: [] },
      ],
    }),
  });
}

function online(pair: EnginePair): number | undefined {
  return pair.sun.engine.status().pools[0]?.online;
}

test('an initiator gets an address, which its Child SA is for, and returns it', () => {
  const pair = pairWithPool('10.9.0.0/24').establish();
  const [ike] = pair.moon.engine.status().ikeSas;
  assert.deepEqual(ike?.virtualAddresses, [address('10.9.0.1')]);
  assert.equal(ike.children[0]?.local[0]?.start, address('10.9.0.1'));
  assert.equal(online(pair), 1);
  pair.moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.settle();
  assert.equal(online(pair), 0);
});

test('a rekeyed IKE SA keeps the address', () => {
  const pair = pairWithPool('10.9.0.0/24').establish();
  pair.moon.command({ kind: 'rekey', connection: 'gateway' });
  pair.run(5_000);
  assert.equal(online(pair), 1);
  assert.deepEqual(pair.moon.engine.status().ikeSas[0]?.virtualAddresses, [address('10.9.0.1')]);
  pair.moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.settle();
  assert.equal(online(pair), 0);
});

test('a host that lost its state gets its old address again', () => {
  const pair = pairWithPool('10.9.0.0/24').establish();
  pair.now += 1000;
  pair.moon.crash();
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  assert.equal(online(pair), 1);
  pair.moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.settle();
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  assert.equal(online(pair), 1);
});
