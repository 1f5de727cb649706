// What a well-behaved peer says in each state of an association: what brings a host there, and what mutations start from.

import { addressBytes } from '#sa';
import {
  encodeHipParameters,
  HipDhGroup,
  HipPacketType,
  type HipParameter,
  HipParameterType,
  LocatorType,
  TrafficType,
} from '#wire';
import type { CorpusEntry } from './corpus.ts';
import { identities, places } from './hip-host.ts';
import { FuzzPeer, rhashBytes } from './hip-peer.ts';
import {
  encodeHipSteps,
  type HipStep,
  HipStepCommand,
  HipStepEvent,
  HipStepFlag,
  HipStepKind,
} from './hip-script.ts';

const spi = 0x1000;
const nextSpi = 0x1001;
/** KEYMAT begins with the keys of HIP itself. */
const firstIndex = 128;
const zeros = new Uint8Array(rhashBytes());
const echo = new Uint8Array(8);

function packet(
  packetType: number,
  parameters: readonly HipParameter[],
  flags = 0,
  kind: number = HipStepKind.PEER,
): HipStep {
  return { kind, number: packetType, flags, octets: encodeHipParameters(parameters) };
}

function command(number: number): HipStep {
  return { kind: HipStepKind.COMMAND, number, flags: 0, octets: new Uint8Array() };
}

function event(number: number): HipStep {
  return { kind: HipStepKind.EVENT, number, flags: 0, octets: new Uint8Array() };
}

function again(number: number, flags = 0, kind: number = HipStepKind.REPLAYED): HipStep {
  return { kind, number, flags, octets: new Uint8Array() };
}

const hostId = (name: 'moon' | 'stranger'): HipParameter => {
  const { algorithm, octets } = identities[name].identity;
  return { type: 'HOST_ID', algorithm, hostIdentity: octets };
};

const formats: HipParameter = { type: 'TRANSPORT_FORMAT_LIST', formats: [HipParameterType.ESP_TRANSFORM] };
const transform: HipParameter = { type: 'ESP_TRANSFORM', suites: [13] };
const ciphers: HipParameter = { type: 'HIP_CIPHER', ciphers: [2] };
const keyExchangeOf = (name: 'moon' | 'stranger'): HipParameter => ({
  type: 'DIFFIE_HELLMAN',
  group: HipDhGroup.ECP_256,
  publicValue: new FuzzPeer(name).publicValue,
});
const keyExchange = keyExchangeOf('moon');
const groups: HipParameter = { type: 'DH_GROUP_LIST', groups: [7] };

const i1 = packet(HipPacketType.I1, [groups]);

function r1(counter: bigint, more: readonly HipParameter[] = []): HipStep {
  return packet(HipPacketType.R1, [
    { type: 'R1_COUNTER', reserved: 0, counter },
    { type: 'PUZZLE', difficulty: 1, lifetime: 38, opaque: 7, random: zeros },
    groups,
    keyExchange,
    ciphers,
    hostId('moon'),
    { type: 'HIT_SUITE_LIST', suites: [2] },
    formats,
    transform,
    ...more,
  ]);
}

function i2(newSpi: number, more: readonly HipParameter[] = [], name: 'moon' | 'stranger' = 'moon'): HipStep {
  return packet(
    HipPacketType.I2,
    [
      { type: 'ESP_INFO', keymatIndex: firstIndex, oldSpi: 0, newSpi },
      { type: 'R1_COUNTER', reserved: 0, counter: 1n },
      { type: 'SOLUTION', difficulty: 1, opaque: 0, random: zeros, solution: zeros },
      keyExchangeOf(name),
      ciphers,
      { type: 'ENCRYPTED', body: encodeHipParameters([hostId(name)]) },
      formats,
      transform,
      ...more,
    ],
    0,
    name === 'moon' ? HipStepKind.PEER : HipStepKind.STRANGER,
  );
}

function r2(newSpi: number, more: readonly HipParameter[] = []): HipStep {
  return packet(HipPacketType.R2, [
    { type: 'ESP_INFO', keymatIndex: firstIndex, oldSpi: 0, newSpi },
    ...more,
  ]);
}

const update = (...parameters: HipParameter[]): HipStep => packet(HipPacketType.UPDATE, parameters);
const seq = (updateId: number): HipParameter => ({ type: 'SEQ', updateId });
const ack: HipParameter = { type: 'ACK', updateIds: [0] };
const echoed: HipParameter = { type: 'ECHO_RESPONSE_SIGNED', data: echo };
const asked: HipParameter = { type: 'ECHO_REQUEST_SIGNED', data: echo };
const half = (keymatIndex: number, oldSpi = spi, newSpi = nextSpi): HipParameter => ({
  type: 'ESP_INFO',
  keymatIndex,
  oldSpi,
  newSpi,
});
const request: HipParameter = { type: 'REG_REQUEST', lifetime: 120, registrationTypes: [1] };

