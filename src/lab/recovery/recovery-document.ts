// The document about the experiment: questions, answers with the figures of this run, where answering does not help, the table.
import { isAttack, isHip, type RecoveryPolicyName, type RecoveryScenarioName } from './recovery-cell.ts';
import { brokenPromises, type RecoveryCellSummary, type RecoveryPlan } from './recovery-summary.ts';
import { msText, recoveryMarkdown } from './recovery-table.ts';

export interface RecoveryDocumentOptions {
  /** How to make it again. */
  readonly command: string;
  /** Name of the picture's file beside the document. */
  readonly picture: string;
}

/** Figures of the widest distance of the plan: there round trips cost most. */
class Figures {
  readonly #cells: readonly RecoveryCellSummary[];
  readonly rttMs: number;

  constructor(cells: readonly RecoveryCellSummary[], { rttsMs }: RecoveryPlan) {
    this.#cells = cells;
    this.rttMs = Math.max(...rttsMs);
  }

  /** The median, in words. */
  back(scenario: RecoveryScenarioName, policy: RecoveryPolicyName): string {
    const cell = this.#cells.find(
      (one) => one.scenario === scenario && one.policy === policy && one.rttMs === this.rttMs,
    );
    if (cell === undefined) return 'not measured';
    const { recoveryMs, recoveryRtts } = cell;
    if (recoveryMs === undefined || recoveryRtts === undefined) return 'never';
    const ms = msText(recoveryMs.p50);
    if (recoveryMs.p50 >= 10_000) return ms;
    return `${ms} ms (${recoveryRtts.p50.toFixed(1)} RTT)`;
  }

  get attacks(): { forged: number; changes: number; teardowns: number } {
    const cells = this.#cells.filter(({ scenario }) => isAttack(scenario));
    return {
      forged: cells.reduce((sum, one) => sum + one.forgedDatagrams, 0),
      changes: cells.reduce((sum, one) => sum + (one.saChanges ?? 0), 0),
      teardowns: cells.reduce((sum, one) => sum + one.falseTeardowns, 0),
    };
  }

  get hipAttacks(): { forged: number; changes: number } {
    const cells = this.#cells.filter(({ scenario, policy }) => isAttack(scenario) && isHip(policy));
    return {
      forged: cells.reduce((sum, one) => sum + one.forgedDatagrams, 0),
      changes: cells.reduce((sum, one) => sum + (one.saChanges ?? 0), 0),
    };
  }

  get hipFloodRatio(): number {
    const cells = this.#cells.filter(({ scenario, policy }) => scenario === 'esp-flood' && isHip(policy));
    return Math.max(0, ...cells.map(({ bytesOutPerByteIn }) => bytesOutPerByteIn));
  }

  get amplificationMax(): number {
    return Math.max(...this.#cells.map((one) => one.bytesOutPerByteIn));
  }

  get floodRatio(): number {
    return Math.max(
      0,
      ...this.#cells
        .filter(({ scenario }) => scenario === 'esp-flood')
        .map(({ bytesOutPerByteIn }) => bytesOutPerByteIn),
    );
  }
}

