// What a well-behaved peer says in each stage: the inputs that mutations of the engine's scripts start from.
import { decodeIkeMessage, ExchangeType } from '#wire';
import type { CorpusEntry } from './corpus.ts';
import { EngineHost, type IkeKeyLog, natTraversalPort, type Side } from './engine-host.ts';
import { encodeSteps, otherRoleBit, type Step, StepFlag } from './engine-script.ts';
import { reach, type Stage } from './engine-stage.ts';
import { openText } from './peer-cipher.ts';

/** A recorded message to `side` as a step: in plain text if it is sealed. */
function stepOf(side: Side, octets: Uint8Array, logged: readonly IkeKeyLog[]): Step {
  const message = decodeIkeMessage(octets);
  const { header } = message;
  const sealed = message.payloads.at(-1);
  const at = logged.findIndex(
    ({ initiatorSpi, responderSpi }) =>
      initiatorSpi === header.initiatorSpi && responderSpi === header.responderSpi,
  );
  const keys = logged[at];
  if (sealed?.type !== 'SK' || keys === undefined) {
    return { flags: 0, exchangeType: header.exchangeType, messageId: 0, firstPayload: 0, octets };
  }
  const otherRole = header.initiator !== (side === 'sun');
  return {
    flags: StepFlag.SEALED | (header.response ? StepFlag.RESPONSE : 0) | (at > 0 ? StepFlag.NEWEST : 0),
    exchangeType: header.exchangeType | (otherRole ? otherRoleBit : 0),
    messageId: header.messageId,
    firstPayload: sealed.firstPayload,
    octets: openText(keys, header, octets, sealed.body),
  };
}

/** Both sides, talking until they have nothing left to say; what `side` received, as steps. */
function conversation(stage: Stage, before: (other: EngineHost) => void): Step[] {
  const hosts: Record<Side, EngineHost> = {
    moon: new EngineHost('moon', stage.method),
    sun: new EngineHost('sun', stage.method),
  };
  const steps: Step[] = [];
  const { side } = stage;
  const other: Side = side === 'moon' ? 'sun' : 'moon';
  const settle = (): void => {
    for (let again = true; again; ) {
      again = false;
      for (const from of ['moon', 'sun'] as const) {
        const to = hosts[from === 'moon' ? 'sun' : 'moon'];
        for (const { local, remote, octets } of hosts[from].sent.splice(0)) {
          again = true;
          const content = local.port === natTraversalPort ? octets.subarray(4) : octets;
          if (to.side === side) steps.push(stepOf(side, content, hosts[other].keys));
          to.give({ kind: 'datagram', local: remote, remote: local, octets });
        }
      }
    }
  };
  hosts.moon.give({ kind: 'command', id: 1, command: { kind: 'initiate', child: 'net' } });
  settle();
  steps.splice(0, stage.received);
  before(hosts[stage.begun === undefined ? other : side]);
  settle();
  return steps;
}

const rekeyChild = { kind: 'rekey', child: 'net' } as const;
const rekeyIke = { kind: 'rekey', connection: 'gateway' } as const;
const terminateChild = { kind: 'terminate', child: 'net' } as const;
const terminateIke = { kind: 'terminate', connection: 'gateway' } as const;
const commands = {
  'rekey-child': rekeyChild,
  'rekey-ike': rekeyIke,
  'terminate-child': terminateChild,
  'terminate-ike': terminateIke,
};

/** Recorded anew each time: the messages of a handshake change with the code that makes them. */
export function seedsOf(stage: Stage): readonly CorpusEntry[] {
  const seeds: CorpusEntry[] = [];
  const add = (name: string, steps: readonly Step[]): void => {
    if (steps.length === 0) throw new Error(`nothing was said in ${stage.name}: ${name}`);
    seeds.push({ name: `seed-${name}`, octets: encodeSteps(steps) });
  };
  for (const [name, command] of Object.entries(commands)) {
    if (stage.begun !== undefined && stage.begun !== name) continue;
    const steps = conversation(stage, (host) => host.give({ kind: 'command', id: 2, command }));
    add(name, steps);
  }
  // Exchanges that a host of ours does not begin.
  if (reach(stage).keys.length > 0) {
    const messageId = stage.side === 'sun' ? stage.received : 0;
    const exchangeType = ExchangeType.INFORMATIONAL;
    const empty = { exchangeType, messageId, firstPayload: 0, octets: new Uint8Array() };
    add('liveness', [{ ...empty, flags: StepFlag.SEALED }]);
    const flags = StepFlag.SEALED | StepFlag.ELSEWHERE | StepFlag.MARKED;
    add('liveness-elsewhere', [{ ...empty, flags }]);
  }
  return seeds;
}
