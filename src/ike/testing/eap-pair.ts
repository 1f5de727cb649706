// A client with a password and a gateway with a certificate: moon is carol's, sun is the gateway.
import { privateKeyFromPkcs8 } from '#crypto';
import type { ConnectionConfiguration, Credentials, Identity, SharedSecret } from '../configuration.ts';
import { authority, sunCertificate, sunKey } from './certificates.ts';
import { connection, fqdn, text } from './connections.ts';
import { Pair } from './pair.ts';

export const carol: Identity = fqdn('carol');
export const dave: Identity = fqdn('dave');

export function passwordOf(user: Identity, password: string): SharedSecret {
  return { owners: [{ kind: 'exact', identity: user }], secret: text(password) };
}

export function clientConnection(change: Partial<ConnectionConfiguration> = {}): ConnectionConfiguration {
  const base = connection('moon');
  return {
    ...base,
    local: { method: 'eap', eapIdentity: carol, certificates: [] },
    remote: { ...base.remote, method: 'pubkey' },
    ...change,
  };
}

export function gatewayConnection(change: Partial<ConnectionConfiguration> = {}): ConnectionConfiguration {
  const base = connection('sun');
  return {
    ...base,
    local: { ...base.local, method: 'pubkey', certificates: [sunCertificate] },
    remote: { ...base.remote, method: 'eap', identity: { kind: 'any' }, eapIdentity: { kind: 'any' } },
    ...change,
  };
}

export function clientCredentials(password = 'tulips'): Credentials {
  return {
    sharedSecrets: [],
    eapSecrets: [passwordOf(carol, password)],
    privateKeys: [],
    certificates: [],
    authorities: [authority],
    revocationLists: [],
  };
}

export function gatewayCredentials(change: Partial<Credentials> = {}): Credentials {
  return {
    sharedSecrets: [],
    eapSecrets: [passwordOf(dave, 'roses'), passwordOf(carol, 'tulips')],
    privateKeys: [privateKeyFromPkcs8(sunKey)],
    certificates: [sunCertificate],
    authorities: [],
    revocationLists: [],
    ...change,
  };
}

export function eapPair({
  client = {},
  gateway = {},
  password = 'tulips',
}: {
  readonly client?: Partial<ConnectionConfiguration>;
  readonly gateway?: Partial<ConnectionConfiguration>;
  readonly password?: string;
} = {}): Pair {
  return new Pair({
    moon: { connections: [clientConnection(client)], credentials: clientCredentials(password) },
    sun: { connections: [gatewayConnection(gateway)], credentials: gatewayCredentials() },
  });
}
