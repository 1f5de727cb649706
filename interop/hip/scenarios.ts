// What two hosts with Host Identities must be able to do: each scenario over each of its networks is a run of its own.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { formatSpi } from '#sa';
import { Capture, readWithKeys } from '../harness/capture.ts';
import { eventually } from '../harness/eventually.ts';
import { ping } from '../harness/traffic.ts';
import { spendCredit } from './credit.ts';
import type { HipHost } from './hip-host.ts';
import type { HipStage, HipStageOptions } from './hip-stage.ts';
import { assertShort, outageOf } from './outage.ts';
import { captureParameterProblems } from './parameter-problems.ts';
import { tcpWithChecksum } from './traffic.ts';

export interface HipScenario {
  readonly name: string;
  /** What a passed run means, in a few words. */
  readonly expects: string;
  /** A run for each. */
  readonly networks: readonly HipStageOptions[];
  /** Nothing runs yet when it is called. It throws if anything is not as it must be. */
  play(stage: HipStage): Promise<void>;
}

const ipv4: HipStageOptions = { family: 'IPv4' };
const ipv6: HipStageOptions = { family: 'IPv6' };
const udp: HipStageOptions = { family: 'IPv4', udp: true };
const everywhere = [ipv4, ipv6, udp];

/** New addresses instead of the old ones, in the same network. */
const elsewhere = {
  IPv4: { left: '10.99.3.3', right: '10.99.4.4', bits: 16 },
  IPv6: { left: 'fd99:0:0:3::3', right: 'fd99:0:0:4::4', bits: 48 },
} as const;
const outageMsMax = 2_000;

/** ESP suites by their names in the configuration (RFC 7402 5.1.2). */
const espSuites = [
  'aes128-sha1',
  'null-sha256',
  'aes128-sha256',
  'aes256-sha256',
  'aes128ccm8',
  'aes128ccm16',
  'aes128gcm8',
  'aes128gcm16',
  'null-aescmac',
  'aes128gmac',
] as const;

/** Three packets that ask for an association, and are not lost. */
async function firstPing(stage: HipStage, from: HipHost, by: 'HIT' | 'LSI'): Promise<void> {
  await ping(stage.path(from, by), 3);
}

async function pingBothWays(stage: HipStage): Promise<void> {
  for (const host of stage.hosts)
    for (const by of ['HIT', 'LSI'] as const) {
      await ping(stage.path(host, by));
      await ping(stage.path(host, by), 1, 1_300);
    }
}

const traffic: HipScenario = {
  name: 'traffic',
  expects: 'the first packet to a HIT makes an association; pings and TCP by HIT and by LSI, both ways',
  networks: everywhere,
  play: async (stage) => {
    await stage.start();
    await firstPing(stage, stage.left, 'HIT');
    await stage.agreed();
    await pingBothWays(stage);
    const { left, right } = stage;
    await tcpWithChecksum(stage, left, 'HIT', 'any');
    await tcpWithChecksum(stage, right, 'LSI', 'any');
    await tcpWithChecksum(stage, left, 'LSI', 'IPv4');
    await tcpWithChecksum(stage, right, 'HIT', 'IPv4');
  },
};

const firstByLsi: HipScenario = {
  name: 'first packet by LSI',
  expects: 'a packet to an LSI makes an association, and is not lost',
  networks: [ipv4],
  play: async (stage) => {
    await stage.start();
    await firstPing(stage, stage.right, 'LSI');
    await stage.agreed();
  },
};

const rekey: HipScenario = {
  name: 'rekey',
  expects: 'new SPIs three times while pings run, and none is lost',
  networks: [ipv4, { ...udp, family: 'IPv6' }],
  play: async (stage) => {
    await stage.start();
    await stage.left.hip('up', 'right');
    let before = await stage.agreed();
    const pings = stage.keepPinging(stage.left, 'HIT');
    await pings.answers(5);
    for (const host of [stage.left, stage.right, stage.left]) {
      await host.hip('rekey', stage.other(host).name);
      const { inboundSpi } = before;
      await eventually('the SPIs are others', async () => (await stage.agreed()).inboundSpi !== inboundSpi);
      before = await stage.agreed();
      await pings.answers(5);
    }
    const { answered, lost } = await pings.stop();
    assert.equal(lost, 0, `${lost} of ${answered + lost} pings were lost`);
  },
};

async function moveHost(stage: HipStage, host: HipHost, to: string): Promise<void> {
  const { family } = stage.options;
  const { bits } = elsewhere[family];
  const nodad = family === 'IPv6' ? ['nodad'] : [];
  await stage.ip(host, 'address', 'del', `${stage.outer(host)}/${bits}`, 'dev', 'eth0');
  await stage.ip(host, 'address', 'add', `${to}/${bits}`, 'dev', 'eth0', ...nodad);
}

