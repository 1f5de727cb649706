// Notifies outside of any protection: INVALID_SPI, INVALID_IKE_SPI and tokens, which lost state makes hosts say.
import { formatSpi, spiFromBytes } from '#sa';
import { exchangeTypeName, type IkeMessage, NotifyType } from '#wire';
import type { Conversation } from '../conversation.ts';
import type { Datagram } from '../ingress/datagram.ts';
import { notifies, notifyText } from './payload-text.ts';
import type { TrackedIkeSa } from './tracked-ike-sa.ts';

/** @param sa the IKE SA whose SPIs the message has, if it is known */
export function unprotectedMessage(
  conversation: Conversation,
  { at, source, destination }: Datagram,
  message: IkeMessage,
  sa: TrackedIkeSa | undefined,
): void {
  const { events, findings } = conversation;
  const side = conversation.sideOf(source.address);
  const { address } = source;
  const tokens = notifies(message.payloads).filter(
    ({ notifyType }) => notifyType === NotifyType.QUICK_CRASH_DETECTION,
  ).length;
  const withToken = tokens > 0 ? ', with a QCD token as the proof' : '';
  let told = false;
  for (const notify of notifies(message.payloads)) {
    if (notify.notifyType === NotifyType.INVALID_SPI) {
      told = true;
      const spi = spiFromBytes(notify.data) ?? spiFromBytes(notify.spi);
      conversation.silence.unknownSpi(side, at);
      const flow = [...conversation.flows.values()].find(
        (one) => one.spi === spi && one.source === destination.address,
      );
      const name = spi === undefined ? 'an SPI it does not name' : `SPI ${formatSpi(spi)}`;
      const known = flow === undefined ? ' (no packet with that SPI is in the capture)' : '';
      const isFirst = findings.find(at, {
        code: 'invalid-spi',
        severity: 'problem',
        about: `${address} ${spi ?? ''}`,
        what: `${address} does not know ${name}${withToken}${known}`,
        why: `INVALID_SPI in an unprotected message, frame ${at.frame}`,
        advice:
          `${address} lost its state, or ${destination.address} uses an SA that is gone. ` +
          (tokens > 0
            ? `If the token is right, ${destination.address} may end the SA at once and call again (RFC 6290 5).`
            : `The notify proves nothing by itself: ${destination.address} should check liveness (RFC 7296 2.4), and negotiate ` +
              'anew if that fails.'),
      });
      if (isFirst)
        events.tell(at, 'invalid-spi', `${address} says that it does not know ${name}${withToken}`);
    } else if (notify.notifyType === NotifyType.INVALID_IKE_SPI) {
      told = true;
      conversation.silence.unknownSpi(side, at);
      const name = sa?.name ?? `IKE SA ${message.header.initiatorSpi}_i ${message.header.responderSpi}_r`;
      const isFirst = findings.find(at, {
        code: 'invalid-ike-spi',
        severity: 'problem',
        about: `${address} ${name}`,
        what: `${address} does not know ${name}${withToken}`,
        why: `INVALID_IKE_SPI as the answer to ${exchangeTypeName(message.header.exchangeType)} ${message.header.messageId}, frame ${at.frame}`,
        advice: `${address} lost the IKE SA, most likely by a restart. ${
          tokens > 0
            ? 'The token lets the other side end the SA at once (RFC 6290).'
            : 'Without a token it is a hint only, so that the other side goes on until its retransmissions end.'
        }`,
      });
      if (isFirst)
        events.tell(at, 'invalid-ike-spi', `${address} says that it does not know ${name}${withToken}`);
    }
  }
  if (told) return;
  const names = notifies(message.payloads).map(notifyText).join(' ') || 'no notify';
  findings.find(at, {
    code: 'unprotected',
    severity: 'notice',
    about: address,
    what: `${address} sends ${exchangeTypeName(message.header.exchangeType)} without protection`,
    why: `frame ${at.frame} carries ${names} and no encrypted payload`,
    advice: 'Receivers ignore it, or should: anybody can send such a message.',
  });
}
