// Whose a policy of the kernel's SPD is: the kernel has nothing to write an owner's name on, and so it stands where nobody looks.
import type { XfrmLifetimeLimits, XfrmMessage, XfrmPolicyId } from '#wire';
import type { LookupAttributes } from '../kernel-ties.ts';
import type { RequestIds } from '../request-ids.ts';
import { unlimitedLifetime } from '../states/kernel-state.ts';
import type { XfrmMessageOf, XfrmSocket } from '../xfrm-socket.ts';

/** Far more packets than anybody counts. */
const tagBase = 0xffff_ffff_0000_0000n;

export type PolicyOwner = 'ours' | 'others';

export class PolicyOwners {
  readonly #socket: Pick<XfrmSocket, 'requestIfThere'>;
  readonly #ids: Pick<RequestIds, 'isOurs' | 'stateTag'>;
  /**
   * Of our policies. The kernel compares a policy's packets with no limit, so that one of these has our tag: a policy that lets
   * pass, or discards, has no template whose request ID would be ours.
   */
  readonly limits: XfrmLifetimeLimits;

  constructor(socket: Pick<XfrmSocket, 'requestIfThere'>, ids: Pick<RequestIds, 'isOurs' | 'stateTag'>) {
    this.#socket = socket;
    this.#ids = ids;
    this.limits = { ...unlimitedLifetime, softPackets: tagBase + BigInt(ids.stateTag) };
  }

  isOurs({ policy, attributes }: XfrmMessageOf<'new-policy'>): boolean {
    const { templates = [] } = attributes;
    if (templates.length === 0) return policy.limits.softPackets === this.limits.softPackets;
    return templates.some(({ requestId }) => this.#ids.isOurs(requestId));
  }

  /** Of the policy in a place; undefined if there is none. */
  at(id: XfrmPolicyId, attributes: LookupAttributes): PolicyOwner | undefined {
    const [there]: readonly XfrmMessage[] =
      this.#socket.requestIfThere({ kind: 'get-policy', id, attributes }) ?? [];
    if (there === undefined) return undefined;
    return there.kind === 'new-policy' && this.isOurs(there) ? 'ours' : 'others';
  }
}
