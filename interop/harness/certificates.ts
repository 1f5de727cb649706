// Certificates made by strongSwan's `pki`: a root that both sides trust, a certificate for each, and chains in between.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from './peer.ts';
import { runProgram } from './processes.ts';
import type { Stage } from './stage.ts';

export type KeyType = 'rsa' | 'ecdsa' | 'ed25519';

/** Arguments of `pki --gen` for each type. */
const keyOptions: Readonly<Record<KeyType, readonly string[]>> = {
  rsa: ['--type', 'rsa', '--size', '2048'],
  ecdsa: ['--type', 'ecdsa', '--size', '256'],
  ed25519: ['--type', 'ed25519'],
};

/** The identity in the certificate of each side. */
export const certifiedNames = { wayward: 'left.example', strongswan: 'right.example' } as const;

/** A certificate with its key, as PEM texts and as files. */
interface Certified {
  readonly certificate: string;
  readonly key: string;
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** Few plugins: by default pki loads a hundred, and makes RSA keys with one that takes seconds. */
const settings = `pki {
  load = random openssl sha1 sha2 pem pkcs1 pkcs8 pubkey x509
}
`;

/** @param folder where its settings are, and all that it makes */
async function pki(folder: string, ...words: readonly string[]): Promise<string> {
  return runProgram(['pki', ...words, '--outform', 'pem'], {
    environment: { STRONGSWAN_CONF: join(folder, 'strongswan.conf') },
  });
}

async function makeKey(
  folder: string,
  name: string,
  type: KeyType,
): Promise<{ key: string; keyPath: string }> {
  const key = await pki(folder, '--gen', ...keyOptions[type]);
  const keyPath = join(folder, `${name}.key`);
  await writeFile(keyPath, key);
  return { key, keyPath };
}

async function store(folder: string, name: string, certificate: string): Promise<string> {
  const certificatePath = join(folder, `${name}.pem`);
  await writeFile(certificatePath, certificate);
  return certificatePath;
}

/** Whose files are to be made: its kind tells its name. */
type Certifiable = Pick<Peer, 'kind' | 'folder'>;

/** A root that signs itself. */
export async function makeRoot(folder: string, name: string, type: KeyType): Promise<Certified> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'strongswan.conf'), settings);
  const { key, keyPath } = await makeKey(folder, name, type);
  const subject = ['--dn', `C=CH, O=wayward, CN=${name}`];
  const certificate = await pki(folder, '--self', '--ca', '--in', keyPath, '--type', 'priv', ...subject);
  return { key, keyPath, certificate, certificatePath: await store(folder, name, certificate) };
}

async function issue(
  folder: string,
  issuer: Certified,
  name: string,
  type: KeyType,
  options: readonly string[],
): Promise<Certified> {
  const { key, keyPath } = await makeKey(folder, name, type);
  const by = ['--cacert', issuer.certificatePath, '--cakey', issuer.keyPath];
  const subject = ['--dn', `C=CH, O=wayward, CN=${name}`];
  const certificate = await pki(
    folder,
    '--issue',
    ...by,
    '--in',
    keyPath,
    '--type',
    'priv',
    ...subject,
    ...options,
  );
  return { key, keyPath, certificate, certificatePath: await store(folder, name, certificate) };
}

/** Gives a peer its certificate `own.pem` with its key, and the intermediates of its chain, which it does not trust. */
export async function certifyPeer(
  stage: Pick<Stage, 'folder'>,
  peer: Certifiable,
  root: Certified,
  type: KeyType,
  intermediates = 0,
): Promise<void> {
  const folder = join(stage.folder, 'pki');
  let issuer = root;
  for (let i = 1; i <= intermediates; i++) {
    issuer = await issue(folder, issuer, `${peer.kind} intermediate ${i}`, type, ['--ca']);
    await put(peer, 'x509', `intermediate-${i}.pem`, issuer.certificate);
  }
  const name = certifiedNames[peer.kind];
  const own = await issue(folder, issuer, name, type, ['--san', name, '--flag', 'serverAuth']);
  await put(peer, 'x509', 'own.pem', own.certificate);
  await put(peer, 'private', 'own.pem', own.key);
}

export async function trust(peer: Certifiable, root: Certified): Promise<void> {
  await put(peer, 'x509ca', 'root.pem', root.certificate);
}

async function put(peer: Certifiable, folder: string, name: string, text: string): Promise<void> {
  await mkdir(join(peer.folder, folder), { recursive: true });
  await writeFile(join(peer.folder, folder, name), text, { mode: 0o600 });
}

/** One root for both sides, and a certificate for each. */
export async function certifyBoth(
  stage: { readonly folder: string; readonly peers: readonly Certifiable[] },
  type: KeyType,
  intermediates = 0,
): Promise<void> {
  const root = await makeRoot(join(stage.folder, 'pki'), 'root', type);
  await Promise.all(
    stage.peers.map(async (peer) => {
      await trust(peer, root);
      await certifyPeer(stage, peer, root, type, intermediates);
    }),
  );
}

/** A certificate for one side, and its root for the other: all that EAP needs of certificates. */
export async function certifyGateway(
  stage: Pick<Stage, 'folder'>,
  gateway: Certifiable,
  client: Certifiable,
  type: KeyType = 'ecdsa',
): Promise<void> {
  const root = await makeRoot(join(stage.folder, 'pki'), 'root', type);
  await certifyPeer(stage, gateway, root, type);
  await trust(client, root);
}
