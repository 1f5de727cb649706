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
  const method = methodOf(settings.required('auth', 'authentication'));
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
  const identity = exactIdentity(settings, 'id', context);
  const eapIdentity = exactIdentity(settings, 'eap_id', context);
  if (method === 'eap' && identity === undefined && eapIdentity === undefined) {
    context.findings.error(
      'missing',
      settings.section.position,
      `section "${settings.section.name}" needs eap_id, the user name, as its auth is EAP`,
    );
  }
  return {
    authentication: {
      method,
      ...(identity !== undefined && { identity }),
      ...(eapIdentity !== undefined && { eapIdentity }),
      certificates: certificates.map(({ der }) => der),
    },
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
  const text = settings.required('auth', 'authentication');
  const method = text === 'any' ? 'any' : methodOf(text);
  const certificates = certificatesOf(settings, 'certs', 'cert', 'x509', context);
  const authorities = certificatesOf(settings, 'cacerts', 'cacert', 'x509ca', context);
  const patternOf = (option: string, pattern: string): IdentityPattern =>
    identityPattern(pattern, settings.position(option), context) ?? { kind: 'any' };
  const users = settings.value('eap_id', 'identity');
  return {
    authentication: {
      method,
      identity: patternOf('id', settings.required('id', 'identity')),
      ...(users !== undefined && { eapIdentity: patternOf('eap_id', users) }),
      certificates: certificates.map(({ der }) => der),
      authorities: authorities.map(({ der }) => der),
      revocation: settings.required('revocation', 'choice') as RemoteAuthentication['revocation'],
    },
    certificates,
    authorities,
  };
}

function methodOf(text: string): 'psk' | 'pubkey' | 'eap' {
  if (text === 'psk' || text === 'pubkey') return text;
  return 'eap';
}

/** RFC 7296 2.16: EAP is for initiators, and a responder that it serves has a certificate. */
export function checkEap(
  connection: Settings,
  local: LocalAuthentication,
  remote: RemoteAuthentication,
  context: BuildContext,
): void {
  for (const [side, other, eap, method] of [
    ['local', 'remote', local.method, remote.method],
    ['remote', 'local', remote.method, local.method],
  ] as const) {
    if (eap !== 'eap' || method === 'pubkey') continue;
    const [section] = connection.sections(`${side}<suffix>`);
    context.findings.error(
      'conflict',
      section?.position('auth') ?? connection.section.position,
      `EAP of the ${side} end needs auth = pubkey at the ${other} one`,
    );
  }
  if (local.method === 'eap' && remote.identity.kind === 'any' && remote.certificates.length === 0) {
    const [section] = connection.sections('remote<suffix>');
    const { name, position } = section?.section ?? connection.section;
    const detail = 'whoever has a certificate can be the gateway, and search for the password';
    context.findings.warn(position, `section "${name}" has no id: ${detail}`);
  }
  if (remote.method !== 'eap') return;
  for (const child of connection.sections('children').flatMap((section) => section.sections('<child>'))) {
    const action = child.value('start_action', 'choice');
    if (action === undefined || action === 'none') continue;
    context.findings.error(
      'conflict',
      child.position('start_action'),
      `start_action = ${action} cannot be: a peer that authenticates by EAP has to initiate`,
    );
  }
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

function exactIdentity(
  settings: Settings,
  option: 'id' | 'eap_id',
  context: BuildContext,
): Identity | undefined {
  const text = settings.value(option, 'identity');
  if (text === undefined || text === '%any') return undefined;
  try {
    return context.ports.identityFromText(text);
  } catch (error) {
    context.findings.error(
      'bad-value',
      settings.position(option),
      `expected an identity: ${problemOf(error)}`,
    );
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
