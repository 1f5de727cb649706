// `local` and `remote` sections -> how each side proves who it is.
import type { Identity, IdentityPattern, LocalAuthentication, RemoteAuthentication } from '#engine';
import type { Settings } from '../options/check.ts';
import { problemOf } from '../ports.ts';
import type { Position } from '../position.ts';
import type { BuildContext } from './context.ts';
import { certificatesOfOption, type LoadedCertificate } from './files.ts';

/** One side, and the certificates that its section has brought along. */
export interface BuiltAuthentication<T> {
  readonly authentication: T;
  readonly certificates: readonly LoadedCertificate[];
  readonly authorities: readonly LoadedCertificate[];
}

export function buildLocal(
  connection: Settings,
  context: BuildContext,
): BuiltAuthentication<LocalAuthentication> | undefined {
  const settings = onlyRound(connection, 'local', context);
  if (settings === undefined) return undefined;
  const method = settings.required('auth', 'authentication') === 'psk' ? 'psk' : 'pubkey';
  // A method that was not understood is reported already, and may have needed none.
  const understood =
    settings.section.settings.get('auth')?.value === undefined ||
    settings.value('auth', 'authentication') !== undefined;
  const certificates = certificatesOf(settings, 'certs', 'cert', 'x509', context);
  // Certificates that are named but cannot be had are reported already.
  const named = settings.section.settings.has('certs') || settings.sections('cert<suffix>').length > 0;
  if (understood && method === 'pubkey' && certificates.length === 0 && !named) {
    context.findings.error(
      'missing',
      settings.section.position,
      `section "${settings.section.name}" needs certs, as its auth is pubkey`,
    );
  }
  const identity = exactIdentity(settings, context);
  const ders = certificates.map(({ der }) => der);
  return {
    authentication:
      identity === undefined ? { method, certificates: ders } : { method, identity, certificates: ders },
    certificates,
    authorities: [],
  };
}

export function buildRemote(
  connection: Settings,
  context: BuildContext,
): BuiltAuthentication<RemoteAuthentication> | undefined {
  const settings = onlyRound(connection, 'remote', context);
  if (settings === undefined) return undefined;
  const method = settings.required('auth', 'authentication') as RemoteAuthentication['method'];
  const certificates = certificatesOf(settings, 'certs', 'cert', 'x509', context);
  const authorities = certificatesOf(settings, 'cacerts', 'cacert', 'x509ca', context);
  const text = settings.required('id', 'identity');
  return {
    authentication: {
      method,
      identity: identityPattern(text, settings.position('id'), context) ?? { kind: 'any' },
      certificates: certificates.map(({ der }) => der),
      authorities: authorities.map(({ der }) => der),
      revocation: settings.required('revocation', 'choice') as RemoteAuthentication['revocation'],
    },
    certificates,
    authorities,
  };
}

/** The pattern a text stands for; `undefined` after a reported fault. */
export function identityPattern(
  text: string,
  position: Position,
  context: BuildContext,
): IdentityPattern | undefined {
  try {
    return context.ports.identityPatternFromText(text);
  } catch (error) {
    context.findings.error('bad-value', position, `expected an identity: ${problemOf(error)}`);
    return undefined;
  }
}

/** RFC 4739's further rounds are not supported: there is one section per side. */
function onlyRound(
  connection: Settings,
  side: 'local' | 'remote',
  context: BuildContext,
): Settings | undefined {
  const [first, second] = connection.sections(`${side}<suffix>`);
  if (first === undefined) {
    const name = connection.section.name;
    context.findings.error(
      'missing',
      connection.section.position,
      `connection "${name}" needs a ${side} section`,
    );
  }
  if (second !== undefined) {
    context.findings.error(
      'unsupported',
      second.section.position,
      `more than one ${side} authentication round is not supported`,
    );
  }
  return first;
}

function exactIdentity(settings: Settings, context: BuildContext): Identity | undefined {
  const text = settings.value('id', 'identity');
  if (text === undefined || text === '%any') return undefined;
  try {
    return context.ports.identityFromText(text);
  } catch (error) {
    context.findings.error('bad-value', settings.position('id'), `expected an identity: ${problemOf(error)}`);
    return undefined;
  }
}

/** Those of the list `certs`, and those of the sections `cert<suffix>`. */
function certificatesOf(
  settings: Settings,
  list: string,
  section: string,
  folder: string,
  context: BuildContext,
): readonly LoadedCertificate[] {
  const inSections = settings
    .sections(`${section}<suffix>`)
    .flatMap((one) => certificatesOfOption(one, 'file', folder, context));
  return [...certificatesOfOption(settings, list, folder, context), ...inSections];
}
