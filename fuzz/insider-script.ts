// What a fuzzed input has an authenticated peer do: it goes on as a host of ours would, but for what is changed on the way.
//
// Each step is five octets: what is done, and four numbers for it. Changes wait for the next message that goes to the victim.
import type { EngineCommand } from '#engine';
import { ExchangeType, type IkeHeader } from '#wire';
import type { EngineHost } from './engine-host.ts';
import type { Delivery, InsiderWorld, Underway } from './insider-world.ts';
import { changeChain, type RawPayload } from './payload-chain.ts';
import type { Prng } from './prng.ts';

/** What a step does, by its first octet. */
export const stepKinds = [
  'settle',
  'tell-victim',
  'tell-accomplice',
  'tell-twice',
  'lose',
  'wait',
  'command-accomplice',
  'command-victim',
  'change',
  'change-header',
  'fragment',
  'say-request',
  'say-answer',
  'move-accomplice',
  'move-victim',
] as const;
export type StepKind = (typeof stepKinds)[number];

const stepBytes = 5;
const stepsMax = 40;
const waitsMs = [10, 100, 700, 2_000, 6_000, 31_000, 70_000, 200_000] as const;
/** Nobody is to rekey by time. */
const waitMsMax = 1_800_000;
const settleMax = 40;
const changesMax = 8;

const rekeyChild = { kind: 'rekey', child: 'net' } as const;
const terminateChild = { kind: 'terminate', child: 'net' } as const;
export const commands: readonly EngineCommand[] = [
  { kind: 'initiate', child: 'net' },
  rekeyChild,
  { kind: 'rekey', connection: 'gateway' },
  terminateChild,
  { kind: 'terminate', connection: 'gateway' },
];
const exchangeTypes = [
  ExchangeType.CREATE_CHILD_SA,
  ExchangeType.INFORMATIONAL,
  ExchangeType.IKE_AUTH,
  ExchangeType.IKE_SA_INIT,
  ExchangeType.IKE_SESSION_RESUME,
  99,
] as const;

/** One step as octets. */
export function step(kind: StepKind, a = 0, b = 0, c = 0, d = 0): readonly number[] {
  return [stepKinds.indexOf(kind), a, b, c, d];
}

/** One to four changes to whole steps: another one, one more, one less, one twice, a number, another script's end. */
export function mutateSteps(octets: Uint8Array, random: Prng, other: Uint8Array): Uint8Array {
  let steps = stepsOf(octets);
  const anyStep = (): readonly number[] => [
    random.below(stepKinds.length),
    ...Array.from({ length: stepBytes - 1 }, () => random.below(random.pick([4, 20, 256]))),
  ];
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(steps.length + 1);
    switch (random.below(6)) {
      case 0:
        steps = steps.toSpliced(at, 1, anyStep());
        break;
      case 1:
        steps = steps.toSpliced(at, 0, anyStep());
        break;
      case 2:
        steps = steps.toSpliced(at, 1);
        break;
      case 3:
        steps = steps.toSpliced(at, 0, ...steps.slice(at, at + 1 + random.below(3)));
        break;
      case 4: {
        const index = 1 + random.below(stepBytes - 1);
        const value = random.below(256);
        steps = steps.map((one, i) => (i === at ? one.with(index, value) : one));
        break;
      }
      default: {
        const others = stepsOf(other);
        steps = [...steps.slice(0, at), ...others.slice(random.below(others.length + 1))];
      }
    }
  }
  return Uint8Array.from(steps.slice(0, stepsMax).flat());
}

function stepsOf(octets: Uint8Array): (readonly number[])[] {
  const count = Math.floor(octets.length / stepBytes);
  return Array.from({ length: count }, (_, i) => [...octets.subarray(i * stepBytes, (i + 1) * stepBytes)]);
}

type Numbers = readonly [number, number, number, number];

class Play {
  readonly #world: InsiderWorld;
  #changes: Numbers[] = [];
  #headerChanges: Numbers[] = [];
  #fragments = 1;
  #missing = 0;
  #elsewhere = false;
  #waitedMs = 0;
  #commands = 10;

  constructor(world: InsiderWorld) {
    this.#world = world;
  }