const move: HipScenario = {
  name: 'move',
  expects: `one host and then the other gets another address, and pings are answered again within ${outageMsMax} ms`,
  networks: everywhere,
  play: async (stage) => {
    const { left, right } = stage;
    const to = elsewhere[stage.options.family];
    await stage.start();
    await left.hip('up', 'right');
    const { outboundSpi } = await stage.agreed();
    const pings = stage.keepPinging(left, 'HIT');
    await pings.answers(5);
    for (const [host, address] of [
      [left, to.left],
      [right, to.right],
    ] as const) {
      await moveHost(stage, host, address);
      const outage = await outageOf(pings);
      stage.notes.push(`${host.name} moves: ${outage.ms} ms`);
      assertShort(`${host.name} moves`, outage, outageMsMax);
    }
    const after = await stage.agreed();
    const { local, remote } = after.path;
    assert.deepEqual([local.address, remote.address], [to.left, to.right]);
    assert.equal(after.outboundSpi, outboundSpi, 'the SAs are the same');
  },
};

const credit: HipScenario = {
  name: 'credit',
  expects:
    'to an address that has not answered go no more octets than its host has sent, and all once it has',
  networks: [ipv4],
  play: async (stage) => {
    const { left } = elsewhere.IPv4;
    const { received, sent, dropped } = await spendCredit(stage, async (host) => {
      await moveHost(stage, host, left);
      return left;
    });
    stage.notes.push(
      `received ${received} octets, sent ${sent} to the new address, dropped ${dropped} packets`,
    );
    assert.ok(sent > 0 && sent <= received && dropped > 0, `${sent} of ${received}, ${dropped} dropped`);
  },
};

const close: HipScenario = {
  name: 'close',
  expects: 'either host ends the association, nothing is left of it, and the next packet makes another one',
  networks: [ipv4],
  play: async (stage) => {
    await stage.start();
    for (const host of stage.hosts) {
      await firstPing(stage, host, 'HIT');
      await stage.agreed();
      await host.hip('down', stage.other(host).name);
      await eventually('neither has an association', async () => {
        const both = await Promise.all(stage.hosts.map((one) => one.association()));
        return both.every((one) => one === undefined);
      });
    }
    await firstPing(stage, stage.left, 'LSI');
    await stage.agreed();
  },
};

const keys: HipScenario = {
  name: 'keys',
  expects: 'associations between hosts with RSA, P-256 and P-384 identities',
  networks: (['RSA', 'P-384'] as const).map((key) => ({ family: 'IPv6', key })),
  play: async (stage) => {
    await stage.start();
    await firstPing(stage, stage.left, 'HIT');
    await stage.agreed();
  },
};

const suites: HipScenario = {
  name: 'ESP suites',
  expects: 'pings and TCP under every ESP suite, from one to the next by a reload',
  networks: [ipv4],
  play: async (stage) => {
    await stage.configure(`esp_suites = ${espSuites[0]}`);
    await stage.start();
    for (const suite of espSuites) {
      await stage.configure(`esp_suites = ${suite}`);
      await Promise.all(stage.hosts.map((host) => host.reload()));
      await stage.left.hip('up', 'right');
      await stage.agreed();
      await ping(stage.path(stage.left, 'HIT'), 2, 1_200);
      await tcpWithChecksum(stage, stage.right, 'LSI', 'IPv4', 200_000);
      await stage.left.hip('down', 'right');
    }
  },
};

/** Octets of a ping of 56 in IPv6, encrypted with AES-CBC, in IPv4: 20 + 8 + 16 + 80, and an ICV. */
const pingOctetsWithoutIcv = 124;

const quirks: HipScenario = {
  name: 'quirks',
  expects: 'an ICV of 96 bits under HMAC-SHA-256 and HIP_SIGNATURE_2 in R2, because both were asked for',
  networks: [
    { ...ipv4, hip: 'esp_suites = aes128-sha256', peer: 'quirks = esp-icv-96, r2-signature-2' },
    { ...ipv4, hip: 'esp_suites = aes128-sha256' },
  ],
  play: async (stage) => {
    const { left, right, options } = stage;
    const asked = options.peer !== undefined;
    const path = join(stage.folder, 'left.pcap');
    const capture = await Capture.start(left.namespace, path);
    await stage.start();
    await ping(stage.path(left, 'HIT'));
    await stage.agreed();
    await tcpWithChecksum(stage, right, 'HIT', 'any');
    await capture.stop();
    const [r2] = await readWithKeys(path, undefined, 'hip.packet_type == 4', ['hip.type']);
    assert.ok(r2?.[0]?.endsWith(asked ? ',61569,61633' : ',61569,61697'), r2?.join());
    const lengths = await readWithKeys(path, undefined, `esp && ip.len < 200`, ['ip.len']);
    const expected = String(pingOctetsWithoutIcv + (asked ? 12 : 16));
    assert.ok(lengths.filter(([length]) => length === expected).length >= 6, lengths.join(' '));
  },
};

