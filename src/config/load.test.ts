import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIdentity } from '#engine';
import { connection, errorsOf, load, warningsOf } from './testing/load.ts';
import { utf8FromText } from './values/utf8.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const gateway = `
# A gateway for a branch office and for road warriors.
connections {
  office : defaults {
    remote_addrs = 192.0.2.1, backup.example.org
    dpd_delay = 30s
    keyingtries = 0
    local {
      auth = psk
      id = head.example.org
    }
    remote {
      auth = psk
      id = office.example.org
    }
    children {
      lan {
        local_ts  = 10.1.0.0/16
        remote_ts = 10.2.0.0/16[tcp/443], 10.3.0.0/16
        esp_proposals = aes256gcm16-x25519
        start_action = trap
        close_action = start
        dpd_action = restart
        rekey_time = 30m
        rekey_bytes = 1G
        updown = /usr/lib/updown
        inactivity = 10m
        tfc_padding = mtu
        priority = 7
      }
    }
  }
  road : defaults {
    pools = road4, road6
    unique = replace
    reauth_time = 10h
    local {
      certs = head.pem
    }
    remote {
      id = *.example.org
      cacerts = road-ca.pem
      revocation = strict
    }
    children {
      road {
        mode = tunnel
        ah_proposals = sha256
      }
    }
  }
}
defaults {
  version = 2
  proposals = aes256-sha384-ecp384
  fragmentation = accept
}
secrets {
  ike-office {
    id-head = head.example.org
    id-office = office.example.org
    secret = 0sQUJD
  }
  private-head {
    file = head.pem
    secret = sesame
  }
}
pools {
  road4 {
    addrs = 10.9.0.0/24
    dns = 10.1.0.53
    subnet = 10.1.0.0/16, 10.2.0.0/16
  }
  road6 {
    addrs = fd00::100-fd00::1ff
  }
}
authorities {
  extra {
    cacert = extra/ca.pem
  }
}
wayward {
  port = 5500
  retransmit_limit = 20s
  tun_name = tun7
  packet_threads = 4
}
`;

const gatewayFiles = {
  '/etc/swanctl/x509/head.pem': 'certificate head',
  '/etc/swanctl/x509ca/road-ca.pem': 'certificate road-ca',
  '/etc/swanctl/x509ca/extra/ca.pem': 'certificate extra-ca',
  '/etc/swanctl/x509crl/road.crl': 'list road',
  '/etc/swanctl/private/head.pem': 'key head sesame',
};

test('a gateway with two connections', () => {
  const { configuration, host, warnings } = load(gateway, gatewayFiles);
  assert.deepEqual(warnings, []);
  const [office, road] = configuration.connections;

  assert.equal(office!.name, 'office');
  assert.deepEqual(office!.remoteAddresses, [
    { kind: 'address', address: '192.0.2.1' },
    { kind: 'host', name: 'backup.example.org' },
  ]);
  assert.equal(office!.localPort, 5500);
  assert.equal(office!.remotePort, 500);
  assert.equal(office!.dpdDelayMs, 30_000);
  assert.equal(office!.keyingTries, 0);
  assert.equal(office!.fragmentation, 'accept');
  assert.deepEqual(
    [office!.rekeyTimeMs, office!.reauthTimeMs, office!.overTimeMs, office!.jitterTimeMs],
    [4 * hourMs, 0, 24 * minuteMs, 24 * minuteMs],
  );
  assert.deepEqual(office!.local, {
    method: 'psk',
    identity: { idType: 2, data: utf8FromText('head.example.org') },
    certificates: [],
  });
  assert.deepEqual(office!.retransmit, { baseMs: 500, factor: 1.5, tries: 12, jitter: 0.1, limitMs: 20_000 });
  const { proposals, ...lan } = office!.children[0]!;
  assert.equal(proposals.length, 1);
  assert.deepEqual(lan, {
    name: 'lan',
    mode: 'tunnel',
    localSelectors: [{ protocol: 0, startPort: 0, endPort: 65535, start: '10.1.0.0', end: '10.1.255.255' }],
    remoteSelectors: [
      { protocol: 6, startPort: 443, endPort: 443, start: '10.2.0.0', end: '10.2.255.255' },
      { protocol: 0, startPort: 0, endPort: 65535, start: '10.3.0.0', end: '10.3.255.255' },
    ],
    lifetimes: {
      rekeyTimeMs: 30 * minuteMs,
      lifeTimeMs: 33 * minuteMs,
      jitterTimeMs: 3 * minuteMs,
      rekeyBytes: 1_073_741_824,
      lifeBytes: 1_181_116_007,
      jitterBytes: 107_374_183,
      jitterPackets: 0,
    },
    startAction: 'trap',
    closeAction: 'start',
    dpdAction: 'restart',
    updown: '/usr/lib/updown',
    policies: true,
    replayWindow: 32,
    inactivityMs: 10 * minuteMs,
    copyDf: true,
    copyDscp: 'out',
    tfcPadding: 'mtu',
    priority: 7,
  });

  assert.deepEqual([road!.rekeyTimeMs, road!.reauthTimeMs, road!.overTimeMs], [0, 10 * hourMs, hourMs]);
  assert.deepEqual(road!.pools, ['road4', 'road6']);
  assert.deepEqual(road!.local, { method: 'pubkey', certificates: [utf8FromText('DER head')] });
  assert.deepEqual(road!.remote, {
    method: 'pubkey',
    identity: { kind: 'wildcard', idType: 2, pattern: '*.example.org' },
    certificates: [],
    authorities: [utf8FromText('DER road-ca')],
    revocation: 'strict',
  });
  assert.deepEqual(
    road!.children[0]!.proposals.map(({ protocol }) => protocol),
    ['ah'],
  );

  assert.deepEqual(configuration.credentials, {
    sharedSecrets: [
      {
        owners: ['head', 'office'].map((name) => ({
          kind: 'exact',
          identity: { idType: 2, data: utf8FromText(`${name}.example.org`) },
        })),
        secret: utf8FromText('ABC'),
      },
    ],
    privateKeys: [{ publicKey: { kind: 'ed25519', spki: utf8FromText('SPKI head'), bits: 256 } }],
    certificates: [utf8FromText('DER head')],
    authorities: [utf8FromText('DER road-ca'), utf8FromText('DER extra-ca')],
    revocationLists: [utf8FromText('DER list road')],
  });
  assert.deepEqual(configuration.pools, [
    {
      name: 'road4',
      addresses: { address: '10.9.0.0', length: 24 },
      dns: ['10.1.0.53'],
      nbns: [],
      subnets: [
        { address: '10.1.0.0', length: 16 },
        { address: '10.2.0.0', length: 16 },
      ],
    },
    { name: 'road6', addresses: { start: 'fd00::100', end: 'fd00::1ff' }, dns: [], nbns: [], subnets: [] },
  ]);
  assert.deepEqual(configuration.ports, { ike: 5500, natTraversal: 4500 });
  assert.deepEqual(host, {
    logLevel: 'info',
    dataPlane: 'auto',
    tunName: 'tun7',
    tunMtuBytes: 1400,
    packetThreads: 4,
    checkpoint: { enabled: false, acrossBoot: false, maxAgeMs: 120_000 },
    logFormat: 'text',
  });
});

test('an empty text is a configuration without connections', () => {
  const { configuration, warnings } = load('');
  assert.deepEqual(configuration.connections, []);
  assert.deepEqual(configuration.ports, { ike: 500, natTraversal: 4500 });
  assert.deepEqual(warnings, []);
});

test('all errors are reported at once, in the order of the text, and nothing is loaded', () => {
  const text = `conections {
}
connections {
  c {
    remot_addrs = 192.0.2.1
    encap = perhaps
    proposals = aes128-md5-modp2048
    local { auth = eap-tls
    }
    remote { auth = psk
    }
    children {
      d {
        interface = eth0
        rekey_time = 1h30m
        start_action = start
      }
    }
  }
}
top = 1
`;
  assert.deepEqual(errorsOf(text), [
    'swanctl.conf:1:1: unknown section "conections" (did you mean "connections"?)',
    'swanctl.conf:5:5: unknown option "remot_addrs" in connections.<conn> (did you mean "remote_addrs"?)',
    'swanctl.conf:6:13: encap = "perhaps": expected "yes" or "no"',
    'swanctl.conf:7:17: proposals: "md5" (HMAC-MD5) is not supported',
    'swanctl.conf:8:20: auth: "eap-tls": of EAP there is only MSCHAPv2; accepted: "psk", "pubkey", "eap-mschapv2", "eap"',
    'swanctl.conf:14:9: option "interface" is not supported',
    'swanctl.conf:15:22: rekey_time = "1h30m": expected a time in seconds, or with one of the units ms, s, m, h and d, for example "30m"',
    'swanctl.conf:16:24: start_action = start needs an address or host name in remote_addrs',
    'swanctl.conf:21:1: unknown option "top" outside of all sections',
  ]);
});

test('a fault in a template is reported once, where it is written', () => {
  const text = `t { encap = perhaps
local { auth = psk
} remote { auth = psk
} }
connections { a : t { }
b : t { } }`;
  assert.deepEqual(errorsOf(text), ['swanctl.conf:1:13: encap = "perhaps": expected "yes" or "no"']);
});

test('an error in an included file names that file', () => {
  const files = { '/etc/swanctl/conf.d/a.conf': '\n  c { version = 1\n }' };
  const text = 'connections { include conf.d/*.conf\n}';
  assert.equal(
    errorsOf(text, files).at(-1),
    'conf.d/a.conf:2:17: version: "1" is not supported; accepted: "2", "0"',
  );
});

test('each side authenticates exactly once', () => {
  assert.deepEqual(errorsOf('connections { c { local { auth = psk\n } } }'), [
    'swanctl.conf:1:15: connection "c" needs a remote section',
  ]);
  assert.deepEqual(errorsOf(`${connection()}connections { c { remote-2 { auth = psk\n } } }`), [
    'swanctl.conf:14:19: more than one remote authentication round is not supported',
  ]);
});

test('what is accepted without effect is warned of by name and place', () => {
  const text = `${connection({ connection: 'version = 0\naggressive = yes', child: 'ipcomp = yes' })}
