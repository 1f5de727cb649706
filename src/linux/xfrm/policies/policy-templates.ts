// What a policy says of the SAs that are to carry its packets.
import { addressBytes, type IpAddress, type PolicyParameters } from '#sa';
import { XfrmMode, type XfrmTemplate } from '#wire';
import type { KernelSa } from '../states/kernel-sa.ts';
import { familyOf, modeNumber, protocolNumber } from '../states/kernel-state.ts';
import type { Pair } from '../states/sa-pairs.ts';
import type { PolicyTemplates } from './policy-message.ts';

const allAlgorithms = 0xffff_ffff;

const anyAlgorithm = {
  share: 0,
  optional: false,
  authenticationAlgorithms: allAlgorithms,
  encryptionAlgorithms: allAlgorithms,
  compressionAlgorithms: allAlgorithms,
};

/** `undefined` as long as a direction has no SA. */
export function pairTemplates(pair: Pair): PolicyTemplates | undefined {
  const all = [...pair.sas];
  const outbound = pair.outbound ?? all.find(({ direction }) => direction === 'outbound');
  // An older one may be where the peer was: what lingers does not move any more.
  const inbound = all.findLast(({ direction }) => direction === 'inbound');
  if (outbound === undefined || inbound === undefined) return undefined;
  return {
    outbound: template(outbound, outbound.spi),
    inbound: template(inbound, 0),
    devices: { ...deviceFor(outbound), ...deviceFor(inbound) },
  };
}

/** The same without a device. */
export function softwareTemplates({ outbound, inbound }: PolicyTemplates): PolicyTemplates {
  return { outbound, inbound };
}

function deviceFor({ direction, device }: KernelSa): PolicyTemplates['devices'] {
  return device?.kind === 'packet' ? { [direction]: device.interfaceIndex } : {};
}

/** The peer's address is not known yet, and the kernel does not need it to ask for an SA. */
export function trapTemplates({ mode, selectors }: PolicyParameters, requestId: number): PolicyTemplates {
  const ipv6 = selectors.remote[0]?.start.includes(':') ?? false;
  const one: XfrmTemplate = {
    ...placeholder(ipv6),
    spi: 0,
    protocol: protocolNumber('esp'),
    requestId,
    mode: modeNumber(mode),
    ...anyAlgorithm,
  };
  return { outbound: one, inbound: { ...one, optional: true } };
}

function template(sa: KernelSa, spi: number): XfrmTemplate {
  const inbound = sa.direction === 'inbound';
  const [source, destination] = inbound ? [sa.remote, sa.local] : [sa.local, sa.remote];
  const mode = modeNumber(sa.mode);
  const none = new Uint8Array(addressBytes(sa.local.address).length);
  return {
    family: familyOf(sa.local.address),
    // In transport mode the packet's own addresses are those of the SA.
    source: mode === XfrmMode.TRANSPORT ? none : addressBytes(source.address),
    destination: mode === XfrmMode.TRANSPORT ? none : addressBytes(destination.address),
    spi,
    protocol: protocolNumber(sa.protocol),
    requestId: sa.requestId,
    mode,
    ...anyAlgorithm,
  };
}

/** A source, so that the kernel looks for no route to a peer whose address nobody has told. */
function placeholder(ipv6: boolean): Pick<XfrmTemplate, 'family' | 'source' | 'destination'> {
  const bytes = (text: string): Uint8Array => addressBytes(text as IpAddress);
  return ipv6
    ? { family: familyOf('::' as IpAddress), source: bytes('::1'), destination: bytes('::') }
    : {
        family: familyOf('0.0.0.0' as IpAddress),
        source: bytes('127.0.0.1'),
        destination: bytes('0.0.0.0'),
      };
}
