// Commands that load and unload connections, credentials, authorities and pools.
import type { SharedSecret } from '#engine';
import { type ViciMessage, viciText } from '#wire';
import type { ConfigurationStore, SecretKind } from './configuration-store.ts';
import { CommandRefused, success, type ViciCommand, type ViciHost } from './host.ts';
import { requiredOctets, requiredText, sections, texts } from './request.ts';

export function loadingCommands(
  host: ViciHost,
  store: ConfigurationStore,
): Readonly<Record<string, ViciCommand>> {
  const named = (request: ViciMessage): string => requiredText(request, 'name', 'missing name');
  const each =
    (load: (name: string, section: ViciMessage) => Promise<void>): ViciCommand =>
    async (request) => {
      for (const [name, section] of sections(request)) await load(name, section);
      return success;
    };
  return {
    'load-conn': each((name, section) => store.loadConnection(name, section)),
    'unload-conn': async (request) => {
      await store.unloadConnection(named(request));
      return success;
    },
    'get-conns': () => ({ conns: store.current.connections.map(({ name }) => name) }),
    'load-pool': each((name, section) => store.loadPool(name, section)),
    'unload-pool': async (request) => {
      await store.unloadPool(named(request));
      return success;
    },
    'load-authority': each((name, section) => store.loadAuthority(name, section)),
    'unload-authority': async (request) => {
      await store.unloadAuthority(named(request));
      return success;
    },
    'get-authorities': () => ({ authorities: store.authorities.map(({ name }) => name) }),
    'load-cert': (request) => loadCertificate(host, store, request),
    'load-key': (request) => loadKey(host, store, request),
    'unload-key': async (request) => {
      const id = requiredText(request, 'id', 'key id missing');
      const removed = await store.removeKey((spki) => hex(host.keyIdentifier(spki)) === id.toLowerCase());
      if (!removed) throw new CommandRefused('key not found');
      return success;
    },
    'get-keys': () => ({
      keys: store.current.credentials.privateKeys.map(({ publicKey }) =>
        hex(host.keyIdentifier(publicKey.spki)),
      ),
    }),
    'load-token': () => {
      throw new CommandRefused('tokens and smartcards are not supported');
    },
    'load-shared': (request) => loadShared(host, store, request),
    'unload-shared': async (request) => {
      await store.removeSecret(requiredText(request, 'id', 'unique identifier missing'));
      return success;
    },
    'get-shared': () => ({ keys: store.secretNames }),
    // Nothing is cached: certificates that peers send are forgotten with their exchange.
    'flush-certs': () => success,
    'clear-creds': async () => {
      await store.clearCredentials();
      return success;
    },
  };
}

/** What a port of the configuration threw for bad input has a `code`; anything else is a mistake of ours. */
function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new CommandRefused(`parsing ${what} failed: ${error.message}`);
  }
}

async function loadCertificate(
  host: ViciHost,
  store: ConfigurationStore,
  request: ViciMessage,
): Promise<ViciMessage> {
  const type = requiredText(request, 'type', 'certificate type missing').toUpperCase();
  const flag = (viciText(request, 'flag') ?? 'NONE').toUpperCase();
  const data = requiredOctets(request, 'data', 'certificate data missing');
  const ports = host.configurationPorts;
  switch (type) {
    case 'X509': {
      if (flag !== 'NONE' && flag !== 'CA')
        throw new CommandRefused(`certificates with flag ${flag} are not supported`);
      const certificates = parsed('X509 certificate', () => ports.certificatesFromPem(data));
      await store.addCertificates(
        flag === 'CA' ? 'authorities' : 'certificates',
        certificates.map(({ der }) => der),
      );
      return success;
    }
    case 'X509_CRL': {
      const lists = parsed('X509_CRL certificate', () => ports.revocationListsFromPem(data));
      await store.addCertificates(
        'revocationLists',
        lists.map(({ der }) => der),
      );
      return success;
    }
    default:
      throw new CommandRefused(`certificates of type ${type} are not supported`);
  }
}

async function loadKey(
  host: ViciHost,
  store: ConfigurationStore,
  request: ViciMessage,
): Promise<ViciMessage> {
  const type = requiredText(request, 'type', 'private key type missing');
  const data = requiredOctets(request, 'data', 'private key data missing');
  const key = parsed(`${type} private key`, () => host.configurationPorts.privateKeyFromPem(data));
  await store.addKey(key);
  return { ...success, id: hex(host.keyIdentifier(key.publicKey.spki)) };
}

const secretKinds: ReadonlyMap<string, SecretKind> = new Map([
  ['IKE', 'sharedSecrets'],
  ['EAP', 'eapSecrets'],
]);

async function loadShared(
  host: ViciHost,
  store: ConfigurationStore,
  request: ViciMessage,
): Promise<ViciMessage> {
  const type = requiredText(request, 'type', 'shared key type missing');
  const kind = secretKinds.get(type.toUpperCase());
  if (kind === undefined) {
    throw new CommandRefused(
      ['XAUTH', 'NTLM', 'PPK'].includes(type.toUpperCase())
        ? `${type.toUpperCase()} secrets are not supported`
        : `invalid shared key type: ${type}`,
    );
  }
  const secret: SharedSecret = {
    owners: texts(request, 'owners').map((owner) =>
      parsed(`owner ${owner}`, () => host.configurationPorts.identityPatternFromText(owner)),
    ),
    secret: requiredOctets(request, 'data', 'shared key data missing'),
  };
  await store.addSecret(kind, viciText(request, 'id'), secret);
  return success;
}

function hex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