unused { x = 1
}
secrets { xauth-bob { id = bob
secret = hush
} }`;
  assert.deepEqual(warningsOf(text, { '/etc/swanctl/pubkey/raw.pem': 'x' }), [
    'pubkey/raw.pem:0:0: /etc/swanctl/pubkey/raw.pem has no effect: pubkey is not supported',
    'swanctl.conf:2:11: version = 0 means 2: there is no IKEv1',
    'swanctl.conf:3:1: option "aggressive" has no effect: not supported (IKEv1 only)',
    'swanctl.conf:11:1: option "ipcomp" has no effect: not supported (Compression is not offered, and refused if the peer offers it)',
    'swanctl.conf:16:1: section "unused" has no effect: nothing inherits from it',
    'swanctl.conf:18:11: section "xauth-bob" has no effect: XAuth belongs to IKEv1',
  ]);
});

test('identities that are none are errors where they are written', () => {
  const text = connection({ local: 'id = bad:1', remote: 'id = bad:2' }).replace(
    'hush',
    'hush\nid-1 = bad:3',
  );
  assert.deepEqual(errorsOf(text), [
    'swanctl.conf:4:6: expected an identity: malformed',
    'swanctl.conf:7:6: expected an identity: malformed',
    'swanctl.conf:13:8: expected an identity: malformed',
  ]);
});

test('lifetimes that contradict each other', () => {
  const text = connection({
    connection: 'rekey_time = 1h\nrand_time = 1h',
    child: 'rekey_time = 20m\nlife_time = 10m\nrekey_packets = 100\nrand_packets = 100',
  });
  assert.deepEqual(errorsOf(text), [
    'swanctl.conf:3:13: rand_time must be less than rekey_time and reauth_time',
    'swanctl.conf:12:13: life_time must be more than rekey_time, or the SA ends before it is replaced',
    'swanctl.conf:14:16: rand_packets must be less than rekey_packets',
  ]);
});

test('a derived random part never reaches the lifetime it is subtracted from', () => {
  const text = connection({ connection: 'over_time = 8h', child: 'life_time = 9h' });
  const [c] = load(text).configuration.connections;
  assert.equal(c!.jitterTimeMs, 2 * hourMs);
  assert.equal(c!.children[0]!.lifetimes.jitterTimeMs, 30 * minuteMs);
});

test('rekeying that is turned off leaves no limits', () => {
  const text = connection({ connection: 'rekey_time = 0', child: 'rekey_time = 0' });
  const [c] = load(text).configuration.connections;
  assert.deepEqual([c!.rekeyTimeMs, c!.overTimeMs, c!.jitterTimeMs], [0, 0, 0]);
  assert.deepEqual(c!.children[0]!.lifetimes, { jitterTimeMs: 0, jitterBytes: 0, jitterPackets: 0 });
});

test('a pool of NBNS servers over IPv6, which IKEv2 cannot tell', () => {
  const text = `${connection()}pools { one {
addrs = 10.9.0.0/24
nbns = 10.9.0.1, fd00::1
} }`;
  assert.deepEqual(errorsOf(text), ['swanctl.conf:16:8: IKEv2 has no attribute for NBNS over IPv6']);
});

test('pools that overlap, have no addresses or do not exist', () => {
  const text = `${connection({ connection: 'pools = one, twoo' })}pools {
one { addrs = 10.9.0.0/24
}
two { addrs = 10.9.0.200-10.9.1.5
}
three { } }`;
  assert.deepEqual(errorsOf(text), [
    'swanctl.conf:2:9: there is no pool "twoo" (did you mean "two"?)',
    'swanctl.conf:17:15: the addresses of pool "two" are also those of pool "one"',
    'swanctl.conf:19:1: pool "three" needs the option "addrs"',
  ]);
});

test('ESP and AH together, and equal ports', () => {
  const text = `${connection({ child: 'ah_proposals = sha256\nesp_proposals = default' })}wayward { port = 4500\n}`;
  assert.deepEqual(errorsOf(text), [
    'swanctl.conf:10:16: a Child SA has either ah_proposals or esp_proposals',
    'swanctl.conf:15:18: port and port_nat_t must differ',
  ]);
});

test('AH is not put into UDP, and has no BEET mode', () => {
  const beet = connection({ connection: 'encap = yes', child: 'ah_proposals = sha256\nmode = beet' });
  assert.deepEqual(errorsOf(beet), [
    'swanctl.conf:10:16: AH cannot go into UDP, as encap = yes wants it',
    'swanctl.conf:10:16: AH has no mode = beet',
  ]);
  assert.deepEqual(errorsOf(connection({ child: 'ah_proposals = sha256' })), []);
});

test('marks and XFRM interfaces, of a child or of all children of a connection', () => {
  const whole = 0xffff_ffff;
  const text = connection({
    connection: 'if_id_in = 5\nif_id_out = 0x6',
    child: 'mark_in = 0x12a/0xff\nset_mark_in = %same\nmark_out = %unique\nif_id_out = %unique-dir',
  });
  assert.deepEqual(load(text).configuration.connections[0]?.children[0]?.kernelTies, {
    inbound: { mark: { value: 0x2a, mask: 0xff }, setMark: 'same', interfaceId: 5 },
    outbound: { mark: 'unique', interfaceId: 'unique-per-direction' },
    markInboundSa: false,
  });
  assert.deepEqual(errorsOf(`${text}wayward { data_plane = userspace\n}`), [
    "swanctl.conf:10:12: marks and XFRM interfaces are the kernel's: data_plane = userspace has none",
  ]);
  const zero = connection({ child: 'mark_in = 0\nmark_out = 0/0\nif_id_in = 0' });
  assert.deepEqual(load(zero).configuration.connections[0]?.children[0]?.kernelTies, {
    inbound: { mark: { value: 0, mask: whole } },
    outbound: {},
    markInboundSa: false,
  });
  assert.deepEqual(
    errorsOf(
      connection({
        connection: 'if_id_out = %unique',
        child: 'mark_in = %same\nset_mark_out = %unique\nmark_out = %unique\nstart_action = trap',
      }),
    ).map((error) => error.replace(/^.*?: /, '')),
    [
      'if_id_out of a connection is a number; %unique is for its children',
      '%same is for set_mark only',
      'set_mark_out is a mark or %same',
      'start_action = trap needs a number: mark_out = %unique is known once there is a Child SA',
    ],
  );
});

test('what a network device is to do of a child, and what it can do nothing of', () => {
  const wanted = (value: string, more = '') => connection({ child: `hw_offload = ${value}\n${more}` });
  const loaded = (text: string) => load(text).configuration.connections[0]?.children[0]?.hardwareOffload;
  assert.equal(loaded(connection()), undefined);
  assert.equal(loaded(wanted('no')), undefined);
  for (const value of ['auto', 'crypto', 'packet'] as const) {
    assert.equal(loaded(wanted(value)), value);
    assert.deepEqual(warningsOf(wanted(value)), []);
  }
  assert.equal(loaded(wanted('yes')), 'crypto');
  assert.deepEqual(errorsOf(wanted('packet', 'ah_proposals = sha256')), [
    'swanctl.conf:10:14: hw_offload = packet: Linux has no device that does AH',
  ]);
  assert.deepEqual(warningsOf(wanted('crypto', 'tfc_padding = mtu')), [
    'swanctl.conf:10:14: hw_offload = crypto and tfc_padding: Linux offloads no SA that pads, so that the Child SA will fail',
  ]);
  const userspace = 'wayward { data_plane = userspace\n}';
  assert.deepEqual(warningsOf(`${wanted('packet', 'ah_proposals = sha256')}${userspace}`), [
    "swanctl.conf:10:14: hw_offload = packet has no effect: devices are the kernel's, and data_plane = userspace",
  ]);
  // It gets what there is.
  assert.deepEqual(warningsOf(`${wanted('auto', 'tfc_padding = mtu')}${userspace}`), []);
});

test('any text under known sections is loaded or refused with typed errors', () => {
  const word = fc.constantFrom(
    ...[
      'connections',
      'c',
      'local',
      'remote',
      'children',
      'secrets',
      'ike',
      'pools',
      'authorities',
      'wayward',
    ],
    ...[
      'secret',
      'auth',
      'certs',
      'id',
      'proposals',
      'local_ts',
      'addrs',
      'vips',
      'psk',
      'default',
      '10.0.0.0/8',
    ],
    ...['{', '}', '{', '}', '=', '\n', ':', ',', '"', '%any', '0'],
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      // Anything but ConfigurationErrors is thrown on by errorsOf.
      for (const message of errorsOf(words.join(' '))) assert.match(message, /^swanctl\.conf:\d+:\d+: /);
    }),
    { numRuns: 3000 },
  );
});

/** A connection of two ends that authenticate so, and the secrets. */
function authenticating(local: string, remote: string, rest = '', secrets = ''): string {
  return `connections { c { remote_addrs = 192.0.2.1
local { ${local}
}
remote { ${remote}
}
children { d { ${rest}
} } } }
secrets { ${secrets}
}`;
}

const ownFiles = {
  '/etc/swanctl/x509/own.pem': 'certificate own',
  '/etc/swanctl/private/own.pem': 'key own',
};
const carolsSecret = 'eap-carol { id = carol\nsecret = tulips\n}';

// RFC 7296 2.16
test('EAP of either end: users, and their passwords', () => {
  const gateway = load(
    authenticating(
      'auth = pubkey\ncerts = own.pem',
      'auth = eap-mschapv2\neap_id = *@example.org',
      '',
      `${carolsSecret} eap-2 { id = dave@example.org\nid-2 = dora@example.org\nsecret = 0x0102\n}`,
    ),
    ownFiles,
  );
  assert.deepEqual(gateway.warnings, []);
  const { connections, credentials } = gateway.configuration;
  assert.equal(connections[0]?.remote.method, 'eap');
  assert.deepEqual(connections[0].remote.identity, { kind: 'any' });
  assert.equal(connections[0].remote.eapIdentity?.kind, 'wildcard');
  assert.deepEqual(
    credentials.eapSecrets?.map(({ owners, secret }) => [owners.length, secret.length]),
    [
      [1, 6],
      [2, 2],
    ],
  );
  for (const method of ['eap', 'EAP-MSCHAPv2']) {
    const client = load(
      authenticating(
        `auth = ${method}\neap_id = carol`,
        'auth = pubkey\nid = vpn.example.org',
        'start_action = start',
        carolsSecret,
      ),
    );
    assert.deepEqual(client.warnings, []);
    const [connection] = client.configuration.connections;
    assert.equal(connection?.local.method, 'eap');
    assert.equal(connection.local.identity, undefined);
    assert.equal(formatIdentity(connection.local.eapIdentity!), 'carol');
  }
});

// RFC 7296 2.16: who is believed to be the gateway can search for the password.
test('a client with a password that takes any gateway is warned', () => {
  const warnings = (remote: string): readonly string[] =>
    warningsOf(
      authenticating('auth = eap\neap_id = carol', `auth = pubkey\n${remote}`, '', carolsSecret),
      ownFiles,
    );
  for (const any of ['', 'id = %any']) {
    assert.deepEqual(warnings(any), [
      'swanctl.conf:5:1: section "remote" has no id: whoever has a certificate can be the gateway, and search for the password',
    ]);
  }
  for (const one of ['id = vpn.example.org', 'id = *.example.org', 'certs = own.pem']) {
    assert.deepEqual(warnings(one), [], one);
  }
});

test('EAP without a certificate at the other end, without a user, or that a gateway would have to begin', () => {
  const own = 'auth = pubkey\ncerts = own.pem';
  assert.deepEqual(errorsOf(authenticating('auth = eap\neap_id = carol', 'auth = psk', '', carolsSecret)), [
    'swanctl.conf:2:16: EAP of the local end needs auth = pubkey at the remote one',
  ]);
  assert.deepEqual(errorsOf(authenticating('auth = psk', 'auth = eap', '', carolsSecret)), [
    'swanctl.conf:4:17: EAP of the remote end needs auth = pubkey at the local one',
  ]);
  assert.deepEqual(
    errorsOf(authenticating('auth = eap\neap_id = carol', 'auth = eap', '', carolsSecret)).length,
    2,
  );
  assert.deepEqual(errorsOf(authenticating('auth = eap', 'auth = pubkey', '', carolsSecret)), [
    'swanctl.conf:2:1: section "local" needs eap_id, the user name, as its auth is EAP',
  ]);
  for (const action of ['start', 'trap']) {
    assert.deepEqual(
      errorsOf(authenticating(own, 'auth = eap', `start_action = ${action}`, carolsSecret), ownFiles),
      [
        `swanctl.conf:7:31: start_action = ${action} cannot be: a peer that authenticates by EAP has to initiate`,
      ],
    );
  }
  assert.deepEqual(errorsOf(authenticating(own, 'auth = eap\neap_id = bad:1', '', carolsSecret), ownFiles), [
    'swanctl.conf:6:10: expected an identity: malformed',
  ]);
  assert.deepEqual(errorsOf(authenticating(own, 'auth = eap', '', 'eap { id = carol\n}'), ownFiles), [
    'swanctl.conf:9:11: section "eap" needs the option "secret"',
  ]);
});

test('EAP whose passwords are nowhere, or everybody’s, is warned of', () => {
  const own = 'auth = pubkey\ncerts = own.pem';
  assert.deepEqual(warningsOf(authenticating(own, 'auth = eap'), ownFiles), [
    'swanctl.conf:1:15: connection "c" has auth = eap, and there is no eap secret',
  ]);
  assert.deepEqual(warningsOf(authenticating(own, 'auth = eap', '', 'eap { secret = x\n}'), ownFiles), [
    'swanctl.conf:9:11: section "eap" has no id: its secret is the password of every user',
  ]);
});
