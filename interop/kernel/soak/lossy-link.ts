// Loss and reordering on a guest's network device, in both directions, by its kernel's netem. ESP has a netem of its own in
// either direction: its counter says exactly how many packets of tunnels were lost on purpose. IKE has another one, and what
// commands the guest is spared.
import type { Guest } from '../guest.ts';

export interface Weather {
  /** Of ESP packets. */
  readonly lossPercent: number;
  /** Of IKE messages: there are few of them, so that more have to be lost for every exchange to lose one now and then. */
  readonly ikeLossPercent: number;
  readonly delayMs: number;
  /** Uniform, up and down. More than the distance of two packets lets one overtake the other. */
  readonly jitterMs: number;
}

/** Packets that netem has let through and dropped, both directions together. */
export interface LinkCounts {
  readonly esp: { readonly passed: number; readonly dropped: number };
  readonly ike: { readonly passed: number; readonly dropped: number };
}

const device = 'vec0';
/** Where what comes in by the device is queued: only what leaves a device can be delayed. */
const inboundDevice = 'ifb0';

const bands = { esp: 1, ike: 2, rest: 3 } as const;
const nonEspMarkerOffset = 28;

function netem({ lossPercent, ikeLossPercent, delayMs, jitterMs }: Weather, band: number): string {
  const delay = delayMs === 0 ? '' : ` delay ${delayMs}ms ${jitterMs}ms`;
  return `netem limit 10000${delay} loss ${band === bands.ike ? ikeLossPercent : lossPercent}%`;
}

function classify(on: string): string[] {
  const udp = 'match ip protocol 17 0xff';
  const behind4500 = `${udp} match ip dport 4500 0xffff`;
  // RFC 3948: four octets of zero behind the UDP header are IKE, anything else that long is ESP. A keepalive has one octet.
  const rules = [
    ['match ip protocol 50 0xff', bands.esp],
    [`${behind4500} match u32 0 0xffffffff at ${nonEspMarkerOffset}`, bands.ike],
    [`${udp} match ip dport 500 0xffff`, bands.ike],
    [`${behind4500} match u32 0 0 at ${nonEspMarkerOffset}`, bands.esp],
  ] as const;
  return rules.map(
    ([match, band], i) =>
      `tc filter add dev ${on} parent 1: protocol ip prio ${i + 1} u32 ${match} flowid 1:${band}`,
  );
}

export class LossyLink {
  readonly #guest: Guest;

  private constructor(guest: Guest) {
    this.#guest = guest;
  }

  static async create(guest: Guest, weather: Weather): Promise<LossyLink> {
    const everythingElse = Array.from({ length: 16 }, () => bands.rest - 1).join(' ');
    const lines = [
      '/run/modprobe -q -a ifb sch_netem sch_prio sch_ingress cls_u32 act_mirred',
      `{ ip link show ${inboundDevice} > /dev/null 2>&1 || ip link add ${inboundDevice} type ifb; }`,
      // It drops what it sends of its own accord, and counts that.
      `echo 1 > /proc/sys/net/ipv6/conf/${inboundDevice}/disable_ipv6`,
      `ip link set ${inboundDevice} up`,
      `tc qdisc add dev ${device} handle ffff: ingress`,
      `tc filter add dev ${device} parent ffff: protocol ip u32 match u32 0 0 action mirred egress redirect dev ${inboundDevice}`,
    ];
    for (const on of [device, inboundDevice]) {
      lines.push(
        `tc qdisc add dev ${on} root handle 1: prio bands 3 priomap ${everythingElse}`,
        `tc qdisc add dev ${on} parent 1:${bands.esp} handle 1${bands.esp}: ${netem(weather, bands.esp)}`,
        `tc qdisc add dev ${on} parent 1:${bands.ike} handle 1${bands.ike}: ${netem(weather, bands.ike)}`,
        ...classify(on),
      );
    }
    await guest.run(lines.join(' && '));
    return new LossyLink(guest);
  }

  /** The counters go on. */
  async change(weather: Weather): Promise<void> {
    const lines = [device, inboundDevice].flatMap((on) =>
      [bands.esp, bands.ike].map(
        (band) => `tc qdisc change dev ${on} parent 1:${band} handle 1${band}: ${netem(weather, band)}`,
      ),
    );
    await this.#guest.run(lines.join(' && '));
  }

  async counts(): Promise<LinkCounts> {
    const listed = await Promise.all(
      [device, inboundDevice].map((on) => this.#guest.run(`tc -j -s qdisc show dev ${on}`)),
    );
    const all = listed.flatMap((text) => JSON.parse(text) as readonly QueueingDiscipline[]);
    const of = (band: number) => {
      const some = all.filter(({ handle }) => handle === `1${band}:`);
      if (some.length !== 2) throw new Error(`not a netem in each direction: ${JSON.stringify(all)}`);
      return {
        passed: some.reduce((sum, { packets }) => sum + packets, 0),
        dropped: some.reduce((sum, { drops }) => sum + drops, 0),
      };
    };
    return { esp: of(bands.esp), ike: of(bands.ike) };
  }
}

interface QueueingDiscipline {
  readonly handle: string;
  readonly packets: number;
  readonly drops: number;
}
