// The `hip` section: what it becomes, and what is said about what is wrong with it and with the files it names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hipDefaults, registrarDefaults } from '#engine';
import { address, hitAddress } from '#sa';
import { HipEspSuite, hipUdpPort } from '#wire';
import { ConfigurationErrors } from '../error.ts';
import { errorsOf, load, warningsOf } from '../testing/load.ts';
import { parseHipHosts } from './hip-hosts.ts';

const keys = { '/etc/swanctl/hip/a.pem': 'key a', '/etc/swanctl/hip/b.pem': 'key b' };
const identity = 'identities { a { file = hip/a.pem\n} }';

test('without the section, and in a section without identities, there is no HIP', () => {
  assert.equal(load('').configuration.hip, undefined);
  const nobody = 'hip { accept = any\n}';
  assert.equal(load(nobody).configuration.hip, undefined);
  assert.deepEqual(warningsOf(nobody), ['swanctl.conf:1:1: hip has no effect: it has no identities']);
});

test('what is not said is as the protocol room has it', () => {
  const { hip } = load(`hip { ${identity} }`, keys).configuration;
  const { identities, peers, ...rest } = hip!;
  assert.deepEqual(rest, hipDefaults);
  assert.equal(identities.length, 1);
  assert.deepEqual(peers, []);
});

test('identities keep their order, and peers say all that is said about them', () => {
  const own = load(`hip { ${identity} }`, keys).configuration.hip!.identities[0]!.identity.hit;
  const { hip } = load(
    `hip {
       accept = any
       esp_suites = null-sha256, aes128-sha256, null-sha256
       identities {
         a { file = hip/a.pem }
         b { file = hip/b.pem
             anonymous = yes }
       }
       peers {
         sun { hit = 2001:0022:0:0:0:0:0:1
               addrs = 192.0.2.1, 2001:db8::1
               lsi = 1.0.0.2
               udp = yes
               quirks = r2-signature-2, esp-icv-96
               local_hit = ${hitAddress(own)} }
         anybody { addrs = 192.0.2.9 }
         caller { hit = 2001:21::5 }
       }
     }`.replaceAll(' }\n', '\n}\n'),
    keys,
  ).configuration;
  assert.deepEqual(
    hip!.identities.map(({ anonymous }) => anonymous),
    [false, true],
  );
  assert.equal(hip!.identities[0]!.identity.hit, own);
  assert.equal(hip!.accept, 'any');
  assert.deepEqual(hip!.espSuites, [HipEspSuite.NULL_HMAC_SHA_256, HipEspSuite.AES_128_CBC_HMAC_SHA_256]);
  const [sun, anybody, caller] = hip!.peers;
  assert.deepEqual(sun, {
    name: 'sun',
    hit: '20010022000000000000000000000001',
    addresses: [address('192.0.2.1'), address('2001:db8::1')],
    lsi: address('1.0.0.2'),
    udpPort: hipUdpPort,
    localHit: own,
    quirks: ['r2-signature-2', 'esp-icv-96'],
  });
  assert.deepEqual(anybody, { name: 'anybody', addresses: [address('192.0.2.9')] });
  assert.deepEqual(caller, { name: 'caller', hit: '20010021000000000000000000000005', addresses: [] });
});

test('an identity whose key is missing, unreadable or of no use is an error where its file is named', () => {
  const text = `hip { identities {
a { file = gone.pem
}
b { file = hip/b.pem
}
c { file = c.pem
}
d { anonymous = yes
}
e { file = hip/a.pem
}
f { file = hip/a.pem
}
g { file = hip/*.pem
} } }`;
  const files = { ...keys, '/etc/swanctl/hip/b.pem': '!permission denied', '/etc/swanctl/c.pem': 'key ed' };
  const own = hitAddress(load(`hip { ${identity} }`, keys).configuration.hip!.identities[0]!.identity.hit);
  assert.deepEqual(errorsOf(text, files), [
    'swanctl.conf:2:12: file: there is no file gone.pem',
    'swanctl.conf:4:12: /etc/swanctl/hip/b.pem: permission denied',
    'swanctl.conf:6:12: /etc/swanctl/c.pem: no Host Identity of such a key',
    'swanctl.conf:8:1: identity "d" needs the option "file"',
    `swanctl.conf:12:12: file: another identity has the HIT ${own} too`,
    'swanctl.conf:14:12: file: more than one file is hip/*.pem',
  ]);
});

