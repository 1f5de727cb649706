// What both sides read for the table: a connection for each outer family, natively and in UDP, and a child for each suite.
import { guestAddresses, hostAddresses } from './guest-network.ts';

/** Child SA proposals, and what strongSwan's list of SAs says of each. */
export const suites: readonly { readonly proposal: string; readonly seen: RegExp }[] = [
  { proposal: 'aes128gcm16-esn', seen: /^AES_GCM_16 128 .*1$/ },
  { proposal: 'aes256gcm16-noesn', seen: /^AES_GCM_16 256 *$/ },
  { proposal: 'aes128gcm8-noesn', seen: /^AES_GCM_8 128 *$/ },
  { proposal: 'chacha20poly1305-noesn', seen: /^CHACHA20_POLY1305 *(256)? *$/ },
  { proposal: 'chacha20poly1305-esn', seen: /^CHACHA20_POLY1305 .*1$/ },
  { proposal: 'aes128-sha256-noesn', seen: /^AES_CBC 128 HMAC_SHA2_256_128 *$/ },
  { proposal: 'aes256-sha512-esn', seen: /^AES_CBC 256 HMAC_SHA2_512_256 1$/ },
  { proposal: 'aes128ctr-sha1-noesn', seen: /^AES_CTR 128 HMAC_SHA1_96 *$/ },
  { proposal: 'aes256ccm16-noesn', seen: /^AES_CCM_16 256 *$/ },
  { proposal: 'null-sha256-esn', seen: /^NULL .*HMAC_SHA2_256_128 1$/ },
];

export const families = ['IPv4', 'IPv6'] as const;
export const encapsulations = ['native', 'in UDP'] as const;

export type OuterFamily = (typeof families)[number];
export type Encapsulation = (typeof encapsulations)[number];

export function connectionName(family: OuterFamily, encapsulation: Encapsulation): string {
  return `${family.toLowerCase()}-${encapsulation === 'native' ? 'native' : 'udp'}`;
}

export function childName(family: OuterFamily, encapsulation: Encapsulation, proposal: string): string {
  return `${connectionName(family, encapsulation)}-${proposal}`;
}

const secret = `
secrets {
  ike-table {
    id = @peer@
    secret = "a secret for interoperation"
  }
}
`;

function selectors(local: typeof hostAddresses | typeof guestAddresses): string {
  const { IPv4, IPv6 } = local.inner;
  return `${IPv4}/32, ${IPv6}/128`;
}

function connection(
  name: string,
  [local, localId]: readonly [string, string],
  [remote, remoteId]: readonly [string, string],
  rest: string,
): string {
  return `
  ${name} {
    version = 2
    local_addrs = ${local}
    remote_addrs = ${remote}
    local {
      auth = psk
      id = ${localId}
    }
    remote {
      auth = psk
      id = ${remoteId}
    }
    ${rest}
  }`;
}

/** wayward, outside, begins everything: it says what is proposed and whether UDP is around it. */
export function waywardTable(): string {
  const connections = families.flatMap((family) =>
    encapsulations.map((encapsulation) => {
      const children = suites.map(
        ({ proposal }) => `
      ${childName(family, encapsulation, proposal)} {
        local_ts = ${selectors(hostAddresses)}
        remote_ts = ${selectors(guestAddresses)}
        esp_proposals = ${proposal}
      }`,
      );
      return connection(
        connectionName(family, encapsulation),
        [hostAddresses.outer[family], 'wayward.example'],
        [guestAddresses.outer[family], 'strongswan.example'],
        `encap = ${encapsulation === 'native' ? 'no' : 'yes'}
    unique = never
    children {${children.join('')}
    }`,
      );
    }),
  );
  return `connections {${connections.join('')}\n}\n${secret.replace('@peer@', 'strongswan.example')}`;
}

/** strongSwan takes whatever suite comes. */
export function strongswanTable(): string {
  const connections = families.map((family) =>
    connection(
      family.toLowerCase(),
      [guestAddresses.outer[family], 'strongswan.example'],
      [hostAddresses.outer[family], 'wayward.example'],
      `unique = never
    children {
      any {
        local_ts = ${selectors(guestAddresses)}
        remote_ts = ${selectors(hostAddresses)}
        esp_proposals = ${suites.map(({ proposal }) => proposal).join()}
      }
    }`,
    ),
  );
  return `connections {${connections.join('')}\n}\n${secret.replace('@peer@', 'wayward.example')}`;
}
