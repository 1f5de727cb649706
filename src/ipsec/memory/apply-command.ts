// SA commands on a SAD and an SPD: checks, results, nothing else.
import { CryptoError } from '#crypto';
import { isNegotiableSpi, type SaCommand, type SaParameters, type SaResult } from '#sa';
import { beetAddresses } from '../inner-addresses.ts';
import type { Spd } from '../policy/spd.ts';
import type { ReceivedMarks } from '../received-marks.ts';
import { replayWindowPacketsMax } from '../replay-window.ts';
import type { Sad } from '../sad.ts';
import { InboundSa, OutboundSa, type SaState } from '../security-association.ts';

const done: SaResult = { ok: true };

const tiesDetail = "marks and XFRM interfaces are the kernel's: they need data_plane = kernel";

type Refusal = Extract<SaResult, { ok: false }>['code'];

function refuse(code: Refusal, detail: string): SaResult {
  return { ok: false, code, detail };
}

/** What new SAs are made with. */
export interface InstallOptions extends Pick<SaState, 'makeCipher' | 'progress'> {
  readonly receivedMarks?: ReceivedMarks | undefined;
}

/**
 * @param at monotonic milliseconds, from which lifetimes are counted
 * @param options of the SA, if one is installed
 */
export function applyCommand(
  sad: Sad,
  spd: Spd,
  command: SaCommand,
  at: number,
  options: InstallOptions = {},
): SaResult {
  switch (command.kind) {
    case 'install':
      return install(sad, command.sa, at, options);
    case 'use-outbound':
      return sad.useOutbound(command) ? done : refuse('missing', 'the pair has no such outbound SA');
    case 'update-addresses':
      return updateAddresses(sad, command);
    case 'extend-reservation':
      return extendReservation(sad, command);
    case 'remove':
      if (!sad.remove(command)) return refuse('missing', `the pair has no such ${command.direction} SA`);
      if (command.direction === 'inbound' && command.protocol === 'esp')
        options.receivedMarks?.close(command.spi);
      return done;
    case 'install-policy':
      if (command.policy.kernelTies !== undefined) return refuse('unsupported', tiesDetail);
      if (command.policy.action === 'protect' && command.policy.childId === undefined) {
        return refuse('failed', 'a protect policy names the pair that protects');
      }
      spd.install(command.policy);
      return done;
    case 'remove-policy':
      return spd.remove(command.policyId) ? done : refuse('missing', `no policy ${command.policyId}`);
  }
}

function install(sad: Sad, parameters: SaParameters, at: number, options: InstallOptions): SaResult {
  const { protocol, mode, spi, replayWindow, direction } = parameters;
  if (parameters.kernelTies !== undefined) return refuse('unsupported', tiesDetail);
  if (protocol === 'ah') {
    if (mode === 'beet') return refuse('unsupported', 'BEET mode is one of ESP');
    // RFC 3948 1: AH covers the addresses that a NAT changes.
    if (parameters.encapsulation !== undefined) return refuse('unsupported', 'AH in UDP');
    if (parameters.encryption !== undefined) return refuse('failed', 'AH encrypts nothing');
  }
  if (mode === 'beet' && beetAddresses(parameters) === undefined) {
    return refuse('failed', 'BEET mode needs one inner address on each side, both of one family');
  }
  if (!isNegotiableSpi(spi)) return refuse('failed', `SPI ${spi} is reserved`);
  if (replayWindow > replayWindowPacketsMax) {
    return refuse('unsupported', `a replay window of more than ${replayWindowPacketsMax} packets`);
  }
  if (sad.isTaken(parameters)) return refuse('exists', `the ${direction} SPI is taken`);
  try {
    if (direction === 'inbound') {
      const sa = new InboundSa(parameters, at, options);
      // Only SAs of which somebody keeps how far they may go can be gone on with.
      if (protocol === 'esp' && sa.reservation !== undefined)
        sa.window.mark = options.receivedMarks?.open(spi, sa.lastSequence);
      sad.addInbound(sa, at);
    } else sad.addOutbound(new OutboundSa(parameters, at, options), at);
    return done;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return refuse(error.code === 'unsupported' ? 'unsupported' : 'failed', error.message);
  }
}

function extendReservation(sad: Sad, command: Extract<SaCommand, { kind: 'extend-reservation' }>): SaResult {
  const sa = sad.find(command);
  if (sa === undefined) return refuse('missing', `the pair has no such ${command.direction} SA`);
  if (sa.reservation === undefined) return refuse('failed', 'all numbers of the SA may be used');
  sa.reservation.extend(sa.lastSequence, command.limit);
  return done;
}

function updateAddresses(sad: Sad, command: Extract<SaCommand, { kind: 'update-addresses' }>): SaResult {
  const { protocol, direction, local, remote, encapsulated } = command;
  if (protocol === 'ah' && encapsulated) return refuse('unsupported', 'AH in UDP');
  const sa = sad.find(command);
  if (sa === undefined) return refuse('missing', `the pair has no such ${direction} SA`);
  if (!('sequence' in sa)) {
    sa.move(local, remote, encapsulated);
    return done;
  }
  if (!sad.moveOutbound(sa, local, remote, encapsulated))
    return refuse('exists', 'the outbound SPI is taken at the new address');
  sa.unverified = command.unverified === true;
  return done;
}
