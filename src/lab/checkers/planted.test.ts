// Each checker is shown to bite: a fault is planted, and this checker and no other complains.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DataPlaneOutput, MemoryDataPlane, type ReceivedPacket } from '#ipsec';
import { address, type SaCommand, type SaParameters, type SaResult, type Spi, selectorOfPrefix } from '#sa';
import { ExchangeType, encodeIkeMessage, type IkeHeader, type IkeSpi, type Payload, writeU32 } from '#wire';
import type { LabEvent, Observer } from '../events.ts';
import type { LabHost, PlaneMaker } from '../host.ts';
import { innerPacket } from '../inner-packet.ts';
import type { Datagram, DatagramOrigin } from '../network/datagram.ts';
import { Simulation } from '../simulation.ts';
import { quietScenario } from '../testing/quiet-scenario.ts';
import { BoundedState } from './bounded-state.ts';
import { checkersFor } from './index.ts';
import { InvariantViolation } from './invariant-violation.ts';
import { KeyAgreement } from './key-agreement.ts';
import { MessageIds } from './message-ids.ts';
import { NonceUniqueness } from './nonce-uniqueness.ts';
import { TimeOrder } from './time-order.ts';
import { TrafficIntegrity } from './traffic-integrity.ts';
import { UnauthenticatedInput } from './unauthenticated-input.ts';

const scenario = quietScenario();

async function run(makePlane?: PlaneMaker, observers: readonly Observer[] = []): Promise<void> {
  const simulation = new Simulation(scenario, {
    observers: [...checkersFor(scenario), ...observers],
    ...(makePlane === undefined ? {} : { makePlane }),
  });
  await simulation.run(30_000);
}

function bites(checker: string, detail: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof InvariantViolation && error.checker === checker && detail.test(error.message);
}

/** Gives events to one checker. */
function show(checker: Observer, events: readonly LabEvent[]): () => void {
  return () => {
    for (const event of events) checker.observe(event);
  };
}

test('without a planted fault, none complains', async () => {
  await run();
});

/** A data plane that changes what comes out of it. */
function planeThat(change: (output: DataPlaneOutput) => DataPlaneOutput[]): PlaneMaker {
  return (options) =>
    new (class extends MemoryDataPlane {
      readonly #more: DataPlaneOutput[] = [];
      override poll(): DataPlaneOutput | undefined {
        if (this.#more.length === 0) {
          const output = super.poll();
          if (output === undefined) return undefined;
          this.#more.push(...change(output));
        }
        return this.#more.shift() ?? this.poll();
      }
    })(options);
}

