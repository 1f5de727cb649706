// How a cipher sits in a packet, which does not depend on who computes it.
import type { PacketCipher } from '#crypto';

export type CipherShape = Pick<PacketCipher, 'ivBytes' | 'ivKind' | 'icvBytes' | 'blockBytes'>;
