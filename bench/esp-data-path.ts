// Packets per second through the ESP data path on one core: `node build/bench/esp-data-path.js [packets]`.
import { nodeRandomness } from '#crypto';
import {
  DataPath,
  decapsulationHeadroomBytes,
  InboundSa,
  OutboundSa,
  PacketSlot,
  Sad,
  Spd,
  Verdict,
} from '#ipsec';
import { address, Encr, Integ, type SaDirection, type SaParameters, type Spi, selectorOfPrefix } from '#sa';
import { encodeIp } from '#wire';

const packets = Number(process.argv[2] ?? 100_000);

const suites = {
  'AES-128-GCM-16': { encr: Encr.AES_GCM_16, bits: 128, keyBytes: 20, integ: undefined, integBytes: 0 },
  'ChaCha20-Poly1305': {
    encr: Encr.CHACHA20_POLY1305,
    bits: 256,
    keyBytes: 36,
    integ: undefined,
    integBytes: 0,
  },
  'AES-128-CBC + HMAC-SHA2-256': {
    encr: Encr.AES_CBC,
    bits: 128,
    keyBytes: 16,
    integ: Integ.HMAC_SHA2_256_128,
    integBytes: 32,
  },
} as const;

function parameters(suite: (typeof suites)[keyof typeof suites], direction: SaDirection): SaParameters {
  const [here, there] =
    direction === 'outbound' ? ['10.1.0.0/16', '10.2.0.0/16'] : ['10.2.0.0/16', '10.1.0.0/16'];
  return {
    direction,
    protocol: 'esp',
    spi: 0x1000 as Spi,
    mode: 'tunnel',
    local: address('192.0.2.1'),
    remote: address('192.0.2.2'),
    encryption: { id: suite.encr, keyLengthBits: suite.bits, key: new Uint8Array(suite.keyBytes).fill(1) },
    ...(suite.integ === undefined
      ? {}
      : { integrity: { id: suite.integ, key: new Uint8Array(suite.integBytes).fill(2) } }),
    esn: true,
    replayWindow: 1024,
    selectors: { local: [selectorOfPrefix(here)!], remote: [selectorOfPrefix(there)!] },
    lifetimes: {},
    childId: direction === 'outbound' ? 1 : 2,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
  };
}

for (const [name, suite] of Object.entries(suites)) {
  for (const lengthBytes of [64, 1400]) {
    const sad = new Sad();
    const spd = new Spd();
    for (const direction of ['outbound', 'inbound'] as const) {
      const sa = parameters(suite, direction);
      if (direction === 'outbound') sad.addOutbound(new OutboundSa(sa, 0));
      else sad.addInbound(new InboundSa(sa, 0));
      const { selectors, mode, childId } = sa;
      spd.install({ policyId: childId, action: 'protect', selectors, mode, childId, priority: 1 });
    }
    const path = new DataPath(sad, spd, { randomness: nodeRandomness() });
    const packet = encodeIp({
      version: 4,
      dscp: 0,
      ecn: 0,
      identification: 0,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      timeToLive: 64,
      protocol: 47,
      source: Uint8Array.of(10, 1, 0, 1),
      destination: Uint8Array.of(10, 2, 0, 1),
      options: new Uint8Array(0),
      payload: new Uint8Array(lengthBytes - 20),
    });
    const slot = new PacketSlot(new Uint8Array(2048));
    const batch = [slot];
    let sealNs = 0n;
    let openNs = 0n;
    for (let i = 0; i < packets; i++) {
      slot.start = decapsulationHeadroomBytes;
      slot.length = packet.length;
      slot.buffer.set(packet, slot.start);
      const start = process.hrtime.bigint();
      path.encapsulate(batch, 0);
      const sealed = process.hrtime.bigint();
      path.decapsulate(batch, 0);
      openNs += process.hrtime.bigint() - sealed;
      sealNs += sealed - start;
      if (slot.verdict !== Verdict.OPENED) throw new Error(`packet ${i} was lost: verdict ${slot.verdict}`);
    }
    const rate = (ns: bigint): string => `${Math.round(packets / (Number(ns) / 1e6))} k/s`;
    console.log(`${name}, ${lengthBytes} octets: seal ${rate(sealNs)}, open ${rate(openNs)}`);
  }
}