function locators(...addresses: readonly Parameters<typeof addressBytes>[0][]): HipParameter {
  return {
    type: 'LOCATOR_SET',
    locators: addresses.map((one, index) => ({
      trafficType: TrafficType.BOTH,
      locatorType: LocatorType.ESP_SPI_ADDRESS,
      preferred: index === 0,
      lifetimeSeconds: 600,
      spi,
      address: addressBytes(one),
    })),
  };
}

const close = packet(HipPacketType.CLOSE, [asked]);
const closeAck = packet(HipPacketType.CLOSE_ACK, [echoed]);
const notify = packet(HipPacketType.NOTIFY, [{ type: 'NOTIFICATION', notifyType: 42, data: echo }]);
const answerToCheck = update(ack, echoed);

const from = (step: HipStep, flags: number): HipStep => ({ ...step, flags: step.flags | flags });
const as = (kind: number, step: HipStep): HipStep => ({ ...step, kind });
const { ELSEWHERE, UDP, TO_OTHER_ADDRESS, OLDEST } = HipStepFlag;
const { FORGED, REFLECTED, STRANGER } = HipStepKind;
const afterOneSecond = 4 << 5;
const afterOneMinute = 6 << 5;

const called: readonly HipStep[] = [command(HipStepCommand.ASSOCIATE)];
const asResponder: readonly HipStep[] = [i1, i2(spi, [request]), event(HipStepEvent.FIRST_INBOUND)];
const asInitiator: readonly HipStep[] = [...called, r1(1n), r2(spi), update(ack)];

function inUdp(step: HipStep): HipStep {
  const isPacket = step.kind !== HipStepKind.COMMAND && step.kind !== HipStepKind.EVENT;
  return isPacket ? from(step, UDP) : step;
}

export interface HipStage {
  /** Also the name of its target, behind `hip-host-`. */
  readonly name: string;
  readonly opportunistic?: true;
  readonly begin: readonly HipStep[];
  readonly seeds: Readonly<Record<string, readonly HipStep[]>>;
}

/** What can be said wherever an association stands. */
const standing: HipStage['seeds'] = {
  check: [update(seq(0), asked), update(seq(1), asked), again(9), again(9, ELSEWHERE)],
  rekey: [update(half(0), seq(0), keyExchange), answerToCheck, event(HipStepEvent.FIRST_INBOUND)],
  'rekey-same-keymat': [
    update(half(256), seq(0)),
    answerToCheck,
    update(half(384, nextSpi, 0x1002), seq(1)),
    answerToCheck,
  ],
  'rekey-unfinished': [update(half(256), seq(0)), from(update(half(256), seq(1)), afterOneMinute)],
  move: [
    from(update(half(0, spi, spi), locators(places.moonElsewhere), seq(0)), ELSEWHERE),
    from(update(ack, echoed), ELSEWHERE),
  ],
  locators: [update(locators(places.moon, places.moonElsewhere), seq(0)), from(answerToCheck, ELSEWHERE)],
  register: [update(request, seq(0)), update({ ...request, lifetime: 0 } as HipParameter, seq(1))],
  close: [close, again(9), i1, i2(nextSpi)],
  'close-oldest': [i1, i2(nextSpi), from(close, OLDEST), close],
  replaced: [i1, i2(nextSpi), again(1), again(1, ELSEWHERE)],
  called: [command(HipStepCommand.ASSOCIATE), r1(9n), r2(nextSpi), again(9)],
  notify: [notify, as(FORGED, notify)],
  'own-rekey': [command(HipStepCommand.REKEY), update(half(0), seq(0), ack, keyExchange), answerToCheck],
  'own-check': [command(HipStepCommand.CHECK), answerToCheck, again(9, ELSEWHERE)],
  'own-move': [command(HipStepCommand.MOVE), from(answerToCheck, TO_OTHER_ADDRESS)],
  'own-close': [command(HipStepCommand.CLOSE), closeAck],
  'own-address': [command(HipStepCommand.LOSE_ADDRESS), command(HipStepCommand.GAIN_ADDRESS), answerToCheck],
  forged: [as(FORGED, update(seq(0), asked)), as(FORGED, close), as(FORGED, i1), as(FORGED, i2(7))],
  stranger: [as(STRANGER, i1), i2(spi, [], 'stranger'), as(STRANGER, close)],
  reflected: [
    command(HipStepCommand.CHECK),
    again(9, 0, REFLECTED),
    command(HipStepCommand.CLOSE),
    again(9, 0, REFLECTED),
  ],
  silence: [event(HipStepEvent.TRAFFIC_OUT), from(i1, afterOneSecond), event(HipStepEvent.TRAFFIC_IN)],
  lost: [event(HipStepEvent.HARD_EXPIRED), closeAck, i1, i2(nextSpi)],
  udp: [from(update(seq(0), asked), UDP), from(update(seq(1), asked), UDP | ELSEWHERE)],
};