describe('a data plane', () => {
  test('that sends one sequence number twice', async () => {
    const plane = planeThat((output) => (output.kind === 'transmit' ? [output, output] : [output]));
    await assert.rejects(run(plane), bites('nonce-uniqueness', /sent number 1 after 1/));
  });

  test('that counts on but repeats an IV', async () => {
    const plane = planeThat((output) => {
      if (output.kind === 'transmit') writeU32(output.octets, 12, 1);
      return [output];
    });
    await assert.rejects(run(plane), bites('nonce-uniqueness', /repeated the IV/));
  });

  test('that sends with an SPI it was never given', async () => {
    const plane = planeThat((output) => {
      if (output.kind === 'transmit') writeU32(output.octets, 0, 0x1234_5678);
      return [output];
    });
    await assert.rejects(run(plane), bites('nonce-uniqueness', /for which it has no SA/));
  });

  const [flow] = scenario.flows;
  const packet = innerPacket(flow!.source, flow!.destination, { flowIndex: 0, sequence: 1 }, 40);

  test('that lets plaintext out behind its ESP header', async () => {
    const plane = planeThat((output) => {
      if (output.kind !== 'transmit') return [output];
      const octets = new Uint8Array(output.octets.length + packet.length);
      octets.set(output.octets);
      octets.set(packet, output.octets.length);
      return [{ ...output, octets }];
    });
    await assert.rejects(run(plane), bites('traffic-integrity', /in the clear/));
  });

  test('that lets packets bypass', async () => {
    const plane = planeThat((output) =>
      output.kind === 'transmit' ? [{ kind: 'bypass', packet }] : [output],
    );
    await assert.rejects(run(plane), bites('traffic-integrity', /let a packet bypass/));
  });

  test('that delivers a packet twice', async () => {
    const plane = planeThat((output) => (output.kind === 'deliver' ? [output, output] : [output]));
    await assert.rejects(run(plane), bites('traffic-integrity', /twice/));
  });

  test('that changes a packet', async () => {
    const plane = planeThat((output) => {
      if (output.kind === 'deliver') output.packet[0] = output.packet[0]! ^ 0x01;
      return [output];
    });
    await assert.rejects(run(plane), bites('traffic-integrity', /changed|nobody sent/));
  });

  test('that makes packets up', async () => {
    const plane = planeThat((output) =>
      output.kind === 'deliver' ? [{ kind: 'deliver', packet: new Uint8Array(60) }] : [output],
    );
    await assert.rejects(run(plane), bites('traffic-integrity', /nobody sent/));
  });

  test('that forgets an SA which it said it had installed', async () => {
    const plane: PlaneMaker = (options) =>
      new (class extends MemoryDataPlane {
        override apply(command: SaCommand, at: number): SaResult {
          const forgotten = command.kind === 'install' && command.sa.direction === 'inbound';
          return forgotten ? { ok: true } : super.apply(command, at);
        }
      })(options);
    await assert.rejects(run(plane), bites('sa-accounting', /lost inbound SPI/));
  });

  test('that refuses to let an SA go', async () => {
    const plane: PlaneMaker = (options) =>
      new (class extends MemoryDataPlane {
        override apply(command: SaCommand, at: number): SaResult {
          if (command.kind === 'remove') return { ok: false, code: 'missing', detail: 'no such SA' };
          return super.apply(command, at);
        }
      })(options);
    await assert.rejects(run(plane), bites('sa-accounting', /refused remove/));
  });

  test('that delivers what was forged', async () => {
    const plane: PlaneMaker = (options) =>
      new (class extends MemoryDataPlane {
        #delivers = false;
        override inbound(received: ReceivedPacket, at: number): void {
          if (received.octets.length === 99) this.#delivers = true;
          else super.inbound(received, at);
        }
        override poll(): DataPlaneOutput | undefined {
          if (!this.#delivers) return super.poll();
          this.#delivers = false;
          return { kind: 'deliver', packet };
        }
      })(options);
    const forged: Datagram = {
      protocol: 'esp',
      source: { address: address('203.0.113.66'), port: 0 },
      destination: { address: scenario.hosts[1]!.address, port: 0 },
      octets: new Uint8Array(99).fill(7),
      origin: 'forged',
    };
    const observers = [new UnauthenticatedInput(new Set<string>(scenario.hosts.map((host) => host.address)))];
    const simulation = new Simulation(scenario, { observers, makePlane: plane });
    simulation.act({ kind: 'inject', datagram: forged });
    await assert.rejects(simulation.run(1_000), bites('unauthenticated-input', /was delivered/));
  });
});

test('an engine whose command never reaches the data plane', async () => {
  // The observer stands for a driver that drops an output: the books are kept without it.
  const [accounting] = checkersFor(scenario).filter((checker) => checker.constructor.name === 'SaAccounting');
  let dropped = false;
  const observer: Observer = {
    observe(event) {
      if (event.kind === 'sa-command' && event.command.kind === 'install' && !dropped) {
        dropped = true;
        return;
      }
      accounting!.observe(event);
    },
  };
  const simulation = new Simulation(scenario, { observers: [observer] });
  await assert.rejects(simulation.run(10_000), bites('sa-accounting', /not installed/));
});

test('a host that sleeps through its deadline, and a clock that goes back', () => {
  const host = { name: 'left', deadline: () => 50 } as unknown as LabHost;
  assert.throws(
    show(new TimeOrder(), [{ kind: 'settled', at: 100, host, keying: true }]),
    bites('time-order', /was due at 50 ms/),
  );
  const up = (at: number): LabEvent => ({ kind: 'up', at, host: 'left', incarnation: 1 });
  assert.throws(show(new TimeOrder(), [up(100), up(99)]), bites('time-order', /happened after 100 ms/));
});

describe('keys', () => {
  const sa = (change: Partial<SaParameters>, keyOctet: number): SaParameters => ({
    direction: 'inbound',
    protocol: 'esp',
    spi: 0x1000 as Spi,
    mode: 'tunnel',
    local: address('192.0.2.1'),
    remote: address('192.0.2.2'),
    encryption: { id: 20, keyLengthBits: 128, key: new Uint8Array(20).fill(keyOctet) },
    esn: false,
    replayWindow: 64,
    selectors: {
      local: [selectorOfPrefix('10.1.0.0/24')!],
      remote: [selectorOfPrefix('10.2.0.0/24')!],
    },
    lifetimes: {},
    childId: 1,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
    ...change,
  });
  const install = (host: string, parameters: SaParameters): LabEvent => ({
    kind: 'sa-command',
    at: 5,
    host,
    incarnation: 1,
    command: { kind: 'install', sa: parameters },
  });
  const mirrored: Partial<SaParameters> = {
    direction: 'outbound',
    selectors: { local: sa({}, 1).selectors.remote, remote: sa({}, 1).selectors.local },
  };

  test('that agree are no fault', () => {
    show(new KeyAgreement(), [install('left', sa({}, 1)), install('right', sa(mirrored, 1))])();
  });

  test('that differ between the ends', () => {
    const events = [install('left', sa({}, 1)), install('right', sa(mirrored, 2))];
    assert.throws(show(new KeyAgreement(), events), bites('key-agreement', /different keys/));
  });

  test('with selectors that differ between the ends', () => {
    const events = [install('left', sa({}, 1)), install('right', sa({ direction: 'outbound' }, 1))];
    assert.throws(show(new KeyAgreement(), events), bites('key-agreement', /different terms/));
  });

  test('that serve two SAs', () => {
    const events = [install('left', sa({}, 1)), install('left', sa({ spi: 0x2000 as Spi }, 1))];
    assert.throws(show(new KeyAgreement(), events), bites('key-agreement', /one key serves two/));
  });
});

describe('messages', () => {
  const header: IkeHeader = {
    initiatorSpi: '1111111111111111' as IkeSpi,
    responderSpi: '2222222222222222' as IkeSpi,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType: ExchangeType.INFORMATIONAL,
    initiator: true,
    response: false,
    higherVersion: false,
    messageId: 0,
  };
  /** A protected message with these octets as IV and text. */
  const datagram = (
    change: Partial<IkeHeader>,
    filling: number,
    origin: DatagramOrigin = 'host',
    payloads: readonly Payload[] = [],
  ): Datagram => {
    const plain = encodeIkeMessage({ header: { ...header, ...change }, payloads });
    const octets = new Uint8Array(plain.length + 40).fill(filling, plain.length);
    octets.set(plain);
    if (payloads.length === 0) {
      octets[16] = 46;
      octets.fill(0, 28, 32);
    }
    writeU32(octets, 24, octets.length);
    return {
      protocol: 'udp',
      source: { address: address('192.0.2.1'), port: 500 },
      destination: { address: address('203.0.113.66'), port: 500 },
      octets,
      origin,
    };
  };
  const sent = (host: string, one: Datagram, at = 5): LabEvent => ({ kind: 'sent', at, host, datagram: one });
  const arriving = (host: string, one: Datagram): LabEvent => ({
    kind: 'arriving',
    at: 5,
    host,
    datagram: one,
  });

  const faults: [string, LabEvent[], RegExp][] = [
    [
      'whose Message IDs have a gap',
      [sent('left', datagram({ messageId: 0 }, 1)), sent('left', datagram({ messageId: 2 }, 2), 6)],
      /after Message ID 0/,
    ],
    [
      'beyond the window',
      [sent('left', datagram({ messageId: 0 }, 1)), sent('left', datagram({ messageId: 1 }, 2), 6)],
      /1 requests outstanding/,
    ],
    [
      'that change when they are repeated',
      [sent('left', datagram({}, 1)), sent('left', datagram({}, 2), 6)],
      /changes a message/,
    ],
    ['that answer nothing', [sent('left', datagram({ response: true }, 1))], /was not asked/],
    [
      'that answer a response',
      [
        arriving('left', datagram({ response: true }, 1)),
        sent('left', datagram({ response: true, messageId: 1 }, 2)),
      ],
      /answers a response/,
    ],
  ];
  for (const [name, events, detail] of faults) {
    test(name, () => {
      assert.throws(show(new MessageIds(1), events), bites('message-ids', detail));
    });
  }

  test('with one IV for two texts', () => {
    const one = datagram({}, 1);
    const other = datagram({ messageId: 1 }, 1);
    assert.throws(
      show(new NonceUniqueness(), [sent('left', one), sent('left', one), sent('left', other)]),
      bites('nonce-uniqueness', /one IV for two messages/),
    );
  });

  test('to a stranger that are more than it sent', () => {
    const asked = { ...datagram({}, 1, 'forged'), source: datagram({}, 1).destination };
    assert.throws(
      show(new UnauthenticatedInput(new Set(['192.0.2.1'])), [
        arriving('left', asked),
        sent('left', datagram({}, 2)),
        sent('left', datagram({ messageId: 1 }, 3)),
      ]),
      bites('unauthenticated-input', /octets to 203.0.113.66/),
    );
  });

  test('that were forged and make the engine command something', () => {
    assert.throws(
      show(new UnauthenticatedInput(new Set()), [
        arriving('left', datagram({}, 1, 'forged')),
        {
          kind: 'sa-command',
          at: 5,
          host: 'left',
          incarnation: 1,
          command: { kind: 'remove-policy', policyId: 1 },
        },
      ]),
      bites('unauthenticated-input', /caused remove-policy/),
    );
  });
});

test('tables beyond their limit', async () => {
  const simulation = new Simulation(scenario, { observers: [new BoundedState({ ikeSas: 0 })] });
  await assert.rejects(simulation.run(10_000), bites('bounded-state', /1 ikeSas, more than 0/));
});

test('a packet for another host', () => {
  const [flow] = scenario.flows;
  const checker = new TrafficIntegrity(scenario.flows);
  checker.observe({ kind: 'packet-sent', at: 1, flow: flow!, flowIndex: 0, sequence: 1 });
  const packet = innerPacket(
    flow!.source,
    flow!.destination,
    { flowIndex: 0, sequence: 1 },
    flow!.payloadBytes,
  );
  assert.throws(
    () => checker.observe({ kind: 'delivered', at: 2, host: 'left', packet }),
    bites('traffic-integrity', /was for right/),
  );
});
