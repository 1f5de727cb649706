// What both sides read for a soak. Three tunnels side by side differ in whose lifetimes end: wayward's, strongSwan's, or those
// of both at the same time, so that their rekeyings meet.
import { guestAddresses, hostAddresses } from '../guest-network.ts';

export const tunnels = ['ours', 'theirs', 'both'] as const;
export type Tunnel = (typeof tunnels)[number];

/** Where a daemon runs. */
export type Place = 'host' | 'guest';

const outer = { host: hostAddresses.outer.IPv4, guest: guestAddresses.outer.IPv4 };

/** Addresses behind either end, on its loopback device. */
export const inner: Readonly<Record<Place, Readonly<Record<Tunnel, string>>>> = {
  host: { ours: hostAddresses.inner.IPv4, theirs: '10.2.0.8', both: '10.2.0.9' },
  guest: { ours: guestAddresses.inner.IPv4, theirs: '10.1.0.8', both: '10.1.0.9' },
};
const inner6 = { host: hostAddresses.inner.IPv6, guest: guestAddresses.inner.IPv6 };

/** Of the pair, how long until it is replaced; nobody's lifetime ends within a soak. */
export const childRekeySeconds = 20;
export const ikeRekeySeconds = 150;
const never = '0s';

export interface SoakSide {
  readonly kind: 'wayward' | 'strongswan';
  readonly place: Place;
  /** Which tunnels have UDP around their ESP. */
  readonly encapsulated: (tunnel: Tunnel) => boolean;
}

function lifetimes(kind: SoakSide['kind'], tunnel: Tunnel): { readonly ike: string; readonly child: string } {
  const mine = tunnel === 'both' || (tunnel === 'ours') === (kind === 'wayward');
  return {
    ike: `rekey_time = ${mine ? `${ikeRekeySeconds}s` : never}\n    over_time = 600s\n    rand_time = 0s`,
    child: `rekey_time = ${mine ? `${childRekeySeconds}s` : never}\n        life_time = 600s\n        rand_time = 0s`,
  };
}

function connection({ kind, place, encapsulated }: SoakSide, tunnel: Tunnel): string {
  const peerPlace = place === 'host' ? 'guest' : 'host';
  const peerKind = kind === 'wayward' ? 'strongswan' : 'wayward';
  const selectors = (at: Place): string =>
    tunnel === 'ours' ? `${inner[at].ours}/32, ${inner6[at]}/128` : `${inner[at][tunnel]}/32`;
  const { ike, child } = lifetimes(kind, tunnel);
  return `
  ${tunnel} {
    version = 2
    local_addrs = ${outer[place]}
    remote_addrs = ${outer[peerPlace]}
    unique = never
    encap = ${encapsulated(tunnel) ? 'yes' : 'no'}
    dpd_delay = 30s
    ${ike}
    local {
      auth = psk
      id = ${tunnel}.${kind}.example
    }
    remote {
      auth = psk
      id = ${tunnel}.${peerKind}.example
    }
    children {
      ${tunnel}-net {
        local_ts = ${selectors(place)}
        remote_ts = ${selectors(peerPlace)}
        ${child}
      }
    }
  }`;
}

/** What is remembered on purpose has reached its bound before anything is compared: it is no leak. */
const waywardSettings = `
wayward {
  spi_history = 32
}
`;

export function soakConfiguration(side: SoakSide): string {
  const peerKind = side.kind === 'wayward' ? 'strongswan' : 'wayward';
  const secrets = tunnels.map(
    (tunnel) => `
  ike-${tunnel} {
    id = ${tunnel}.${peerKind}.example
    secret = "a secret for interoperation"
  }`,
  );
  const connections = tunnels.map((tunnel) => connection(side, tunnel));
  const more = side.kind === 'wayward' ? waywardSettings : '';
  return `connections {${connections.join('')}\n}\nsecrets {${secrets.join('')}\n}\n${more}`;
}

/** Both families in the first tunnel. */
export function pingPaths(): readonly {
  readonly tunnel: Tunnel;
  readonly source: string;
  readonly destination: string;
}[] {
  return [
    ...tunnels.map((tunnel) => ({ tunnel, source: inner.host[tunnel], destination: inner.guest[tunnel] })),
    { tunnel: 'ours', source: inner6.host, destination: inner6.guest },
  ];
}
