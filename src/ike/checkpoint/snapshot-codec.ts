// A snapshot of an IKE SA as octets, and back whatever the octets are.
import type { PacketKeys } from '#crypto';
import type { ChildSuite, SequenceNumber, Spi, TrafficSelector } from '#sa';
import { Reader, WireError, Writer } from '#wire';
import type { AddressLease } from '../interface.ts';
import {
  readAddress,
  readEndpoint,
  readIdentity,
  readMs,
  readOctets8,
  readSpi,
  readSuite,
  readText,
  writeAddress,
  writeEndpoint,
  writeIdentity,
  writeMs,
  writeOctets8,
  writeSpi,
  writeSuite,
  writeText,
} from '../stored-fields.ts';
import {
  type AnswerSnapshot,
  type ChildSaSnapshot,
  type DirectionSnapshot,
  type IkeSaSnapshot,
  ikeKeyOctets,
  type MobilitySnapshot,
  type RequestSnapshot,
} from './snapshot.ts';

const formatVersion = 5;
/** What each version has beside what stands in all: further fields at the end. */
const fields = { mobility: 2, successor: 3, remoteEapIdentity: 4, clientCredential: 5 } as const;

const roles = ['initiator', 'responder'] as const;
const protocols = ['esp', 'ah'] as const;
const modes = ['tunnel', 'transport', 'beet'] as const;
const phases = ['installed', 'replaced', 'deleting'] as const;
const purposes = ['liveness', 'notify', 'request-ticket', 'delete-child'] as const;

/** Octets to be kept, encrypted, until `decodeIkeSaSnapshot`. @throws WireError `value` for what no IKE SA has */
export function encodeIkeSaSnapshot(snapshot: IkeSaSnapshot): Uint8Array {
  const writer = new Writer(4096).u8(formatVersion, 'version');
  writeText(writer, snapshot.connection);
  writeChoice(writer, roles, snapshot.role, 'role');
  writeSpi(writer, snapshot.spis.initiator);
  writeSpi(writer, snapshot.spis.responder);
  writeEndpoint(writer, snapshot.local);
  writeEndpoint(writer, snapshot.remote);
  const { nat, peer } = snapshot;
  writeFlags(writer, [nat.supported, nat.local, nat.remote, snapshot.client, snapshot.ticketGiven]);
  writeFlags(writer, [peer.fragmentation, peer.childless, peer.tickets, peer.messageIdSync]);
  writeIdentity(writer, snapshot.localIdentity);
  writeIdentity(writer, snapshot.remoteIdentity);
  writeSuite(writer, snapshot.suite);
  for (const key of ikeKeyOctets(snapshot.keys)) writeOctets8(writer, key, 'SK');
  writer.u64(snapshot.nextIv, 'IV');
  writer.u32(snapshot.nextRequestId, 'request.next').u8(snapshot.requestWindow, 'request.window');
  writeList(writer, snapshot.requests, writeRequest);
  writer.u32(snapshot.expectedRequestId, 'answer.next').u8(snapshot.responseWindow, 'answer.window');
  writeList(writer, snapshot.answers, (_, { messageId, datagrams }) => {
    writer.u32(messageId, 'answer.messageId');
    writeDatagrams(writer, datagrams);
  });
  writer.u32(snapshot.highestSyncedId + 1, 'synced');
  writeOptional(writer, snapshot.clientMethod, (_, method) => writer.u8(method, 'method'));
  writeList(writer, snapshot.virtualAddresses, writeAddress);
  writeList(writer, snapshot.peerVirtualAddresses, writeAddress);
  writeOptional(writer, snapshot.lease, writeLease);
  writeMs(writer, snapshot.establishedAtMs);
  writeOptional(writer, snapshot.rekeyAtMs, writeMs);
  writeOptional(writer, snapshot.reauthAtMs, writeMs);
  writeOptional(writer, snapshot.expiresAtMs, writeMs);
  writeList(writer, snapshot.children, writeChild);
  writeOptional(writer, snapshot.mobility, writeMobility);
  writeOptional(writer, snapshot.successor, writeSpi);
  writeOptional(writer, snapshot.remoteEapIdentity, writeIdentity);
  writeOptional(writer, snapshot.clientCredential, (_, mark) => writeOctets8(writer, mark, 'credential'));
  return writer.finish();
}

