// R2: the peer has proven itself, and both SAs stand (RFC 7401 6.10, RFC 7402 6.6).
import { verifyHipMac2, verifyHipSignature } from '#crypto';
import { isNegotiableSpi } from '#sa';
import { HipNotifyType, type HipParameter, hipParameter } from '#wire';
import { hipQuirks } from '../configuration.ts';
import { establish } from '../establish.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import { toldLocators } from '../locators/told-locators.ts';
import { tellOffer } from '../registration/reload.ts';
import { takeR2 } from '../registration/requester.ts';
import { failAttempt } from './failure.ts';

export function receiveR2(state: HipHostState, received: ReceivedPacket): void {
  const { packet } = received;
  const association = state.of(received);
  const attempt = association?.attempt;
  if (association === undefined || attempt?.name !== 'I2-SENT') {
    state.reject(received, 'unexpected');
    return;
  }
  // Where I2 went, the peer has proven to be; where R2 comes from, nothing covers.
  const { r1, keys, inboundSpi, path } = attempt;
  // The MAC first: it is cheap, and whoever has the key is the host that made R1.
  if (!verifyHipMac2(packet, association.remote, keys.peer.integrity, r1.hostId)) {
    state.reject(received, 'mac');
    return;
  }
  const signature2 = state.hasQuirk(association.remote, hipQuirks.signature2InR2);
  const signed =
    verifyHipSignature(packet, r1.identity) ||
    (signature2 && verifyHipSignature(packet, r1.identity, 'HIP_SIGNATURE_2'));
  if (!signed) {
    state.reject(received, 'signature');
    return;
  }
  if (demandsRegistration(packet.parameters)) {
    // RFC 8003 3.2: no association comes of it, and another I2 would have the same answer.
    failAttempt(state, association, 'the peer has associations only with hosts that register with it');
    return;
  }
  const info = hipParameter(packet.parameters, 'ESP_INFO');
  if (info === undefined || info.oldSpi !== 0 || !isNegotiableSpi(info.newSpi)) {
    state.reject(received, info === undefined ? 'missing-parameter' : 'spi');
    return;
  }
  // From here on the keys are those of the association.
  association.attempt = undefined;
  establish(state, association, {
    keys,
    peer: r1.identity,
    path,
    espSuite: r1.espSuite,
    inboundSpi,
    outboundSpi: info.newSpi,
    keymatIndex: attempt.keymatIndex,
    r2: undefined,
    // RFC 6298 3: the answer to a repeated packet says nothing about the time.
    rttMs: attempt.repetitions === 0 ? state.at - attempt.sentAt : undefined,
    registrarOffer: r1.registrarOffer,
    locators: toldLocators(packet.parameters, [info.newSpi], path.remote) ?? r1.locators,
  });
  const standing = association.standing!;
  takeR2(state, association, standing, packet.parameters);
  // RFC 8003 3.1: who is called gets no R1 of ours, and could not register.
  const { registrar } = state.configuration;
  if (registrar !== undefined && registrar.clients?.includes(association.remote) !== false)
    tellOffer(state, association, standing, 'offer');
}

function demandsRegistration(parameters: readonly HipParameter[]): boolean {
  return parameters.some(
    (one) => one.type === 'NOTIFICATION' && one.notifyType === HipNotifyType.REG_REQUIRED,
  );
}
