// struct xfrm_replay_state and xfrm_replay_state_esn: how far an SA's sequence numbers are.
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

/** Of an SA with a window of at most 32 packets and without ESN. */
export interface XfrmReplay {
  readonly outboundSequence: number;
  readonly sequence: number;
  readonly bitmap: number;
}

export interface XfrmReplayEsn {
  readonly outboundSequence: number;
  readonly outboundSequenceHigh: number;
  readonly sequence: number;
  readonly sequenceHigh: number;
  /** Packets, at most 32 for each word of the bitmap. */
  readonly replayWindow: number;
  readonly bitmap: readonly number[];
}

/** XFRMA_REPLAY_ESN_MAX: 4096 packets. */
const bitmapWordsMax = 128;

export function encodeReplay({ outboundSequence, sequence, bitmap }: XfrmReplay): Uint8Array {
  return new Writer(12)
    .u32LittleEndian(outboundSequence, 'xfrm_replay_state.oseq')
    .u32LittleEndian(sequence, 'xfrm_replay_state.seq')
    .u32LittleEndian(bitmap, 'xfrm_replay_state.bitmap')
    .finish();
}

export function decodeReplay(octets: Uint8Array): XfrmReplay {
  const reader = new Reader(octets);
  const replay = {
    outboundSequence: reader.u32LittleEndian('xfrm_replay_state.oseq'),
    sequence: reader.u32LittleEndian('xfrm_replay_state.seq'),
    bitmap: reader.u32LittleEndian('xfrm_replay_state.bitmap'),
  };
  reader.end('xfrm_replay_state');
  return replay;
}

export function encodeReplayEsn(replay: XfrmReplayEsn): Uint8Array {
  const { bitmap } = replay;
  const writer = new Writer(24 + 4 * bitmap.length);
  if (bitmap.length > bitmapWordsMax) throw writer.fail('limit', 'xfrm_replay_state_esn.bmp_len');
  writer
    .u32LittleEndian(bitmap.length, 'xfrm_replay_state_esn.bmp_len')
    .u32LittleEndian(replay.outboundSequence, 'xfrm_replay_state_esn.oseq')
    .u32LittleEndian(replay.sequence, 'xfrm_replay_state_esn.seq')
    .u32LittleEndian(replay.outboundSequenceHigh, 'xfrm_replay_state_esn.oseq_hi')
    .u32LittleEndian(replay.sequenceHigh, 'xfrm_replay_state_esn.seq_hi')
    .u32LittleEndian(replay.replayWindow, 'xfrm_replay_state_esn.replay_window');
  for (const word of bitmap) writer.u32LittleEndian(word, 'xfrm_replay_state_esn.bmp');
  return writer.finish();
}

export function decodeReplayEsn(octets: Uint8Array): XfrmReplayEsn {
  const reader = new Reader(octets);
  const words = reader.u32LittleEndian('xfrm_replay_state_esn.bmp_len');
  if (words > bitmapWordsMax) throw reader.failAt(0, 'limit', 'xfrm_replay_state_esn.bmp_len');
  const replay = {
    outboundSequence: reader.u32LittleEndian('xfrm_replay_state_esn.oseq'),
    sequence: reader.u32LittleEndian('xfrm_replay_state_esn.seq'),
    outboundSequenceHigh: reader.u32LittleEndian('xfrm_replay_state_esn.oseq_hi'),
    sequenceHigh: reader.u32LittleEndian('xfrm_replay_state_esn.seq_hi'),
    replayWindow: reader.u32LittleEndian('xfrm_replay_state_esn.replay_window'),
    bitmap: readBitmap(reader, words),
  };
  reader.end('xfrm_replay_state_esn');
  return replay;
}

/** The kernel takes a structure without its bitmap, and so does iproute2 write it: all zeros. */
function readBitmap(reader: Reader, words: number): number[] {
  if (reader.remaining === 0) return new Array<number>(words).fill(0);
  return Array.from({ length: words }, () => reader.u32LittleEndian('xfrm_replay_state_esn.bmp'));
}
