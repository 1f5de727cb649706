// The course of a recovery, from the first sign of a loss until traffic is back, as whoever asks why is told of it.
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import type { RecoveryRung } from '../interface.ts';

/** One per connection that is being recovered. Times are monotonic milliseconds. */
export interface RecoveryCourse {
  /** The rung that calls. */
  rung: RecoveryRung;
  /** When the first sign was seen. */
  readonly since: number;
  /** Since when the IKE SA stands that took the place of the lost one; it, or one that it was rekeyed to, carries on. */
  fresh: { readonly createdAt: number; readonly since: number } | undefined;
  /** The course before, whose IKE SA stood when this one began: it goes on if this one comes to nothing. */
  readonly former: RecoveryCourse | undefined;
}

/** A course that never came to its end says nothing about a later loss. */
const courseMsMax = 600_000;

/** A rung calls the peer. What began by one rung may be ended by another. @param since absent: now */
export function courseBegins(state: EngineState, name: string, rung: RecoveryRung, since?: number): void {
  const { courses } = state.recovery;
  const open = courses.get(name);
  const first = open !== undefined && open.fresh === undefined && state.at - open.since < courseMsMax;
  courses.set(name, {
    rung,
    since: first ? open.since : (since ?? state.at),
    fresh: undefined,
    former: open?.fresh === undefined ? open?.former : { ...open, former: undefined },
  });
}

/** The peer began anew by itself, and so has forgotten this IKE SA. @param how we know */
export function peerCalledAnew(state: EngineState, entry: IkeEntry, how: string): void {
  const { name } = entry.sa.connection;
  courseBegins(state, name, 'peer', firstSignAt(state, entry));
  state.rung(name, 'peer', 'called', how);
}

/** Since when our traffic on this IKE SA has had no answer; where none was under way: now. */
export function firstSignAt(state: EngineState, { ikeId, sa }: IkeEntry): number {
  const path = state.recovery.paths.get(ikeId);
  if (path === undefined || path.outboundAt <= Math.max(path.heardAt, sa.lastInboundAt)) return state.at;
  return path.unansweredSince;
}

/** The peer authenticated, or took a ticket. */
export function courseStands(state: EngineState, { createdAt, sa }: IkeEntry, byTicket: boolean): void {
  const { name } = sa.connection;
  const course = state.recovery.courses.get(name);
  if (course === undefined || course.fresh !== undefined) return;
  course.fresh = { createdAt, since: state.at };
  const how = byTicket ? 'resumed by a ticket' : 'authenticated in full';
  state.rung(name, course.rung, 'stands', `a fresh IKE SA, ${how}, ${elapsed(course.since, state.at)}`);
}

/** Protected traffic came in on a Child SA of this IKE SA. */
export function courseTraffic(state: EngineState, { createdAt, sa }: IkeEntry, lastInboundAt: number): void {
  const { name } = sa.connection;
  const course = state.recovery.courses.get(name);
  if (course?.fresh === undefined || createdAt < course.fresh.createdAt) return;
  if (lastInboundAt < course.fresh.since) return;
  state.recovery.courses.delete(name);
  // Counters are told a few times a second: it may have been back a little earlier.
  state.rung(name, course.rung, 'back', `traffic comes in again, ${elapsed(course.since, lastInboundAt)}`);
}

/** The old IKE SA answered: nothing was lost, or not since the course before. */
export function courseCancelled(state: EngineState, name: string): void {
  const { courses } = state.recovery;
  const former = courses.get(name)?.former;
  if (former === undefined) courses.delete(name);
  else courses.set(name, former);
}

function elapsed(since: number, at: number): string {
  return `${Math.round(at - since)} ms after the first sign`;
}
