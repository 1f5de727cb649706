// A gateway with a certificate, sun, and a client with a password, moon, who is carol to it.
import { privateKeyFromPkcs8 } from '#crypto';
import { type ConnectionConfiguration, type Identity, identityFromText } from '#ike';
import { address, parsePrefix } from '#sa';
import type { EngineConfiguration } from '../configuration.ts';
import { child, configuration, connection, type HostName } from './configurations.ts';
import { sharedSecret, text } from './connections.ts';
import { EnginePair } from './two-engines.ts';

function octets(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** "O=wayward test, CN=sun.example.org" with that DNS name, P-256, self-signed. Made once with OpenSSL 3.0.19 (`openssl req -x509`). */
const certificate = octets(
  `
    MIIB1DCCAXugAwIBAgIULhGabh3/ofDMN87GB78U1S9A9k8wCgYIKoZIzj0EAwIwMTEVMBMGA1UECgwMd2F5d2FyZCB0ZXN0
    MRgwFgYDVQQDDA9zdW4uZXhhbXBsZS5vcmcwIBcNMjYxMjAxMTMwODA4WhgPMjEyNjExMDcxMzA4MDhaMDExFTATBgNVBAoM
    DHdheXdhcmQgdGVzdDEYMBYGA1UEAwwPc3VuLmV4YW1wbGUub3JnMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2QdX2F+1
    47UHE6lkRNJPw1RZpvrEFzvYWR2iwihe4PTe5NzutPKAE6MTLPMT+UM69Uz78PtgY4ogUqErJJEp4aNvMG0wHQYDVR0OBBYE
    FCGbYFy8SpviOc+2nH3UMiUxOz1JMB8GA1UdIwQYMBaAFCGbYFy8SpviOc+2nH3UMiUxOz1JMA8GA1UdEwEB/wQFMAMBAf8w
    GgYDVR0RBBMwEYIPc3VuLmV4YW1wbGUub3JnMAoGCCqGSM49BAMCA0cAMEQCIFS0Y4fGlyoY7F+hRYqYYdLVZcmbCjNVAJLT
    zZpVcuPpAiAFEsAniCAramQFEcbxv0agRVDkghh2lSYfS2b21FAwHA==
  `,
);

/** PKCS#8 of `certificate`. */
const key = octets(
  `
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDZx2nY937PnsFpWQgNaemEUy4uiKSr/4YJc6dyGGx2WhRANC
    AATZB1fYX7XjtQcTqWRE0k/DVFmm+sQXO9hZHaLCKF7g9N7k3O608oAToxMs8xP5Qzr1TPvw+2BjiiBSoSskkSnh
  `,
);

export const carol: Identity = identityFromText('carol');
const secret = { owners: [{ kind: 'exact', identity: carol }], secret: text('tulips') } as const;
/** The outer or the virtual address. */
export const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;

/**
 * @param gateway what its connection has otherwise
 * @param others with a pre-shared key
 */
export function eapConfigurations(
  gateway: Partial<ConnectionConfiguration> = {},
  password = 'tulips',
  others?: Readonly<Record<HostName, ConnectionConfiguration>>,
): Readonly<Record<HostName, EngineConfiguration>> {
  const client = connection('moon');
  const server = connection('sun');
  const plain = sharedSecret('x');
  return {
    moon: configuration('moon', {
      connections: [
        {
          ...client,
          local: { method: 'eap', eapIdentity: carol, certificates: [] },
          remote: { ...client.remote, method: 'pubkey', certificates: [certificate] },
          virtualAddresses: [address('0.0.0.0')],
          children: [child('moon', { localSelectors: [dynamic] })],
        },
        ...(others === undefined ? [] : [others.moon]),
      ],
      credentials: { ...plain, eapSecrets: [{ ...secret, secret: text(password) }] },
    }),
    sun: configuration('sun', {
      connections: [
        {
          ...server,
          local: { ...server.local, method: 'pubkey', certificates: [certificate] },
          remote: {
            ...server.remote,
            method: 'eap',
            identity: { kind: 'any' },
            eapIdentity: { kind: 'any' },
          },
          pools: ['road'],
          children: [child('sun', { remoteSelectors: [dynamic] })],
          ...gateway,
        },
        ...(others === undefined ? [] : [others.sun]),
      ],
      pools: [{ name: 'road', addresses: parsePrefix('10.9.0.0/24')!, dns: [], nbns: [], subnets: [] }],
      credentials: {
        ...plain,
        eapSecrets: [secret],
        privateKeys: [privateKeyFromPkcs8(key)],
        certificates: [certificate],
      },
    }),
  };
}

/** The same, up and about. */
export function eapHosts(...how: Parameters<typeof eapConfigurations>): EnginePair {
  return new EnginePair(eapConfigurations(...how));
}
