// Packets per second and core that are sealed and opened: our reused OpenSSL contexts, node:crypto made anew for each
// packet, and `openssl speed`, which does nothing else and so is the limit.
import { execFileSync } from 'node:child_process';
import { type CipherFields, type PacketCipher, type PacketKeys, packetCipher } from '#crypto';
import { openSslPacketCipher } from '#linux';
import { Encr, Integ } from '#sa';
import { interleaved, spread } from './measure.ts';
import type { Report, Table } from './report.ts';

interface Suite {
  readonly name: string;
  readonly keys: PacketKeys;
  /** The cipher's name for `openssl speed`; absent where it has nothing alike. */
  readonly speedName?: string;
}

const key = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7);

const suites: readonly Suite[] = [
  {
    name: 'aes128gcm16',
    keys: { encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: key(20) } },
    speedName: 'aes-128-gcm',
  },
  {
    name: 'aes256gcm16',
    keys: { encryption: { id: Encr.AES_GCM_16, keyLengthBits: 256, key: key(36) } },
    speedName: 'aes-256-gcm',
  },
  {
    name: 'chacha20poly1305',
    keys: { encryption: { id: Encr.CHACHA20_POLY1305, keyLengthBits: 256, key: key(36) } },
    speedName: 'chacha20-poly1305',
  },
  {
    name: 'aes128-sha256',
    keys: {
      encryption: { id: Encr.AES_CBC, keyLengthBits: 128, key: key(16) },
      integrity: { id: Integ.HMAC_SHA2_256_128, key: key(32) },
    },
  },
];
const sizesBytes = [64, 1400] as const;
const sliceMs = 200;
const slotBytes = 2048;
const slots = 64;

/** As many packets as a batch has, each in its place in one buffer. */
function packetsFor(cipher: PacketCipher, sizeBytes: number): CipherFields[] {
  const arena = new Uint8Array(slots * slotBytes);
  const textBytes = Math.ceil(sizeBytes / cipher.blockBytes) * cipher.blockBytes;
  return Array.from({ length: slots }, (_, i) => {
    const aad = i * slotBytes;
    const iv = aad + 8;
    const text = iv + cipher.ivBytes;
    const icv = text + textBytes;
    arena[iv + cipher.ivBytes - 1] = i;
    return {
      aad: arena.subarray(aad, iv),
      iv: arena.subarray(iv, text),
      text: arena.subarray(text, icv),
      icv: arena.subarray(icv, icv + cipher.icvBytes),
    };
  });
}

/** Thousands per second of this process's CPU time. */
function rate(once: () => void): number {
  const before = process.cpuUsage();
  const deadline = performance.now() + sliceMs;
  let batches = 0;
  do {
    once();
    batches++;
  } while (performance.now() < deadline);
  const { user, system } = process.cpuUsage(before);
  return (batches * slots * 1000) / (user + system);
}

function contenders(make: (keys: PacketKeys) => PacketCipher, keys: PacketKeys, sizeBytes: number) {
  const cipher = make(keys);
  const packets = packetsFor(cipher, sizeBytes);
  const sealed = packetsFor(cipher, sizeBytes);
  const pristine = packetsFor(cipher, sizeBytes);
  for (const packet of pristine) cipher.seal(packet);
  return {
    seal: (): number =>
      rate(() => {
        for (const packet of packets) cipher.seal(packet);
      }),
    open: (): number =>
      rate(() => {
        // The ciphertext comes back by one copy, as from a socket.
        new Uint8Array(sealed[0]!.text.buffer).set(new Uint8Array(pristine[0]!.text.buffer));
        for (const packet of sealed) if (!cipher.open(packet)) throw new Error('a good packet was refused');
      }),
  };
}

function opensslSpeed(name: string, sizeBytes: number): number {
  const words = ['speed', '-mr', '-seconds', '1', '-bytes', String(sizeBytes), '-evp', name];
  const output = execFileSync('openssl', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const bytesPerSecond = Number(/^\+F:\d+:[^:]+:([\d.]+)/m.exec(output)?.[1]);
  if (!(bytesPerSecond > 0)) throw new Error(`openssl speed printed: ${output}`);
  return bytesPerSecond / sizeBytes / 1000;
}

export async function sealBenchmark(rounds: number): Promise<Report> {
  const tables: Table[] = [];
  for (const { name, keys, speedName } of suites) {
    for (const sizeBytes of sizesBytes) {
      const reused = contenders(openSslPacketCipher, keys, sizeBytes);
      const perPacket = contenders(packetCipher, keys, sizeBytes);
      const measured = await interleaved<string>(rounds, {
        seal: reused.seal,
        'seal by node:crypto': perPacket.seal,
        open: reused.open,
        'open by node:crypto': perPacket.open,
        ...(speedName === undefined ? {} : { 'openssl speed': () => opensslSpeed(speedName, sizeBytes) }),
      });
      const rows = Object.fromEntries(Object.entries(measured).map(([who, values]) => [who, spread(values)]));
      const suite = `${name}, ${sizeBytes} octets`;
      tables.push({ title: `${suite}: thousands of packets per second of CPU time`, rows });
      const ratios: Record<string, number> = {};
      for (const [over, under] of [
        ['seal', 'seal by node:crypto'],
        ['open', 'open by node:crypto'],
        ['seal', 'openssl speed'],
        ['open', 'openssl speed'],
      ] as const) {
        const other = rows[under];
        if (other !== undefined) ratios[`${over} to ${under}`] = rows[over]!.median / other.median;
      }
      tables.push({ title: `${suite}: ratios`, rows: ratios });
    }
  }
  return { tables };
}