/** Markdown, whole. */
export function recoveryDocument(
  cells: readonly RecoveryCellSummary[],
  plan: RecoveryPlan,
  { command, picture }: RecoveryDocumentOptions,
): string {
  const figures = new Figures(cells, plan);
  const { rttMs } = figures;
  const back = (scenario: RecoveryScenarioName, policy: RecoveryPolicyName): string =>
    figures.back(scenario, policy);
  const { forged, changes, teardowns } = figures.attacks;
  const last = plan.firstSeed + plan.seeds - 1;
  const broken = cells.flatMap(brokenPromises);
  const lines = [
    '# Recovery, measured',
    '',
    `Written by \`${command} --write\` (\`npm run recovery\`), seeds ${plan.firstSeed} to ${last}. Two hosts in a virtual`,
    "internet run the daemon's engine and a data plane with real cryptography; a packet leaves each of them every 10 ms;",
    'one incident happens at a random instant. Times run from the moment the restarted host answers again (or the path is',
    'back) until traffic flows both ways again, and so include up to 10 ms of waiting for the next packet. With',
    `${plan.seeds} seeds the p99 is ${plan.seeds < 100 ? 'the worst of them' : 'by nearest rank'}. The same command gives the same figures again.`,
    '',
    `![Medians by incident and equipment](${picture})`,
    '',
    `## Questions (figures are medians, RTT ${rttMs} ms)`,
    '',
    '**Should a host say anything about a packet whose SPI it does not know?** If it says only INVALID_SPI, hardly: when the',
    `responder restarts, traffic is back after ${back('responder-restarts', 'invalid-spi')}; after`,
    `${back('responder-restarts', 'silent')} if it says nothing. The peer cannot believe a message that anybody can send. It may`,
    'ask whether the other is alive, and then has to wait out its own retransmissions, as RFC 7296 2.4 wants.',
    '',
    '**What makes the answer useful?** Proof. With a token (RFC 6290) beside it, traffic is back after',
    `${back('responder-restarts', 'qcd')}; with a ticket on top (RFC 5723), after ${back('responder-restarts', 'qcd-resumption')}. Resumption`,
    'saves the key exchange and the authentication, not a round trip.',
    '',
    '**Who should act, the one who forgot or the one who remembers?** Whoever can first. A host that keeps a record of its SAs',
    `calls by itself when it is back: ${back('responder-restarts', 'full-ladder')} with the whole ladder, and`,
    `${back('both-restart', 'full-ladder')} if both restart, when nobody is left who could be told.`,
    '',
    '**And if nothing is forgotten?** A host that keeps a checkpoint goes on with its SAs when it starts again in the same boot',
    `of its machine, and rekeys them: ${back('responder-restarts', 'checkpoint')} when the responder restarts,`,
    `${back('both-restart', 'checkpoint')} if both do. Nobody is told anything, for no SPI is unknown.`,
    '',
    '**And a peer that knows none of it?** If it restarts, our side notices that its traffic is not answered, asks, and tries',
    `afresh beside the old SA: ${back('responder-restarts', 'legacy-peer')}. If we restart, we call it: ${back('initiator-restarts', 'legacy-peer')}.`,
    '',
    `**Can forged notices hurt?** ${forged} forged datagrams (INVALID_SPI, INVALID_IKE_SPI, ICMP errors, made-up tokens, spoofed`,
    `ESP; by attackers who see all traffic and by such who see none) led to ${changes} changes of SAs and ${teardowns} false`,
    'teardowns. A hint leads to at most one liveness check per window; only a token, or the peer itself, ends an SA.',
    '',
    '**Can it be used to amplify?** No: over all seeds of a cell, the unauthenticated answers were at most',
    `${figures.amplificationMax.toFixed(2)} octets for each octet of unauthenticated input; under a flood of spoofed ESP, ${figures.floodRatio.toFixed(3)}.`,
    '',
    '## Six questions of an implementer of HIP (figures are medians, RTT of the widest path)',
    '',
    '**Should a host answer a packet whose SPI it does not know?** With HIP, if it cannot call. Until traffic is back with a',
    `responder that restarted and does not know where its peer is: in silence, ${back('responder-restarts', 'hip-silent')} (within the 400 s of a`,
    `run); with a Parameter Problem (RFC 7402 5.4.1), ${back('responder-restarts', 'hip-parameter-problem')}, nearly all of which is the wait for an`,
    `answer to UPDATE. With one that knows its peer and calls it: ${back('responder-restarts', 'hip-full-ladder')}.`,
    '',
    '**Inside or outside of an SA?** Outside: whoever forgot the SA has none to speak in, and one that stands shows that nothing',
    `is lost. What is said outside is a hint: ${figures.hipAttacks.forged} forged ones, and changed HIP packets among them, led to`,
    `${figures.hipAttacks.changes} changes of HIP's SAs.`,
    '',
    `**Rate limited?** Yes, by octets and by time: a flood of spoofed ESP gets ${figures.hipFloodRatio.toFixed(3)} octets back for each octet. R1`,
    'is the one answer larger than its question (hip.md has the sizes), and it is limited by prefix.',
    '',
    '**Who answers where IKE and HIP share a host?** The one whose SPI it was, out of a history that outlives the restart; of an',
    'SPI that nobody had, IKE alone if both may be meant. Both draw on one budget, so that a second protocol adds no octet.',
    '',
    '**Does a reboot matter?** It is the case that matters. The one who restarts has forgotten, and may call:',
    `${back('initiator-restarts', 'hip-full-ladder')} if it is the initiator, ${back('responder-restarts', 'hip-full-ladder')} if it is the`,
    `responder, ${back('both-restart', 'hip-full-ladder')} if both do: of two calls that cross, one is dropped by rule (RFC 7401 4.4.3),`,
    `and repeated after a second at most. If nothing is forgotten, ${back('long-outage', 'hip-silent')} after 60 s without a path, in silence.`,
    '',
    '**Is it useful at all?** Less than with IKE. Packets that wait for an SA call by themselves, and so a host with something',
    `to send needs no answer from anybody: ${back('responder-restarts', 'hip-traps')} in silence. The answer helps where only one side`,
    'may call.',
    '',
    '## Where answering unknown SPIs is not useful',
    '',
    `- **The one who restarts also calls.** An initiator with \`start_action = start\` is back after ${back('initiator-restarts', 'silent')}`,
    `  without any of this, and after ${back('initiator-restarts', 'full-ladder')} with all of it.`,
    `- **Nobody lost anything.** After 60 s without a path, traffic is back after ${back('long-outage', 'silent')} in silence and`,
    `  ${back('long-outage', 'full-ladder')} with the ladder: the SAs still stand. After a NAT forgot its mapping it is`,
    `  ${back('nat-rebinding', 'silent')} and ${back('nat-rebinding', 'full-ladder')}; no unknown SPI ever arises.`,
    '  With MOBIKE, which these connections do without, a new mapping is asked about before traffic goes there: one round trip more.',
    '- **Without proof.** An unprotected INVALID_SPI alone buys little, as above: it moves the liveness check forward, and the',
    '  retransmissions of that check still have to end.',
    '- **To strangers.** Answers to a flood repair nothing, for nobody there has an SA with us. The budgets cap them; silence',
    '  would lose nothing.',
    '',
    '## What these figures leave out',
    '',
    'The time a process takes to start (with a checkpoint: also to read it), kernels, and clocks of real machines: `npm run interop -- recovery` measures those.',
    'The sibling of a cluster is a second engine that has the records of the first and takes over its address; members that',
    'are up side by side and share a token secret (RFC 6290 9.2) are not part of the experiment. A false teardown is an IKE SA',
    'that a host gave up without a word while its peer still had it; with attackers, any IKE SA that ended. The same is meant of HIP associations.',
    '',
    '## Held against what is promised',
    '',
    'With the full ladder, also with a checkpoint, or with HIP unless both restart: p99 at most 4 round trips (5 if a COOKIE is demanded). With 10 % loss, without',
    'a checkpoint: p50 at most 4 and p99 at most 4 and three retransmission time-outs. In all cells of attackers no change of an SA; in every cell the byte rule.',
    '',
    ...(broken.length === 0
      ? ['In this run all of it holds.']
      : broken.map((line) => `- does not hold: ${line}`)),
    '',
    '## Every cell',
    '',
    ...recoveryMarkdown(cells),
    '',
  ];
  return lines.join('\n');
}
