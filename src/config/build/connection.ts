// A `connections` subsection -> ConnectionConfiguration.
import type { ConnectionConfiguration } from '#engine';
import type { Settings } from '../options/check.ts';
import type { Position } from '../position.ts';
import { buildLocal, buildRemote, checkEap } from './authentication.ts';
import { buildChild } from './child.ts';
import type { BuildContext } from './context.ts';
import type { LoadedCertificate } from './files.ts';
import { buildIkeLifetimes } from './lifetime.ts';
import { buildResumption } from './resumption.ts';

/** A connection, and what it adds to the credentials of the host. */
export interface BuiltConnection {
  readonly connection: ConnectionConfiguration;
  readonly position: Position;
  /** Our own, whose private keys must be there. */
  readonly localCertificates: readonly LoadedCertificate[];
  readonly remoteCertificates: readonly LoadedCertificate[];
  readonly authorities: readonly LoadedCertificate[];
}

/** `undefined` if it has no usable authentication, which has been reported. */
export function buildConnection(settings: Settings, context: BuildContext): BuiltConnection | undefined {
  if (settings.value('version', 'choice') === '0') {
    context.findings.warn(settings.position('version'), 'version = 0 means 2: there is no IKEv1');
  }
  const local = buildLocal(settings, context);
  const remote = buildRemote(settings, context);
  const children = settings
    .sections('children')
    .flatMap((section) => section.sections('<child>'))
    .map((child) => buildChild(child, settings, context));
  const lifetimes = buildIkeLifetimes(settings, context);
  const remoteAddresses = settings.required('remote_addrs', 'remote-addresses');
  checkStartable(settings, remoteAddresses, context);
  checkAuthenticationOnly(settings, context);
  if (local === undefined || remote === undefined) return undefined;
  checkEap(settings, local.authentication, remote.authentication, context);
  const connection: ConnectionConfiguration = {
    name: settings.section.name,
    localAddresses: settings.required('local_addrs', 'remote-addresses'),
    remoteAddresses,
    localPort: settings.value('local_port', 'count') || context.host.ikePort,
    remotePort: settings.required('remote_port', 'count'),
    proposals: settings.required('proposals', 'ike-proposals'),
    local: local.authentication,
    remote: remote.authentication,
    children,
    virtualAddresses: settings.value('vips', 'ip-addresses') ?? [],
    pools: settings.value('pools', 'texts') ?? [],
    encap: settings.required('encap', 'boolean'),
    mobike: settings.required('mobike', 'boolean'),
    fragmentation: settings.required('fragmentation', 'choice') as ConnectionConfiguration['fragmentation'],
    fragmentSizeBytes: context.host.fragmentSizeBytes,
    sendCertreq: settings.required('send_certreq', 'boolean'),
    sendCert: settings.required('send_cert', 'choice') as ConnectionConfiguration['sendCert'],
    unique: settings.required('unique', 'choice') as ConnectionConfiguration['unique'],
    dpdDelayMs: settings.required('dpd_delay', 'duration'),
    ...lifetimes,
    keyingTries: settings.required('keyingtries', 'count'),
    retransmit: context.host.retransmit,
    windowSize: context.host.windowSize,
    messageIdSync: settings.required('message_id_sync', 'boolean'),
    ...buildResumption(settings, context),
    ...unknownSpi(settings),
  };
  return {
    connection,
    position: settings.section.position,
    localCertificates: local.certificates,
    remoteCertificates: remote.certificates,
    authorities: remote.authorities,
  };
}

/** What the connection says otherwise than its host. */
function unknownSpi(
  settings: Settings,
): Pick<ConnectionConfiguration, 'unknownSpiPolicy' | 'quickCrashDetection'> {
  const policy = settings.required('unknown_spi', 'choice');
  const tokens = settings.required('quick_crash_detection', 'choice');
  return {
    ...(policy === 'host' ? {} : { unknownSpiPolicy: policy as 'silent' | 'shy' | 'helpful' | 'debug' }),
    ...(tokens === 'host' ? {} : { quickCrashDetection: tokens === 'yes' }),
  };
}

/** A child that is to start by itself needs somebody to start it with. */
function checkStartable(
  settings: Settings,
  remoteAddresses: ConnectionConfiguration['remoteAddresses'],
  context: BuildContext,
): void {
  if (remoteAddresses.some(({ kind }) => kind === 'address' || kind === 'host')) return;
  for (const child of settings.sections('children').flatMap((section) => section.sections('<child>'))) {
    if (child.value('start_action', 'choice') !== 'start') continue;
    context.findings.error(
      'conflict',
      child.position('start_action'),
      'start_action = start needs an address or host name in remote_addrs',
    );
  }
}

/** AH covers the addresses that a NAT changes, and so has no place in UDP (RFC 3948 1); BEET mode is one of ESP. */
function checkAuthenticationOnly(settings: Settings, context: BuildContext): void {
  for (const child of settings.sections('children').flatMap((section) => section.sections('<child>'))) {
    if (child.value('ah_proposals', 'ah-proposals') === undefined) continue;
    const at = child.position('ah_proposals');
    if (settings.required('encap', 'boolean'))
      context.findings.error('conflict', at, 'AH cannot go into UDP, as encap = yes wants it');
    if (child.required('mode', 'choice') === 'beet')
      context.findings.error('conflict', at, 'AH has no mode = beet');
  }
}