test('peers that contradict each other or the host itself', () => {
  const own = hitAddress(load(`hip { ${identity} }`, keys).configuration.hip!.identities[0]!.identity.hit);
  const text = `hip { ${identity}
peers {
a { hit = 2001:21::1
lsi = 1.0.0.2
}
b { hit = 2001:21::1
}
c { hit = 2001:21::2
lsi = 1.0.0.2
}
d { lsi = 1.0.0.3
}
e { hit = ${own}
}
f { hit = 2001:21::3
local_hit = 2001:21::4
}
g { hit = 2001:2f::3
} } }`;
  assert.deepEqual(errorsOf(text, keys), [
    'swanctl.conf:7:1: peer "b" has the HIT of peer "a"',
    'swanctl.conf:9:1: peer "c" has the LSI of peer "a"',
    'swanctl.conf:12:1: peer "d" needs the option "hit", or "addrs"',
    `swanctl.conf:14:1: peer "e" has a HIT of this host`,
    'swanctl.conf:17:13: local_hit: there is no identity with the HIT 2001:21::4',
    'swanctl.conf:19:11: hit = "2001:2f::3": expected a HIT: an IPv6 address in 2001:21::/32, 2001:22::/32 or 2001:23::/32',
  ]);
});

test('quirks are those of a host that is known, and of the list', () => {
  const of = (lines: string): string[] => errorsOf(`hip { ${identity}\npeers {\na {\n${lines}\n} } }`, keys);
  assert.deepEqual(of('addrs = 192.0.2.1\nquirks = esp-icv-96'), [
    'swanctl.conf:6:10: quirks: peer "a" needs the option "hit"',
  ]);
  assert.match(of('hit = 2001:21::1\nquirks = anything')[0]!, /swanctl.conf:6:10: quirks = .*esp-icv-96/);
  assert.deepEqual(
    load(`hip { ${identity}\npeers {\na {\nhit = 2001:21::1\n} } }`, keys).configuration.hip!.peers[0],
    {
      name: 'a',
      hit: '20010021000000000000000000000001',
      addresses: [],
    },
  );
});

test('bounds that contradict each other', () => {
  const text = `hip { ${identity}
puzzle_difficulty_min = 21
unused_time = 9s
retransmit_timeout = 0
addrs_lifetime = 9s
failover_time = 99ms
addrs = 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, 192.0.2.6, 192.0.2.7, 192.0.2.8, 192.0.2.9
}`;
  assert.deepEqual(errorsOf(text, keys), [
    'swanctl.conf:3:25: puzzle_difficulty_min is more than puzzle_difficulty_max',
    'swanctl.conf:4:15: unused_time must be at least 10s',
    'swanctl.conf:5:22: retransmit_timeout must be more than nothing',
    'swanctl.conf:6:18: addrs_lifetime must be at least 10s',
    'swanctl.conf:7:17: failover_time must be at least 100ms',
    'swanctl.conf:8:9: addrs: more than 8 addresses',
  ]);
});

test('addresses of this host keep their order', () => {
  const { hip } = load(
    `hip { ${identity}
addrs = 2001:db8::1, 192.0.2.1
addrs_lifetime = 2m
failover_time = 2s
}`,
    keys,
  ).configuration;
  const { addresses, locatorLifetimeMs, failoverMs } = hip!;
  assert.deepEqual(addresses, [address('2001:db8::1'), address('192.0.2.1')]);
  assert.deepEqual([locatorLifetimeMs, failoverMs], [120_000, 2_000]);
});

test('a registrar, a registration, and peers that are called through a server', () => {
  const text = `hip { ${identity}
registrar { rendezvous = yes
clients = moon, sun
min_lifetime = 1m
max_lifetime = 2h
max_registrations = 9
relay_rate = 70
relay_rate_prefix = 3
}
peers {
moon { hit = 2001:21::1
rvs = hub
}
sun { hit = 2001:21::2
addrs = 192.0.2.2
rvs = hub
}
hub { hit = 2001:21::3
addrs = 192.0.2.3
register = rendezvous
register_lifetime = 90s
} } }`;
  const { registrar, peers } = load(text, keys).configuration.hip!;
  assert.deepEqual(registrar, {
    lifetimeMsMin: 60_000,
    lifetimeMsMax: 7_200_000,
    registrationsMax: 9,
    clients: ['20010021000000000000000000000001', '20010021000000000000000000000002'],
    relayPerSecond: { perPrefix: 3, total: 70 },
  });
  const rendezvous = { name: 'hub', addresses: [address('192.0.2.3')] };
  assert.deepEqual(
    peers.map(({ addresses, registration, rendezvous: server }) => ({ addresses, registration, server })),
    [
      { addresses: [address('192.0.2.3')], registration: undefined, server: rendezvous },
      { addresses: [address('192.0.2.2')], registration: undefined, server: rendezvous },
      { addresses: [address('192.0.2.3')], registration: { lifetimeMs: 90_000 }, server: undefined },
    ],
  );
});

test('a registrar says no more than that it is one, and is as the protocol room has it', () => {
  const text = `hip { ${identity}\nregistrar { rendezvous = yes\n} }`;
  assert.deepEqual(load(text, keys).configuration.hip!.registrar, registrarDefaults);
  const without = text.replace('yes', 'no');
  assert.equal(load(without, keys).configuration.hip!.registrar, undefined);
});