export const hipStages: readonly HipStage[] = [
  {
    name: 'fresh',
    begin: [],
    seeds: {
      exchange: [i1, i2(spi), again(1), update(seq(0), asked), close],
      locators: [i1, i2(spi, [locators(places.moon, places.moonElsewhere), request])],
      udp: [from(i1, UDP), from(i2(spi), UDP)],
      stranger: [as(STRANGER, i1), i2(spi, [], 'stranger'), i1, i2(spi)],
      twice: [i1, i2(spi), i1, i2(nextSpi), from(close, OLDEST), close],
      moved: [i1, from(i2(spi), ELSEWHERE)],
      forged: [as(FORGED, i1), as(FORGED, i2(spi)), as(FORGED, close)],
      unknown: [update(seq(0), asked), close, closeAck, notify],
      crossing: [command(HipStepCommand.ASSOCIATE), i1, r1(1n), i2(spi), r2(spi)],
    },
  },
  {
    name: 'called',
    begin: called,
    seeds: {
      exchange: [r1(1n), r2(spi), update(seq(0), asked)],
      offer: [
        r1(1n, [
          { type: 'REG_INFO', minimumLifetime: 64, maximumLifetime: 200, registrationTypes: [1] },
          asked,
          { type: 'ECHO_REQUEST_UNSIGNED', data: echo },
        ]),
        r2(spi, [{ type: 'REG_RESPONSE', lifetime: 120, registrationTypes: [1] }]),
      ],
      newer: [r1(1n), from(r1(2n), afterOneSecond), r2(spi)],
      forged: [as(FORGED, r1(1n)), as(FORGED, r2(spi))],
      crossing: [i1, i2(spi), r1(1n), r2(nextSpi)],
      elsewhere: [from(r1(1n), ELSEWHERE), from(r2(spi), ELSEWHERE)],
      locators: [r1(1n), r2(spi, [locators(places.moon, places.moonElsewhere)])],
    },
  },
  {
    name: 'awaiting-r2',
    begin: [...called, r1(1n)],
    seeds: {
      exchange: [r2(spi), update(seq(0), asked)],
      closed: [close, r2(spi)],
      newer: [from(r1(2n), afterOneSecond), r2(spi)],
      crossing: [i1, i2(spi), r2(nextSpi)],
      notify: [notify],
      forged: [as(FORGED, r2(spi)), as(FORGED, close)],
    },
  },
  { name: 'responder', begin: asResponder, seeds: standing },
  { name: 'initiator', begin: asInitiator, seeds: standing },
  {
    name: 'encapsulated',
    begin: asResponder.map(inUdp),
    seeds: {
      ...Object.fromEntries(Object.entries(standing).map(([name, steps]) => [name, steps.map(inUdp)])),
      mapping: [event(HipStepEvent.MAPPING_CHANGED), from(answerToCheck, UDP | ELSEWHERE)],
      'mapping-by-update': [
        from(update(seq(0), asked), UDP | ELSEWHERE),
        from(answerToCheck, UDP | ELSEWHERE),
      ],
      keepalive: [from(packet(HipPacketType.NOTIFY, []), UDP | afterOneMinute)],
    },
  },
  {
    name: 'rekeying',
    begin: [...asInitiator, command(HipStepCommand.REKEY)],
    seeds: {
      answered: [update(half(0), seq(0), ack, keyExchange), answerToCheck, event(HipStepEvent.FIRST_INBOUND)],
      apart: [update(ack), update(half(0), seq(0), keyExchange)],
      crossing: [update(half(0), seq(0), keyExchange), update(ack)],
      closed: [close],
      replaced: [i1, i2(nextSpi)],
    },
  },
  {
    name: 'closing',
    begin: [...asResponder, command(HipStepCommand.CLOSE)],
    seeds: {
      acknowledged: [closeAck],
      crossing: [close, closeAck],
      called: [i1, i2(nextSpi), closeAck],
      calling: [command(HipStepCommand.ASSOCIATE), r1(1n), r2(nextSpi)],
    },
  },
  {
    name: 'opportunistic',
    opportunistic: true,
    begin: [command(HipStepCommand.CALL_ANYBODY)],
    seeds: {
      exchange: [r1(1n), r2(spi), close],
      standing: [i1, i2(spi), r1(1n), r2(nextSpi)],
      reflected: [again(0, 0, REFLECTED), again(1, 0, REFLECTED), again(2, 0, REFLECTED)],
    },
  },
];

export function hipSeedsOf({ seeds }: HipStage): readonly CorpusEntry[] {
  return Object.entries(seeds).map(([name, steps]) => ({
    name: `seed-${name}`,
    octets: encodeHipSteps(steps),
  }));
}
