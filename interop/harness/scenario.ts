// What a scenario is: a folder with both sides' configuration, and a file that says what must be seen.
import type { Variables } from './configuration-folder.ts';
import type { Family, NetworkOptions } from './network.ts';
import type { Stage } from './stage.ts';

/** Which part wayward plays when the tunnel comes up. */
export type Role = 'initiator' | 'responder';

export const bothRoles: readonly Role[] = ['initiator', 'responder'];
export const bothFamilies: readonly Family[] = ['IPv4', 'IPv6'];

/** The default export of `scenarios/<name>/scenario.ts`. */
export interface Scenario {
  /** What a passed run means, in a few words for the table. */
  readonly expects: string;
  /** Default: both. */
  readonly roles?: readonly Role[];
  /** Outer addresses. Default: both. */
  readonly families?: readonly Family[];
  readonly network?: NetworkOptions;
  /** Values for `@name@` in the .conf files, beside `@wayward@` and `@strongswan@`, the outer addresses. */
  readonly variables?: Variables;
  /** Default: four minutes, for a busy machine. */
  readonly timeLimitMs?: number;
  /** Brings up what it needs and throws if anything is not as it must be. Nothing runs yet when it is called. */
  play(stage: Stage): Promise<void>;
}

/** One scenario in one role over one family. */
export interface Run {
  readonly name: string;
  readonly scenario: Scenario;
  readonly role: Role;
  readonly family: Family;
}

export function runTitle({ name, role, family }: Run): string {
  return `${name}, ${role}, ${family}`;
}
