// An attacker on the cable: `flood-program.js KIND COUNT RATE OWN TARGET HIT`, all addresses IPv4, HIT as an address.
// `i1`: I1 from random sources. `i2-stale`: I2 from random sources that answer no R1. `i2-unsolved`: I2 from OWN that answer
// the R1 which an honest I1 of ours brought, with everything right but the solution. Prints how many it sent in how long.
import { randomBytes } from 'node:crypto';
import { DatagramSocket } from '#linux';
import { address, addressBytes, type IpAddress } from '#sa';
import {
  decodeHipPacket,
  encodeHipPacket,
  encodeIpv4,
  HipPacketType,
  type HipParameter,
  HipParameterType,
  type Hit,
  hipParameter,
  hitFromBytes,
  IpProtocol,
  writeHipChecksum,
} from '#wire';

const [, , kind, count, rate, ownText = '', targetText = '', hitText = ''] = process.argv;
const [own, target] = [address(ownText), address(targetText)];
const receiver = hitFromBytes(addressBytes(address(hitText)));
const headerIncluded = 255;
const sender = new DatagramSocket(address('0.0.0.0'), { kind: 'raw', protocol: headerIncluded });

/** A HIT that could be one: its prefix, and a suite that there is. */
function anyHit(): Hit {
  const octets = randomBytes(16);
  octets.set([0x20, 0x01, 0x00, 0x22]);
  return hitFromBytes(octets);
}

/** 11.0.0.0 to 110.255.255.255: nothing that a host drops by itself, and nobody of this test. */
function anySource(): Uint8Array {
  const octets = new Uint8Array(randomBytes(4));
  octets[0] = 11 + (octets[0]! % 100);
  return octets;
}

function i1(from: Hit): Uint8Array {
  return encodeHipPacket({
    header: { packetType: HipPacketType.I1, anonymous: false, sender: from, receiver },
    parameters: [{ type: 'DH_GROUP_LIST', groups: [7, 8, 4, 11] }],
  });
}

interface Puzzle {
  readonly opaque: number;
  readonly difficulty: number;
  readonly random: Uint8Array;
}

function i2(from: Hit, { opaque, difficulty, random }: Puzzle): Uint8Array {
  const parameters: HipParameter[] = [
    { type: 'ESP_INFO', keymatIndex: 120, oldSpi: 0, newSpi: 0x1234_5678 },
    { type: 'SOLUTION', difficulty, opaque, random, solution: new Uint8Array(randomBytes(random.length)) },
    { type: 'DIFFIE_HELLMAN', group: 7, publicValue: new Uint8Array(randomBytes(64)) },
    { type: 'HIP_CIPHER', ciphers: [2] },
    { type: 'HOST_ID', algorithm: 7, hostIdentity: new Uint8Array(randomBytes(66)) },
    { type: 'TRANSPORT_FORMAT_LIST', formats: [HipParameterType.ESP_TRANSFORM] },
    { type: 'ESP_TRANSFORM', suites: [13] },
    { type: 'HIP_MAC', mac: new Uint8Array(randomBytes(32)) },
    { type: 'HIP_SIGNATURE', algorithm: 7, signature: new Uint8Array(randomBytes(64)) },
  ];
  return encodeHipPacket({
    header: { packetType: HipPacketType.I2, anonymous: false, sender: from, receiver },
    parameters,
  });
}

function send(source: Uint8Array, octets: Uint8Array): void {
  const destination = addressBytes(target);
  writeHipChecksum(octets, { source, destination });
  const packet = encodeIpv4({
    version: 4,
    dscp: 0,
    ecn: 0,
    identification: 0,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    protocol: IpProtocol.HIP,
    source,
    destination,
    options: new Uint8Array(0),
    payload: octets,
  });
  sender.send(address('0.0.0.0'), { address: target, port: 0 }, packet);
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** An honest I1, and the puzzle of the R1 that comes. */
function fetchPuzzle(from: Hit, at: IpAddress): Puzzle {
  const socket = new DatagramSocket(at, { kind: 'raw', protocol: IpProtocol.HIP });
  try {
    for (let tries = 0; tries < 20; tries++) {
      send(addressBytes(at), i1(from));
      for (let waited = 0; waited < 50; waited++) {
        const packet = socket.receive();
        if (packet === undefined) {
          Atomics.wait(sleeper, 0, 0, 10);
          continue;
        }
        const { header, parameters } = decodeHipPacket(packet.octets, {
          source: addressBytes(packet.remote.address),
          destination: addressBytes(packet.local.address),
        });
        const puzzle = hipParameter(parameters, 'PUZZLE');
        if (header.packetType === HipPacketType.R1 && header.receiver === from && puzzle !== undefined)
          return puzzle;
      }
    }
    throw new Error('no R1 came');
  } finally {
    socket.close();
  }
}

const us = anyHit();
const noPuzzle = { opaque: 0, difficulty: 4, random: new Uint8Array(32) };
const puzzle = kind === 'i2-unsolved' ? fetchPuzzle(us, own) : noPuzzle;
const packetsWanted = Number(count);
const startedAt = performance.now();
for (let sent = 0; sent < packetsWanted; ) {
  const due = Math.min(packetsWanted, ((performance.now() - startedAt) / 1_000) * Number(rate));
  if (sent >= due) Atomics.wait(sleeper, 0, 0, 1);
  for (; sent < due; sent++) {
    if (kind === 'i1') send(anySource(), i1(anyHit()));
    else if (kind === 'i2-unsolved') send(addressBytes(own), i2(us, puzzle));
    else {
      const random = new Uint8Array(randomBytes(32));
      send(anySource(), i2(anyHit(), { ...noPuzzle, opaque: sent % 65_536, random }));
    }
  }
}
console.log(JSON.stringify({ sent: packetsWanted, seconds: (performance.now() - startedAt) / 1_000 }));
