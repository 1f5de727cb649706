// An Initiator whose I2 packets a test may make as it likes: the puzzle is solved, and MAC and signature fit whatever they say.
import {
  appendHipMac,
  appendHipSignature,
  HipKeymat,
  type Randomness,
  rhashOf,
  sealHipParameters,
  searchPuzzleSolution,
  seededRandomness,
} from '#crypto';
import { keyExchangeOfDhGroup } from '#sa';
import {
  decodeHipPacket,
  encodeHipPacket,
  HipDhGroup,
  HipPacketType,
  type HipParameter,
  HipParameterType,
  type Hit,
  hipParameter,
} from '#wire';
import type { LocalIdentity } from '../configuration.ts';

const cipher = 2;

export interface I2Change {
  /** In place of those of the same type, or besides. */
  readonly parameters?: readonly HipParameter[];
  /** What ENCRYPTED has, in place of HOST_ID. */
  readonly hidden?: readonly HipParameter[];
  /** By whom it is signed. */
  readonly signer?: LocalIdentity;
  /** An octet of its MAC is another one. */
  readonly wrongMac?: true;
  readonly keymatIndex?: number;
  readonly spi?: number;
}

export class HandmadeInitiator {
  readonly #identity: LocalIdentity;
  readonly #responder: Hit;
  readonly #randomness: Randomness = seededRandomness(Uint8Array.of(7));

  constructor(identity: LocalIdentity, responder: Hit) {
    this.#identity = identity;
    this.#responder = responder;
  }

  /** With a checksum of zero, as for UDP. */
  get i1(): Uint8Array {
    return this.#bare(HipPacketType.I1, [{ type: 'DH_GROUP_LIST', groups: [HipDhGroup.ECP_256] }]);
  }

  #bare(packetType: number, parameters: readonly HipParameter[]): Uint8Array {
    const { hit: sender } = this.#identity.identity;
    return encodeHipPacket({
      header: { packetType, anonymous: false, sender, receiver: this.#responder },
      parameters,
    });
  }

  /** @param r1 out of UDP */
  i2(r1: Uint8Array, change: I2Change = {}): Uint8Array {
    const { parameters } = decodeHipPacket(r1);
    const { random, difficulty, opaque } = hipParameter(parameters, 'PUZZLE')!;
    const { publicValue: theirs, group } = hipParameter(parameters, 'DIFFIE_HELLMAN')!;
    const { identity, key } = this.#identity;
    const [initiator, responder] = [identity.hit, this.#responder];
    const keyPair = this.#randomness.keyPair(keyExchangeOfDhGroup(group)!);
    const start = this.#randomness.bytes(rhashOf(responder).hashBytes);
    const search = searchPuzzleSolution({ initiator, responder, random, difficulty }, start, 1 << 20);
    if (!search.solved) throw new Error('no solution');
    const { solution } = search;
    const sharedSecret = keyPair.agree(theirs);
    const drawn = new HipKeymat({ initiator, responder, sharedSecret, random, solution }).drawHipKeys(cipher);
    const { algorithm, octets: hostIdentity } = identity;
    const hidden = change.hidden ?? [{ type: 'HOST_ID', algorithm, hostIdentity }];
    const { encryption, integrity } = drawn.initiator;
    const usual: readonly HipParameter[] = [
      {
        type: 'ESP_INFO',
        keymatIndex: change.keymatIndex ?? drawn.nextIndex,
        oldSpi: 0,
        newSpi: change.spi ?? 0x1000,
      },
      { type: 'SOLUTION', difficulty, opaque, random, solution },
      { type: 'DIFFIE_HELLMAN', group, publicValue: keyPair.publicValue },
      { type: 'HIP_CIPHER', ciphers: [cipher] },
      { type: 'ENCRYPTED', body: sealHipParameters(cipher, encryption, hidden, this.#randomness) },
      { type: 'TRANSPORT_FORMAT_LIST', formats: [HipParameterType.ESP_TRANSFORM] },
      { type: 'ESP_TRANSFORM', suites: [8] },
    ];
    const more = change.parameters ?? [];
    const kept = usual.filter(({ type }) => more.every((one) => one.type !== type));
    const bare = this.#bare(HipPacketType.I2, [...kept, ...more]);
    const macKey = integrity.slice();
    if (change.wrongMac) macKey[0]! ^= 1;
    const authenticated = appendHipMac(bare, responder, macKey);
    return appendHipSignature(authenticated, change.signer?.key ?? key, this.#randomness);
  }
}