test('servers, clients and lifetimes that cannot be', () => {
  const text = `hip { ${identity}
registrar { rendezvous = yes
clients = moon, venus, anybody
min_lifetime = 9s
max_lifetime = 5s
}
peers {
moon { hit = 2001:21::1
rvs = venus
}
sun { hit = 2001:21::2
rvs = sun
}
mars { hit = 2001:21::3
rvs = sun
register = rendezvous
register_lifetime = 9s
}
anybody { addrs = 192.0.2.9
rvs = hub
register = rendezvous
}
hub { hit = 2001:21::4
addrs = 192.0.2.3
} } }`;
  assert.deepEqual(errorsOf(text, keys), [
    'swanctl.conf:4:11: clients: there is no peer "venus"',
    'swanctl.conf:4:11: clients: peer "anybody" has no hit',
    'swanctl.conf:5:16: min_lifetime must be at least 10s',
    'swanctl.conf:6:16: min_lifetime is more than max_lifetime',
    'swanctl.conf:10:7: rvs: there is no peer "venus"',
    'swanctl.conf:13:7: rvs: peer "sun" is no server of its own',
    'swanctl.conf:16:7: rvs: peer "sun" has no addrs',
    'swanctl.conf:17:12: register: peer "mars" needs the option "addrs"',
    'swanctl.conf:18:21: register_lifetime must be at least 10s',
    'swanctl.conf:21:7: rvs: peer "anybody" needs the option "hit"',
    'swanctl.conf:22:12: register: peer "anybody" needs the option "hit"',
  ]);
});

const hosts = `# our hosts
2001:21::1 192.0.2.1 2001:db8::1 moon.example  # in the cellar

\t2001:22::2 192.0.2.2
2001:23::3 mars
`;

test('a hosts file brings peers, and addresses to the peers that have a section', () => {
  const text = `hip { ${identity}
hosts = hip.hosts
peers { sun { hit = 2001:22::2
lsi = 1.0.0.2
} } }`;
  const { hip } = load(text, { ...keys, '/etc/swanctl/hip.hosts': hosts }).configuration;
  assert.deepEqual(
    hip!.peers.map(({ name, addresses }) => [name, ...addresses]),
    [['sun', '192.0.2.2'], ['moon.example', '192.0.2.1', '2001:db8::1'], ['mars']],
  );
});

test('faults of a hosts file are at their line and column', () => {
  const text = `hip { ${identity}
hosts = hip.hosts
peers { mars { hit = 2001:22::2
} } }`;
  const faulty = `2001:db8::1 192.0.2.1
2001:21::1 192.0.2.300
2001:21::1 moon 192.0.2.1
2001:21::2 192.0.2.1 moon
2001:21::2 192.0.2.1 venus
  2001:21::3 192.0.2.1 moon
2001:21::4 mars
`;
  assert.deepEqual(errorsOf(text, { ...keys, '/etc/swanctl/hip.hosts': faulty }), [
    'hip.hosts:1:1: expected a HIT: an IPv6 address in 2001:21::/32, 2001:22::/32 or 2001:23::/32',
    'hip.hosts:2:12: expected an address of the host, or its name',
    'hip.hosts:3:17: nothing stands behind the name of a host',
    'hip.hosts:5:1: line 4 has this HIT too',
    'hip.hosts:6:3: line 4 has the name "moon" too',
    'hip.hosts:7:1: another peer is called "mars" too',
  ]);
  assert.deepEqual(errorsOf(text, keys), ['swanctl.conf:3:9: hosts: there is no file hip.hosts']);
});

test('a host with many peers looks at each of them and not at all others for each', () => {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `2001:22:${(i >> 8).toString(16)}:${(i & 0xff).toString(16)}::1 192.0.2.7 host${i}`,
  );
  const text = `hip { ${identity}
hosts = hip.hosts
}`;
  const { user: before } = process.cpuUsage();
  const { hip } = load(text, { ...keys, '/etc/swanctl/hip.hosts': lines.join('\n') }).configuration;
  assert.equal(hip?.peers.length, lines.length);
  // Microseconds of the processor: ten times what it takes, and a fifth of what it took.
  assert.ok(process.cpuUsage().user - before < 2_000_000);
});

test('any text is a hosts file, or has errors with places in it', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('2001:21::1', '2001:22::2 192.0.2.1 a', '2001:21::3 b', '2001:21::3 ::1 c'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      try {
        for (const { hit, name } of parseHipHosts(lines.join('\n'), 'h')) assert.ok(hit && name);
      } catch (error) {
        assert.ok(error instanceof ConfigurationErrors);
        for (const { line: at, column } of error.errors) assert.ok(at > 0 && column > 0);
      }
    }),
    { numRuns: 2000 },
  );
});