/** @throws WireError whatever the octets are */
export function decodeIkeSaSnapshot(octets: Uint8Array): IkeSaSnapshot {
  const reader = new Reader(octets);
  const version = reader.u8('version');
  if (version < 1 || version > formatVersion) throw new WireError('version', 0, 'version');
  const connection = readText(reader);
  const role = readChoice(reader, roles, 'role');
  const spis = { initiator: readSpi(reader), responder: readSpi(reader) };
  const local = readEndpoint(reader);
  const remote = readEndpoint(reader);
  const [supported, natLocal, natRemote, client, ticketGiven] = readFlags(reader, 5);
  const [fragmentation, childless, tickets, messageIdSync] = readFlags(reader, 4);
  const localIdentity = readIdentity(reader);
  const remoteIdentity = readIdentity(reader);
  const suite = readSuite(reader);
  const key = (): Uint8Array => readOctets8(reader, 'SK');
  const keys = {
    skD: key(),
    skAi: key(),
    skAr: key(),
    skEi: key(),
    skEr: key(),
    skPi: key(),
    skPr: key(),
  };
  const nextIv = reader.u64('IV');
  const nextRequestId = reader.u32('request.next');
  const requestWindow = reader.u8('request.window');
  const requests = readList(reader, readRequest);
  const expectedRequestId = reader.u32('answer.next');
  const responseWindow = reader.u8('answer.window');
  const answers = readList(reader, readAnswer);
  const highestSyncedId = reader.u32('synced') - 1;
  const clientMethod = readOptional(reader, () => reader.u8('method'));
  const virtualAddresses = readList(reader, readAddress);
  const peerVirtualAddresses = readList(reader, readAddress);
  const lease = readOptional(reader, readLease);
  const establishedAtMs = readMs(reader);
  const rekeyAtMs = readOptional(reader, readMs);
  const reauthAtMs = readOptional(reader, readMs);
  const expiresAtMs = readOptional(reader, readMs);
  const children = readList(reader, readChild);
  const mobility = version < fields.mobility ? undefined : readOptional(reader, readMobility);
  const successor = version < fields.successor ? undefined : readOptional(reader, readSpi);
  const remoteEapIdentity =
    version < fields.remoteEapIdentity ? undefined : readOptional(reader, readIdentity);
  const clientCredential =
    version < fields.clientCredential
      ? undefined
      : readOptional(reader, () => readOctets8(reader, 'credential'));
  reader.end('snapshot');
  return {
    connection,
    role,
    spis,
    local,
    remote,
    nat: { supported: supported!, local: natLocal!, remote: natRemote! },
    localIdentity,
    remoteIdentity,
    ...(remoteEapIdentity !== undefined && { remoteEapIdentity }),
    suite,
    keys,
    nextIv,
    nextRequestId,
    requestWindow,
    requests,
    expectedRequestId,
    responseWindow,
    answers,
    highestSyncedId,
    peer: {
      fragmentation: fragmentation!,
      childless: childless!,
      tickets: tickets!,
      messageIdSync: messageIdSync!,
    },
    ...(mobility !== undefined && { mobility }),
    client: client!,
    ...(clientMethod !== undefined && { clientMethod }),
    ...(clientCredential !== undefined && { clientCredential }),
    ticketGiven: ticketGiven!,
    virtualAddresses,
    peerVirtualAddresses,
    ...(lease !== undefined && { lease }),
    establishedAtMs,
    ...(rekeyAtMs !== undefined && { rekeyAtMs }),
    ...(reauthAtMs !== undefined && { reauthAtMs }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    children,
    ...(successor !== undefined && { successor }),
  };
}

function writeMobility(writer: Writer, { peerAddresses, proven, pending }: MobilitySnapshot): void {
  writeList(writer, peerAddresses, writeAddress);
  writeFlags(writer, [pending]);
  writeOptional(writer, proven, (_, { local, remote, nat }) => {
    writeEndpoint(writer, local);
    writeEndpoint(writer, remote);
    writeFlags(writer, [nat.supported, nat.local, nat.remote]);
  });
}

function readMobility(reader: Reader): MobilitySnapshot {
  const peerAddresses = readList(reader, readAddress);
  const [pending] = readFlags(reader, 1);
  const proven = readOptional(reader, () => {
    const [local, remote] = [readEndpoint(reader), readEndpoint(reader)];
    const [supported, natLocal, natRemote] = readFlags(reader, 3);
    return { local, remote, nat: { supported: supported!, local: natLocal!, remote: natRemote! } };
  });
  return { peerAddresses, pending: pending!, ...(proven !== undefined && { proven }) };
}

function writeRequest(
  writer: Writer,
  { messageId, exchangeType, datagrams, purpose }: RequestSnapshot,
): void {
  writer.u32(messageId, 'request.messageId').u8(exchangeType, 'request.exchangeType');
  writeDatagrams(writer, datagrams);
  writeChoice(writer, purposes, purpose.kind, 'request.purpose');
  if (purpose.kind === 'request-ticket') writer.u8(purpose.postponements, 'request.postponements');
  if (purpose.kind === 'delete-child') {
    writer.u32(purpose.inboundSpi, 'request.SPI');
    writeFlags(writer, [purpose.installed]);
  }
}

function readRequest(reader: Reader): RequestSnapshot {
  const messageId = reader.u32('request.messageId');
  const exchangeType = reader.u8('request.exchangeType');
  const datagrams = readDatagrams(reader);
  return { messageId, exchangeType, datagrams, purpose: readPurpose(reader) };
}

function readPurpose(reader: Reader): RequestSnapshot['purpose'] {
  const kind = readChoice(reader, purposes, 'request.purpose');
  switch (kind) {
    case 'request-ticket':
      return { kind, postponements: reader.u8('request.postponements') };
    case 'delete-child': {
      const inboundSpi = reader.u32('request.SPI') as Spi;
      const [installed] = readFlags(reader, 1);
      return { kind, inboundSpi, installed: installed! };
    }
    default:
      return { kind };
  }
}

function readAnswer(reader: Reader): AnswerSnapshot {
  return { messageId: reader.u32('answer.messageId'), datagrams: readDatagrams(reader) };
}

function writeLease(writer: Writer, { addresses, dns, attributes }: AddressLease): void {
  writeList(writer, addresses, writeAddress);
  writeList(writer, dns, writeAddress);
  writeList(writer, attributes, (_, { type, value }) => {
    writer.u16(type, 'attribute.type').u16(value.length, 'attribute.length').bytes(value);
  });
}

function readLease(reader: Reader): AddressLease {
  return {
    addresses: readList(reader, readAddress),
    dns: readList(reader, readAddress),
    attributes: readList(reader, () => {
      const type = reader.u16('attribute.type');
      return { type, value: reader.bytes(reader.u16('attribute.length'), 'attribute').slice() };
    }),
  };
}

function writeChild(writer: Writer, child: ChildSaSnapshot): void {
  writer.u32(child.childId, 'child.id').u32(child.generation, 'child.generation');
  writeText(writer, child.name);
  writeChoice(writer, protocols, child.protocol, 'child.protocol');
  writeChoice(writer, modes, child.mode, 'child.mode');
  writeChildSuite(writer, child.suite);
  writer.u32(child.inboundSpi, 'child.SPI').u32(child.outboundSpi, 'child.SPI');
  writeList(writer, child.local, writeSelector);
  writeList(writer, child.remote, writeSelector);
  writeFlags(writer, [child.initiator, child.outboundInUse]);
  writeChoice(writer, phases, child.phase, 'child.phase');
  writeOptional(writer, child.replaces, (_, spi) => writer.u32(spi, 'child.replaces'));
  writeOptional(writer, child.expiresAtMs, writeMs);
  writeDirection(writer, child.inbound);
  writeDirection(writer, child.outbound);
}

function readChild(reader: Reader): ChildSaSnapshot {
  const childId = reader.u32('child.id');
  const generation = reader.u32('child.generation');
  const name = readText(reader);
  const protocol = readChoice(reader, protocols, 'child.protocol');
  const mode = readChoice(reader, modes, 'child.mode');
  const suite = readChildSuite(reader);
  const inboundSpi = reader.u32('child.SPI') as Spi;
  const outboundSpi = reader.u32('child.SPI') as Spi;
  const local = readList(reader, readSelector);
  const remote = readList(reader, readSelector);
  const [initiator, outboundInUse] = readFlags(reader, 2);
  const phase = readChoice(reader, phases, 'child.phase');
  const replaces = readOptional(reader, () => reader.u32('child.replaces') as Spi);
  const expiresAtMs = readOptional(reader, readMs);
  const inbound = readDirection(reader);
  const outbound = readDirection(reader);
  return {
    childId,
    generation,
    name,
    protocol,
    mode,
    suite,
    inboundSpi,
    outboundSpi,
    local,
    remote,
    initiator: initiator!,
    phase,
    outboundInUse: outboundInUse!,
    ...(replaces !== undefined && { replaces }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    inbound,
    outbound,
  };
}

function writeChildSuite(writer: Writer, { protocol, encr, integ, ke, esn }: ChildSuite): void {
  writeChoice(writer, protocols, protocol, 'suite.protocol');
  writeOptional(writer, encr, (_, { id, keyLengthBits }) =>
    writer.u16(id, 'suite.encr').u16(keyLengthBits, 'suite.encr.keyLength'),
  );
  writeOptional(writer, integ, (_, id) => writer.u16(id, 'suite.integ'));
  writeOptional(writer, ke, (_, id) => writer.u16(id, 'suite.ke'));
  writeFlags(writer, [esn]);
}

function readChildSuite(reader: Reader): ChildSuite {
  const protocol = readChoice(reader, protocols, 'suite.protocol');
  const encr = readOptional(reader, () => ({
    id: reader.u16('suite.encr'),
    keyLengthBits: reader.u16('suite.encr.keyLength'),
  }));
  const integ = readOptional(reader, () => reader.u16('suite.integ'));
  const ke = readOptional(reader, () => reader.u16('suite.ke'));
  const [esn] = readFlags(reader, 1);
  return {
    protocol,
    ...(encr !== undefined && { encr }),
    ...(integ !== undefined && { integ }),
    ...(ke !== undefined && { ke }),
    esn: esn!,
  };
}

function writeSelector(writer: Writer, { protocol, startPort, endPort, start, end }: TrafficSelector): void {
  writer.u8(protocol, 'selector.protocol').u16(startPort, 'selector.port').u16(endPort, 'selector.port');
  writeAddress(writer, start);
  writeAddress(writer, end);
}

function readSelector(reader: Reader): TrafficSelector {
  return {
    protocol: reader.u8('selector.protocol'),
    startPort: reader.u16('selector.port'),
    endPort: reader.u16('selector.port'),
    start: readAddress(reader),
    end: readAddress(reader),
  };
}

function writeDirection(writer: Writer, { keys, limit, blockPackets }: DirectionSnapshot): void {
  writeOptional(writer, keys.encryption, (_, { id, keyLengthBits, key }) => {
    writer.u16(id, 'keys.encr').u16(keyLengthBits, 'keys.encr.keyLength');
    writeOctets8(writer, key, 'keys.encr.key');
  });
  writeOptional(writer, keys.integrity, (_, { id, key }) => {
    writer.u16(id, 'keys.integ');
    writeOctets8(writer, key, 'keys.integ.key');
  });
  writer.u32(limit.high, 'limit').u32(limit.low, 'limit').u32(blockPackets, 'block');
}

function readDirection(reader: Reader): DirectionSnapshot {
  const encryption = readOptional(reader, () => ({
    id: reader.u16('keys.encr'),
    keyLengthBits: reader.u16('keys.encr.keyLength'),
    key: readOctets8(reader, 'keys.encr.key'),
  }));
  const integrity = readOptional(reader, () => ({
    id: reader.u16('keys.integ'),
    key: readOctets8(reader, 'keys.integ.key'),
  }));
  const keys: PacketKeys = {
    ...(encryption !== undefined && { encryption }),
    ...(integrity !== undefined && { integrity }),
  };
  const limit: SequenceNumber = { high: reader.u32('limit'), low: reader.u32('limit') };
  return { keys, limit, blockPackets: reader.u32('block') };
}

function writeDatagrams(writer: Writer, datagrams: readonly Uint8Array[]): void {
  writeList(writer, datagrams, (_, octets) => writer.u16(octets.length, 'datagram.length').bytes(octets));
}

function readDatagrams(reader: Reader): Uint8Array[] {
  return readList(reader, () => reader.bytes(reader.u16('datagram.length'), 'datagram').slice());
}

function writeChoice<T>(writer: Writer, choices: readonly T[], choice: T, field: string): void {
  writer.u8(choices.indexOf(choice), field);
}

function readChoice<T>(reader: Reader, choices: readonly T[], field: string): T {
  const { offset } = reader;
  const choice = choices[reader.u8(field)];
  if (choice === undefined) throw reader.failAt(offset, 'value', field);
  return choice;
}

function writeFlags(writer: Writer, flags: readonly boolean[]): void {
  writer.u8(
    flags.reduce((octet, flag, i) => octet | (flag ? 1 << i : 0), 0),
    'flags',
  );
}

function readFlags(reader: Reader, count: number): boolean[] {
  const { offset } = reader;
  const octet = reader.u8('flags');
  if (octet >= 1 << count) throw reader.failAt(offset, 'value', 'flags');
  return Array.from({ length: count }, (_, i) => (octet & (1 << i)) !== 0);
}

function writeList<T>(
  writer: Writer,
  items: readonly T[],
  write: (writer: Writer, item: T) => unknown,
): void {
  writer.u16(items.length, 'count');
  for (const item of items) write(writer, item);
}

function readList<T>(reader: Reader, read: (reader: Reader) => T): T[] {
  const count = reader.u16('count');
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(read(reader));
  return items;
}

function writeOptional<T>(
  writer: Writer,
  value: T | undefined,
  write: (writer: Writer, value: T) => unknown,
): void {
  writeFlags(writer, [value !== undefined]);
  if (value !== undefined) write(writer, value);
}

function readOptional<T>(reader: Reader, read: (reader: Reader) => T): T | undefined {
  const [present] = readFlags(reader, 1);
  return present ? read(reader) : undefined;
}