  do(kind: StepKind, numbers: Numbers): void {
    const [a] = numbers;
    const world = this.#world;
    switch (kind) {
      case 'settle':
        this.#settle();
        return;
      case 'tell-victim':
      case 'tell-twice': {
        const index = a % Math.max(1, world.toVictim.length);
        const [told] = kind === 'tell-victim' ? world.toVictim.splice(index, 1) : world.toVictim.slice(index);
        if (told !== undefined) this.#pass(told);
        return;
      }
      case 'tell-accomplice': {
        const [told] = world.toAccomplice.splice(a % Math.max(1, world.toAccomplice.length), 1);
        if (told !== undefined) world.inform(told);
        return;
      }
      case 'lose':
        world.toVictim.splice(a % Math.max(1, world.toVictim.length), 1);
        return;
      case 'wait': {
        const ms = waitsMs[a % waitsMs.length]!;
        if (this.#waitedMs + ms > waitMsMax) return;
        this.#waitedMs += ms;
        world.wait(ms);
        return;
      }
      case 'command-accomplice':
        this.#command(world.accomplice, a);
        return;
      case 'command-victim':
        this.#command(world.victim, a);
        return;
      case 'change':
        if (this.#changes.length < changesMax) this.#changes.push(numbers);
        return;
      case 'change-header':
        if (this.#headerChanges.length < changesMax) this.#headerChanges.push(numbers);
        return;
      case 'fragment':
        this.#fragments = 1 + (a % 6);
        this.#missing = numbers[1] % 8;
        this.#elsewhere = numbers[2] > 192;
        return;
      case 'say-request':
      case 'say-answer': {
        const exchangeType = exchangeTypes[numbers[1] % exchangeTypes.length]!;
        const header = world.headerFor(numbers[2] % 2 === 1, kind === 'say-answer', exchangeType);
        if (header !== undefined) this.#send([], header);
        return;
      }
      case 'move-accomplice':
        world.move(world.accomplice, a, numbers[1]);
        return;
      case 'move-victim':
        world.move(world.victim, a, numbers[1]);
    }
  }

  #command(host: EngineHost, choice: number): void {
    host.give({ kind: 'command', id: this.#commands++, command: commands[choice % commands.length]! });
    this.#world.collect();
  }

  #pass(told: Underway): void {
    const world = this.#world;
    const path = { local: told.remote, remote: told.local };
    this.#send(world.chainOf(told), world.renumbered(told.message.header), path);
  }

  #send(chain: readonly RawPayload[], header: IkeHeader, path?: Delivery['path']): void {
    const world = this.#world;
    const { material } = world;
    const changes = this.#changes.splice(0);
    const headerChanges = this.#headerChanges.splice(0);
    const [fragments, missing, elsewhere] = [this.#fragments, this.#missing, this.#elsewhere];
    this.#fragments = 1;
    this.#missing = 0;
    this.#elsewhere = false;
    world.say({
      chain: changes.reduce((changed, change) => changeChain(changed, change, material), [...chain]),
      header: headerChanges.reduce(changeHeader, header),
      fragments,
      missing,
      elsewhere,
      ...(path !== undefined && { path }),
    });
  }

  /** Everything that is under way arrives, and what is said to that. */
  #settle(): void {
    const world = this.#world;
    for (let count = 0; count < settleMax; count++) {
      const toVictim = world.toVictim.shift();
      if (toVictim !== undefined) this.#pass(toVictim);
      const toAccomplice = world.toAccomplice.shift();
      if (toAccomplice !== undefined) world.inform(toAccomplice);
      if (toVictim === undefined && toAccomplice === undefined) return;
    }
  }
}

function changeHeader(header: IkeHeader, [kind, a]: Numbers): IkeHeader {
  switch (kind % 5) {
    case 0:
      return { ...header, exchangeType: exchangeTypes[a % exchangeTypes.length]! };
    case 1:
      return { ...header, messageId: (header.messageId + a - 128) >>> 0 };
    case 2:
      return { ...header, messageId: a * 0x0101_0101 };
    case 3:
      return { ...header, response: !header.response };
    default:
      return { ...header, initiator: !header.initiator };
  }
}

/** Plays a script. Throws if the victim breaks a promise. */
export function playInsider(world: InsiderWorld, script: Uint8Array): void {
  const play = new Play(world);
  for (const [kind = 0, a = 0, b = 0, c = 0, d = 0] of stepsOf(script).slice(0, stepsMax)) {
    play.do(stepKinds[kind % stepKinds.length]!, [a, b, c, d]);
  }
}
