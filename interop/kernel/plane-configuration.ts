// What both sides read where wayward is in the guest. strongSwan's own ESP knows UDP encapsulation only, so it says that it
// is behind a NAT; wayward is not, and follows where the peer moves.
import { guestAddresses, hostAddresses } from './guest-network.ts';
import { farAddresses } from './narrow-path.ts';

const families = ['IPv4', 'IPv6'] as const;

const nets = (ipv4: string, ipv6: string): string => `${ipv4}, ${ipv6}`;
const behindGuest = nets('10.1.0.0/24', 'fd01::/64');
const behindHost = nets('10.2.0.0/24', 'fd02::/64');
const behindFar = nets('10.3.0.0/24', 'fd03::/64');

function connection(
  family: (typeof families)[number],
  ours: 'guest' | 'host',
  children: string,
  name: string = family.toLowerCase(),
  outside: { readonly outer: Readonly<Record<'IPv4' | 'IPv6', string>> } = hostAddresses,
): string {
  const [local, remote] = ours === 'guest' ? [guestAddresses, outside] : [outside, guestAddresses];
  const [localId, remoteId] =
    ours === 'guest' ? ['wayward.example', 'strongswan.example'] : ['strongswan.example', 'wayward.example'];
  return `
  ${name} {
    version = 2
    local_addrs = ${name === 'roaming' ? '10.99.0.0/16' : local.outer[family]}
    remote_addrs = ${remote.outer[family]}
    encap = ${ours === 'guest' ? 'no' : 'yes'}
    dpd_delay = 60s
    local {
      auth = psk
      id = ${localId}
    }
    remote {
      auth = psk
      id = ${remoteId}
    }
    children {${children}
    }
  }`;
}

function child(name: string, local: string, remote: string, more = ''): string {
  return `
      ${name} {
        local_ts = ${local}
        remote_ts = ${remote}
        ${more}
      }`;
}

const secrets = (peer: string): string => `
secrets {
  ike-plane {
    id = ${peer}
    secret = "a secret for interoperation"
  }
}
`;

/** The trap's selectors are in those of strongSwan's only child, and narrower than those of the tunnel. */
const more =
  child('trapped', '10.1.0.1/32', '10.2.0.9/32', 'start_action = trap') +
  child(
    'short',
    '10.1.0.0/24',
    '10.2.0.8/32',
    'rekey_packets = 30\n        life_packets = 400\n        rand_packets = 1',
  ) +
  child(
    'marked',
    '10.1.0.1/32',
    '10.2.0.10/32',
    'mark_in = 0x2a/0xff\n        set_mark_in = %same\n        mark_out = 0x2a/0xff',
  ) +
  ['auto', 'crypto', 'packet']
    .map((offload) => child(`offload-${offload}`, '10.1.0.1/32', '10.2.0.1/32', `hw_offload = ${offload}`))
    .join('');

export const planeWayward: string = `connections {${families
  .map((family) =>
    connection(
      family,
      'guest',
      child(`net-${family.toLowerCase()}`, behindGuest, behindHost) + (family === 'IPv4' ? more : ''),
    ),
  )
  .join('')}${connection('IPv4', 'guest', child('net-roaming', behindGuest, behindHost), 'roaming')}${families
  .map((family) => {
    const name = `narrow-${family.toLowerCase()}`;
    const whole = child(`${name}-whole`, '10.1.0.1/32, fd01::1/128', '0.0.0.0/0, ::/0');
    return connection(family, 'guest', child(name, behindGuest, behindFar) + whole, name, farAddresses);
  })
  .join('')}
}
${secrets('strongswan.example')}
wayward {
  record_key = record.key
  unknown_spi = helpful
  # A guest may be slow to answer, and recovery is played elsewhere.
  parallel_attempts = no
  retransmit_timeout = 5s
  checkpoint {
    enabled = yes
  }
}
`;

export const planeStrongswan: string = `connections {${families
  .map((family) => connection(family, 'host', child('net', behindHost, behindGuest)))
  .join('')}
}
${secrets('wayward.example')}`;

/** Of the gateway behind a narrow path. */
export const farStrongswan: string = `connections {${families
  .map((family) =>
    connection(
      family,
      'host',
      child('net', behindFar, behindGuest) + child('whole', '0.0.0.0/0, ::/0', '10.1.0.1/32, fd01::1/128'),
      family.toLowerCase(),
      farAddresses,
    ),
  )
  .join('')}
}
${secrets('wayward.example')}`;
