// `secrets`, `authorities` and swanctl's folders -> Credentials.
import type { PrivateKey } from '#crypto';
import type { Credentials, IdentityPattern, SharedSecret } from '#engine';
import type { Settings } from '../options/check.ts';
import type { ConfigurationFile } from '../ports.ts';
import type { Position } from '../position.ts';
import { identityPattern } from './authentication.ts';
import type { BuiltConnection } from './connection.ts';
import type { BuildContext } from './context.ts';
import { certificatesOfFile, certificatesOfOption, filesInFolder, readOrReport } from './files.ts';

/** Folders of private keys; a passphrase is in the `secrets` section whose name begins like the folder. */
const keyFolders = ['private', 'rsa', 'ecdsa', 'pkcs8'];
/** Folders whose contents swanctl loads and wayward does not use. */
const unusedFolders = ['pubkey', 'x509aa', 'x509ac', 'x509ocsp', 'bliss', 'pkcs12'];

export function buildCredentials(
  secrets: Settings | undefined,
  authorities: readonly Settings[],
  connections: readonly BuiltConnection[],
  context: BuildContext,
): Credentials {
  const privateKeys = keyFolders.flatMap((folder) => keysOfFolder(folder, secrets, context));
  for (const folder of unusedFolders) warnOfUnused(folder, context);
  checkKeysOfCertificates(connections, privateKeys, context);
  const sharedSecrets = secrets?.sections('ike<suffix>').flatMap((one) => sharedSecret(one, context)) ?? [];
  const eapSecrets = secrets?.sections('eap<suffix>').flatMap((one) => eapSecret(one, context)) ?? [];
  if (sharedSecrets.length === 0) warnOfNoSecret(connections, 'psk', context);
  if (eapSecrets.length === 0) warnOfNoSecret(connections, 'eap', context);
  const certificates = certificatesOfFolder('x509', context);
  const trusted = certificatesOfFolder('x509ca', context);
  const lists = filesInFolder('x509crl', context).flatMap(
    ({ file, position }) =>
      readOrReport(file, position, context, (octets) => context.ports.revocationListsFromPem(octets)) ?? [],
  );
  return {
    sharedSecrets,
    ...(eapSecrets.length > 0 && { eapSecrets }),
    privateKeys,
    certificates: distinct([
      ...connections.flatMap(({ localCertificates }) => localCertificates.map(({ der }) => der)),
      ...connections.flatMap(({ remoteCertificates }) => remoteCertificates.map(({ der }) => der)),
      ...certificates,
    ]),
    authorities: distinct([
      ...trusted,
      ...authorities.flatMap((authority) => certificatesOfAuthority(authority, context)),
      ...connections.flatMap((connection) => connection.authorities.map(({ der }) => der)),
    ]),
    revocationLists: distinct(lists.map(({ der }) => der)),
  };
}

function certificatesOfFolder(folder: string, context: BuildContext): readonly Uint8Array[] {
  return filesInFolder(folder, context)
    .flatMap(({ file, position }) => certificatesOfFile(file, position, context))
    .map(({ der }) => der);
}

/** DER trust anchors of one `authorities` subsection. */
export function certificatesOfAuthority(settings: Settings, context: BuildContext): readonly Uint8Array[] {
  if (!settings.section.settings.has('file')) reportMissing(settings, 'cacert', context);
  const certificates = ['cacert', 'file'].flatMap((option) =>
    certificatesOfOption(settings, option, 'x509ca', context),
  );
  return certificates.map(({ der }) => der);
}

function sharedSecret(settings: Settings, context: BuildContext): readonly SharedSecret[] {
  const secret = settings.value('secret', 'secret');
  if (secret === undefined) {
    reportMissing(settings, 'secret', context);
    return [];
  }
  const owners: IdentityPattern[] = [];
  for (const setting of settings.withPrefix('id')) {
    if (typeof setting.value !== 'string') continue;
    const owner = identityPattern(setting.value.trim(), setting.valuePosition, context);
    if (owner !== undefined) owners.push(owner);
  }
  return [{ owners, secret }];
}

