// What a host remembers of SPIs, tokens, budgets and suspicions, for the files of this folder.
import type { Randomness } from '#crypto';
import type { ConnectionConfiguration } from '#ike';
import {
  BackOff,
  type BootEpoch,
  CrashDetectionSecrets,
  HeldTokens,
  inRebootWindow,
  ReplyBudget,
  SourceRate,
  SpiHistory,
  Suspicion,
  type UnknownSpiPolicy,
  unknownSpiPolicy,
} from '#unknown-spi';
import type { UnknownSpiConfiguration } from '../configuration.ts';
import type { RecoveryCourse } from './course.ts';
import { IncidentLog } from './incident-log.ts';
import type { PathKnowledge } from './path-knowledge.ts';

export const defaultUnknownSpiConfiguration: UnknownSpiConfiguration = {
  policy: 'shy',
  quickCrashDetection: true,
  historySize: 4_096,
  rebootWindowMs: 60_000,
  graceMs: 10_000,
  parallelAttempts: true,
  reestablish: true,
};

/** Prefixes whose credit is remembered at a time. */
const sourcesMax = 1_024;
/** What somebody says in the name of a peer must not keep the peer's own token waiting, and comparing is cheap. */
const tokenChecksRate = { perSecond: 100, burst: 100 } as const;
/** IKE SAs and connections are ours: this only bounds a mistake. */
const subjectsMax = 65_536;
const protectedNotifyLimits = { windowMsMin: 1_000, windowMsMax: 60_000, subjectsMax } as const;

export class RecoveryState {
  readonly budget: ReplyBudget;
  readonly suspicion: Suspicion = new Suspicion();
  /** The same for HIP associations, by the number of their pair of SAs. */
  readonly hipSuspicion: Suspicion = new Suspicion();
  readonly incidents: IncidentLog = new IncidentLog();
  /** INVALID_SPI over standing IKE SAs: one per IKE SA and window. Of SPIs that the history knows, and of all others. */
  readonly protectedNotifiesOfOurs: BackOff = new BackOff(protectedNotifyLimits);
  readonly protectedNotifies: BackOff = new BackOff(protectedNotifyLimits);
  /** Calling whom the history names: one per connection and back-off step. */
  readonly reestablishments: BackOff = new BackOff({
    windowMsMin: 2_000,
    windowMsMax: 300_000,
    subjectsMax,
  });
  /** Liveness checks because our traffic is not answered: one per IKE SA and window. */
  readonly silenceChecks: BackOff = new BackOff({ windowMsMin: 1_000, windowMsMax: 300_000, subjectsMax });
  readonly paths: Map<number, PathKnowledge> = new Map();
  /** Child SAs replaced because the peer does not know their SPI: one per Child SA and window. */
  readonly replacements: BackOff = new BackOff({ windowMsMin: 10_000, windowMsMax: 300_000, subjectsMax });
  /** Messages whose tokens are compared, per source (RFC 6290 8.1). */
  readonly tokenChecks: SourceRate;
  /** What peers gave us, by IKE SA. */
  readonly held: Map<number, HeldTokens> = new Map();
  /** Connections that are being recovered. */
  readonly courses: Map<string, RecoveryCourse> = new Map();
  /** Connections whose IKE SA is silent, and which it is, while a fresh one is being tried beside it. */
  readonly parallel: Map<string, number> = new Map();
  /** Silent IKE SAs that answered when the peer may have authenticated the fresh one already. */
  readonly answeredMeanwhile: Set<number> = new Set();
  /** IKE SPIs under which a token of ours was given. */
  readonly given: Set<string> = new Set();
  history: SpiHistory;
  secrets: CrashDetectionSecrets;
  /** Tokens may leave: their secret will be there after a crash (RFC 6290 5.1). */
  secretsDurable = false;
  boot: { readonly epoch: BootEpoch['epoch']; readonly startedAt: number } = { epoch: 1, startedAt: 0 };
  /** SPIs that arrived for an IKE SA which could not be told of them at once. */
  foldedSpis = 0;

  constructor(randomness: Randomness, configuration: UnknownSpiConfiguration) {
    const salt = new DataView(randomness.bytes(4).buffer).getUint32(0);
    this.budget = new ReplyBudget({ sources: sourcesMax, salt, at: 0 });
    this.tokenChecks = new SourceRate({ sources: sourcesMax, salt, rate: tokenChecksRate, at: 0 });
    this.history = new SpiHistory(configuration.historySize);
    this.secrets = CrashDetectionSecrets.fresh(randomness);
  }

  heldBy(ikeId: number): HeldTokens {
    const known = this.held.get(ikeId);
    if (known !== undefined) return known;
    const tokens = new HeldTokens();
    this.held.set(ikeId, tokens);
    return tokens;
  }

  /** Of IKE SAs, Child SAs and HIP associations: each goes when its subject does. */
  get backOffs(): number {
    const { suspicion, hipSuspicion, protectedNotifiesOfOurs, protectedNotifies } = this;
    const all = [suspicion, hipSuspicion, protectedNotifiesOfOurs, protectedNotifies];
    return [...all, this.silenceChecks, this.replacements].reduce((sum, { size }) => sum + size, 0);
  }

  rebootAware(at: number, { rebootWindowMs }: UnknownSpiConfiguration): boolean {
    return inRebootWindow(this.boot, at, rebootWindowMs);
  }
}

/** The policy for packets that have to do with this connection; without one, that of the host. */
export function policyFor(
  host: UnknownSpiConfiguration,
  connection: ConnectionConfiguration | undefined,
): UnknownSpiPolicy {
  const policy = unknownSpiPolicy(connection?.unknownSpiPolicy ?? host.policy);
  return host.reestablish ? policy : { ...policy, reestablish: false };
}

/** Whether tokens are given to the peers of this connection. */
export function givesTokens(
  host: UnknownSpiConfiguration,
  connection: ConnectionConfiguration | undefined,
): boolean {
  return connection?.quickCrashDetection ?? host.quickCrashDetection;
}
