// How the kernel says what became of a request: NLMSG_ERROR, of which errno 0 is the acknowledgement, and NLMSG_DONE.
import { Reader } from '../reader.ts';
import { decodeNetlinkText, readNetlinkAttributes } from './attribute.ts';
import {
  NetlinkControlType,
  NetlinkFlag,
  type NetlinkMessage,
  netlinkHeaderLength,
  skipNetlinkPadding,
} from './message.ts';

export interface NetlinkOutcome {
  /** Positive, as errno(3) has them; 0 when all went well. */
  readonly errno: number;
  /** What the kernel says about an error, if it says anything (extended acknowledgements, Linux 4.12). */
  readonly text?: string;
}

/** NLMSGERR_ATTR_MSG. */
const messageAttribute = 1;

/** The end of an answer, or undefined for a message that is part of one. Throws `WireError`. */
export function decodeNetlinkOutcome(message: NetlinkMessage): NetlinkOutcome | undefined {
  if (message.type === NetlinkControlType.DONE) {
    // Older kernels end a dump without any payload.
    return message.payload.length === 0 ? { errno: 0 } : readOutcome(new Reader(message.payload), message);
  }
  if (message.type !== NetlinkControlType.ERROR) return undefined;
  const reader = new Reader(message.payload);
  const outcome = readErrno(reader);
  // The request comes back: all of it after an error, unless that is too much, and its header alone when all went well.
  const quoted = reader.u32LittleEndian('nlmsgerr.length');
  const whole = outcome !== 0 && (message.flags & NetlinkFlag.CAPPED) === 0;
  const rest = (whole ? Math.max(quoted, netlinkHeaderLength) : netlinkHeaderLength) - 4;
  reader.skip(rest, 'nlmsgerr.request');
  if (whole) skipNetlinkPadding(reader, quoted);
  return finish(outcome, reader, message);
}

function readOutcome(reader: Reader, message: NetlinkMessage): NetlinkOutcome {
  return finish(readErrno(reader), reader, message);
}

/** The kernel's are negative. */
function readErrno(reader: Reader): number {
  return -(reader.u32LittleEndian('nlmsgerr.error') | 0) | 0;
}

function finish(errno: number, reader: Reader, { flags }: NetlinkMessage): NetlinkOutcome {
  if ((flags & NetlinkFlag.ACK_ATTRIBUTES) === 0) return { errno };
  const text = readNetlinkAttributes(reader).find(({ type }) => type === messageAttribute);
  return text === undefined ? { errno } : { errno, text: decodeNetlinkText(text.payload) };
}
