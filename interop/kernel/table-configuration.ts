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

/** The same of AH, which never goes into UDP. */
export const ahSuites: readonly { readonly proposal: string; readonly seen: RegExp }[] = [
  { proposal: 'sha256-noesn', seen: /^HMAC_SHA2_256_128 *$/ },
  { proposal: 'sha512-esn', seen: /^HMAC_SHA2_512_256 1$/ },
  { proposal: 'sha1-esn', seen: /^HMAC_SHA1_96 1$/ },
];

export const families = ['IPv4', 'IPv6'] as const;
export const encapsulations = ['native', 'in UDP'] as const;

export type OuterFamily = (typeof families)[number];
export type Encapsulation = (typeof encapsulations)[number];
/** What stands around a packet. */
export type Envelope = Encapsulation | 'AH';

const suffixes: Readonly<Record<Envelope, string>> = { native: 'native', 'in UDP': 'udp', AH: 'ah' };

export function connectionName(family: OuterFamily, envelope: Envelope): string {
  return `${family.toLowerCase()}-${suffixes[envelope]}`;
}

export function childName(family: OuterFamily, envelope: Envelope, proposal: string): string {
  return `${connectionName(family, envelope)}-${proposal}`;
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

/** By its name strongSwan tells which of its children is meant. */
function waywardIdentity(envelope: Envelope): string {
  return envelope === 'AH' ? 'wayward-ah.example' : 'wayward.example';
}

/** wayward, outside, begins everything: it says what is proposed and whether UDP is around it. */
export function waywardTable(): string {
  const connections = families.flatMap((family) =>
    ([...encapsulations, 'AH'] as const).map((envelope) => {
      const [keyword, proposals] = envelope === 'AH' ? ['ah', ahSuites] : ['esp', suites];
      const children = proposals.map(
        ({ proposal }) => `
      ${childName(family, envelope, proposal)} {
        local_ts = ${selectors(hostAddresses)}
        remote_ts = ${selectors(guestAddresses)}
        ${keyword}_proposals = ${proposal}
      }`,
      );
      return connection(
        connectionName(family, envelope),
        [hostAddresses.outer[family], waywardIdentity(envelope)],
        [guestAddresses.outer[family], 'strongswan.example'],
        `encap = ${envelope === 'in UDP' ? 'yes' : 'no'}
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
  const connections = families.flatMap((family) =>
    (['native', 'AH'] as const).map((envelope) => {
      const [keyword, proposals] = envelope === 'AH' ? ['ah', ahSuites] : ['esp', suites];
      return connection(
        `${family.toLowerCase()}-${keyword}`,
        [guestAddresses.outer[family], 'strongswan.example'],
        [hostAddresses.outer[family], waywardIdentity(envelope)],
        `unique = never
    children {
      any-${keyword} {
        local_ts = ${selectors(guestAddresses)}
        remote_ts = ${selectors(hostAddresses)}
        ${keyword}_proposals = ${proposals.map(({ proposal }) => proposal).join()}
      }
    }`,
      );
    }),
  );
  return `connections {${connections.join('')}\n}\n${secret.replace('id = @peer@', 'id1 = wayward.example\n    id2 = wayward-ah.example')}`;
}
