// `wayward hip keygen`, `identity` and `hosts`: what needs no daemon.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ConfigurationErrors, parseHipHosts, utf8Fault } from '#config';
import { CryptoError, type HostIdentity, hipRecordOf, hostIdentityOf, privateKeyFromPem } from '#crypto';
import { ConfigurationFileError, loadConfigurationFile } from '#daemon';
import type { HipPeer } from '#engine';
import { hitAddress } from '#sa';
import { readNamedFile } from './named-file.ts';
import type { ControlOutcome } from './outcome.ts';

export const hipKeyTypes = ['p256', 'p384', 'rsa'] as const;
export type HipKeyType = (typeof hipKeyTypes)[number];

/** With 3072 bits, an R1 in group MODP_3072 is larger than the 1280 octets that pass everywhere. */
const rsaBits = 2048;

/** Writes a new key to a file that only its owner can read, and that was not there before. */
export function hipKeygen(path: string, type: HipKeyType): ControlOutcome {
  const pem = newKey(type).export({ type: 'pkcs8', format: 'pem' });
  return attempt(() => {
    writeFileSync(path, pem, { mode: 0o600, flag: 'wx' });
    const identity = identityOfFile(path);
    return { lines: [hitAddress(identity.hit)], value: identityObject(identity) };
  });
}

function newKey(type: HipKeyType): KeyObject {
  switch (type) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: rsaBits }).privateKey;
  }
}

interface NamedIdentity {
  readonly name: string;
  readonly identity: HostIdentity;
}

/**
 * Shows the identity of a key file, or those of a configuration.
 *
 * @param owner the domain name that the resource records are for; absent: the name of the identity
 */
export function hipIdentity(
  source: { readonly key: string } | { readonly configuration: string },
  owner: string | undefined,
): ControlOutcome {
  return attempt(() => {
    const identities =
      'key' in source
        ? [{ name: basename(source.key).replace(/\.[^.]*$/, ''), identity: identityOfFile(source.key) }]
        : identitiesOf(source.configuration);
    return {
      lines: identities.flatMap((one) => identityLines(one, owner)),
      value: identities.map(({ identity }) => identityObject(identity)),
    };
  });
}

function identitiesOf(configuration: string): readonly NamedIdentity[] {
  const { hip } = loadConfigurationFile(configuration).configuration;
  if (hip === undefined) throw new CliError(`${configuration} has no Host Identity`);
  return hip.identities.map(({ identity }) => ({ name: hitAddress(identity.hit), identity }));
}

function identityOfFile(path: string): HostIdentity {
  try {
    return hostIdentityOf(privateKeyFromPem(new Uint8Array(readNamedFile(path))).publicKey);
  } catch (error) {
    if (error instanceof CryptoError) throw new CliError(`${path}: ${error.message}`);
    throw error;
  }
}

function identityObject(identity: HostIdentity): object {
  return {
    hit: hitAddress(identity.hit),
    key: keyText(identity),
    hostIdentity: base64(identity.octets),
    record: recordText(identity),
  };
}

function identityLines({ name, identity }: NamedIdentity, owner: string | undefined): string[] {
  return [
    `HIT            ${hitAddress(identity.hit)}`,
    `key            ${keyText(identity)}`,
    `Host Identity  ${base64(identity.octets)}`,
    `${owner ?? (name.includes(':') ? '@' : name)} IN HIP ${recordText(identity)}`,
  ];
}

function keyText({ publicKey: { kind, bits } }: HostIdentity): string {
  return kind === 'rsa' ? `RSA, ${bits} bits` : `ECDSA, P-${bits}`;
}

/** RFC 8005 6: algorithm, HIT in hexadecimal, key in Base64, on one line. */
function recordText(identity: HostIdentity): string {
  const { algorithm, hit, publicKey } = hipRecordOf(identity);
  return `( ${algorithm} ${hit.toUpperCase()} ${base64(publicKey)} )`;
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64');
}

/** Lists the peers of a hosts file or of a configuration, as lines of a hosts file. */
export function hipHosts(
  source: { readonly hosts: string } | { readonly configuration: string },
): ControlOutcome {
  return attempt(() => {
    const peers =
      'hosts' in source
        ? parseHipHosts(textOfFile(source.hosts), source.hosts)
        : (loadConfigurationFile(source.configuration).configuration.hip?.peers ?? []);
    return { lines: peers.map(hostsLine), value: peers.map(peerObject) };
  });
}

/** Another encoding would show names that nobody has written. */
function textOfFile(path: string): string {
  const octets = readNamedFile(path);
  const fault = utf8Fault(octets);
  if (fault !== undefined) throw new ConfigurationFileError(`${path}: ${fault}`);
  return octets.toString();
}

/** Addresses of a server are none of the peer's. */
function hostsLine({ name, hit, addresses, rendezvous }: HipPeer): string {
  const own = addresses === rendezvous?.addresses ? [] : addresses;
  const words = [hit === undefined ? '# any' : hitAddress(hit), ...own];
  return hit !== undefined && name === hitAddress(hit) ? words.join(' ') : [...words, name].join(' ');
}

function peerObject({ hit, localHit, ...rest }: HipPeer): object {
  return {
    ...rest,
    ...(hit !== undefined && { hit: hitAddress(hit) }),
    ...(localHit !== undefined && { localHit: hitAddress(localHit) }),
  };
}

class CliError extends Error {
  readonly code = 'cli' as const;
}

/** What a file, a key or the system refuses has a code; mistakes of ours have none. */
function attempt(work: () => Pick<ControlOutcome, 'lines' | 'value'>): ControlOutcome {
  try {
    return { ok: true, ...work() };
  } catch (error) {
    if (error instanceof ConfigurationErrors)
      return { ok: false, usage: true, lines: error.errors.map(({ message }) => message) };
    if (error instanceof ConfigurationFileError) return { ok: false, usage: true, lines: [error.message] };
    if (error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string')
      return { ok: false, lines: [error.message] };
    throw error;
  }
}