const crash: HipScenario = {
  name: 'crash',
  expects:
    'a host that was killed points at unknown SPIs by ICMP Parameter Problems, and pings are answered again',
  networks: [ipv4, ipv6],
  play: async (stage) => {
    const { left, right } = stage;
    await stage.start();
    await left.hip('up', 'right');
    const { outboundSpi } = await stage.agreed();
    const pings = stage.keepPinging(left, 'HIT');
    await pings.answers(5);
    const problems = await captureParameterProblems(stage, left);
    await right.kill();
    await right.start();
    await pings.answers(5);
    const seen = await problems.stop();
    assert.equal(seen[0]?.spi, outboundSpi);
    const pointers = new Set(seen.map(({ pointer }) => pointer));
    assert.deepEqual(pointers, new Set([stage.options.family === 'IPv4' ? 20 : 40]));
    await stage.agreed();
  },
};

const both: HipScenario = {
  name: 'beside IKE',
  expects:
    'a HIP association and an IKEv2 tunnel between the same hosts: an unknown SPI of either has one kind of answer',
  networks: [
    {
      family: 'IPv4',
      more: (own, peer) => tunnel(own.name, peer.name),
    },
  ],
  play: async (stage) => {
    const { left, right } = stage;
    await stage.start();
    await left.hip('up', 'right');
    await left.up('net');
    const { outboundSpi } = await stage.agreed();
    const [ikeSa] = await left.ikeSas();
    const tunnelSpiText = ikeSa!.children[0]!.outboundSpi;
    const byHit = stage.keepPinging(left, 'HIT', 50);
    const byTunnel = stage.keepPingingAlong({
      namespace: left.namespace,
      source: stage.network.wayward.inner.IPv4,
      destination: stage.network.strongswan.inner.IPv4,
    });
    await byHit.answers(3);
    await byTunnel.answers(3);
    const capture = await captureParameterProblems(stage, left);
    await right.kill();
    await right.start();
    await byHit.answers(3);
    await byTunnel.answers(3);
    const tunnelSpi = Number.parseInt(tunnelSpiText, 16);
    for (const { spi } of await capture.stop()) assert.notEqual(spi, tunnelSpi);
    const answers = unknownSpiVerdicts(await right.log());
    assert.deepEqual(answers.get(formatSpi(outboundSpi!)), new Set(['parameter-problem']));
    const ofTunnel = answers.get(tunnelSpiText) ?? new Set();
    // Outside of an IKE SA first, and by the fresh one for whatever was still on its way.
    assert.ok(
      [...ofTunnel].every((verdict) => verdict.startsWith('notify-')),
      [...ofTunnel].join(),
    );
  },
};

/** What a host decided about each unknown SPI, unless that was to let it be. */
function unknownSpiVerdicts(log: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, spi, verdict] of log.matchAll(/with unknown SPI ([\da-f]{8}).*?: (\S+) \(/g)) {
    if (verdict === 'ignore') continue;
    found.set(spi!, (found.get(spi!) ?? new Set()).add(verdict!));
  }
  return found;
}

/** An IKEv2 tunnel between the two, with a shared secret. */
function tunnel(own: string, peer: string): string {
  const outer = { left: '10.99.1.1', right: '10.99.2.1' } as Readonly<Record<string, string>>;
  const inner = { left: '10.1.0.1', right: '10.2.0.1' } as Readonly<Record<string, string>>;
  return `connections {
  gateway {
    local_addrs = ${outer[own]!}
    remote_addrs = ${outer[peer]!}
    proposals = aes128gcm16-prfsha256-x25519
    local {
      auth = psk
      id = ${own}
    }
    remote {
      auth = psk
      id = ${peer}
    }
    children {
      net {
        local_ts = ${inner[own]!}/32
        remote_ts = ${inner[peer]!}/32
        esp_proposals = aes128gcm16
      }
    }
  }
}
secrets {
  ike-gateway {
    secret = "a secret for interoperation"
  }
}`;
}

export const hipScenarios: readonly HipScenario[] = [
  traffic,
  firstByLsi,
  rekey,
  move,
  credit,
  close,
  keys,
  suites,
  quirks,
  crash,
  both,
];