function eapSecret(settings: Settings, context: BuildContext): readonly SharedSecret[] {
  const { name, position } = settings.section;
  if (settings.withPrefix('id').length === 0) {
    context.findings.warn(position, `section "${name}" has no id: its secret is the password of every user`);
  }
  return sharedSecret(settings, context);
}

interface Passphrase {
  readonly text: string;
  readonly file: string;
  readonly position: Position;
}

function keysOfFolder(
  folder: string,
  secrets: Settings | undefined,
  context: BuildContext,
): readonly PrivateKey[] {
  const passphrases = (secrets?.sections(`${folder}<suffix>`) ?? []).flatMap((one) =>
    passphrase(one, context),
  );
  const files = filesInFolder(folder, context);
  for (const { file, position } of passphrases) {
    if (files.some(({ file: { path } }) => isNamed(path, folder, file))) continue;
    context.findings.error('file', position, `file: there is no file ${folder}/${file}`);
  }
  return files.flatMap(({ file, position }) => {
    const fitting = passphrases.find((one) => isNamed(file.path, folder, one.file));
    const key = readKey(file, fitting, position, context);
    return key === undefined ? [] : [key];
  });
}

/** A key that cannot be read is reported where its file is named, if it is. */
function readKey(
  file: ConfigurationFile,
  given: Passphrase | undefined,
  position: Position,
  context: BuildContext,
): PrivateKey | undefined {
  return readOrReport(file, given?.position ?? position, context, (octets) =>
    context.ports.privateKeyFromPem(octets, given?.text),
  );
}

function passphrase(settings: Settings, context: BuildContext): readonly Passphrase[] {
  const text = settings.value('secret', 'passphrase');
  const file = settings.value('file', 'text');
  if (text === undefined) reportMissing(settings, 'secret', context);
  if (file === undefined) reportMissing(settings, 'file', context);
  if (text === undefined || file === undefined) return [];
  return [{ text, file, position: settings.position('file') }];
}

function isNamed(path: string, folder: string, name: string): boolean {
  return name.startsWith('/')
    ? path === name
    : path === `${folder}/${name}` || path.endsWith(`/${folder}/${name}`);
}

/** Unless the option is there and faulty, which has been reported. */
function reportMissing(settings: Settings, option: string, context: BuildContext): void {
  if (settings.section.settings.get(option)?.value !== undefined) return;
  const { name, position } = settings.section;
  context.findings.error('missing', position, `section "${name}" needs the option "${option}"`);
}

/** Of the candidates of one `local` section, one is enough. */
function checkKeysOfCertificates(
  connections: readonly BuiltConnection[],
  keys: readonly PrivateKey[],
  context: BuildContext,
): void {
  const held = new Set(keys.map(({ publicKey }) => octetsKey(publicKey.spki)));
  for (const { connection, localCertificates } of connections) {
    if (connection.local.method !== 'pubkey' || localCertificates.length === 0) continue;
    if (localCertificates.some(({ publicKey }) => held.has(octetsKey(publicKey.spki)))) continue;
    const { position, source } = localCertificates[0]!;
    context.findings.error('missing', position, `certs: there is no private key for ${source}`);
  }
}

/** No error: a secret may come over vici. */
function warnOfNoSecret(
  connections: readonly BuiltConnection[],
  method: 'psk' | 'eap',
  context: BuildContext,
): void {
  const kind = method === 'psk' ? 'ike' : 'eap';
  for (const { connection, position } of connections) {
    if (connection.local.method !== method && connection.remote.method !== method) continue;
    context.findings.warn(
      position,
      `connection "${connection.name}" has auth = ${method}, and there is no ${kind} secret`,
    );
  }
}

function warnOfUnused(folder: string, context: BuildContext): void {
  for (const { file, position } of filesInFolder(folder, context)) {
    context.findings.warn(position, `${file.path} has no effect: ${folder} is not supported`);
  }
}

function distinct(items: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(items.map((item) => [octetsKey(item), item])).values()];
}

function octetsKey(octets: Uint8Array): string {
  return octets.join(',');
}
